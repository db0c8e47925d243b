"""The few words of SQL that SQLite and PostgreSQL spell differently, so that a query can be written once.

Knows column types and expressions of both dialects. Must not know tables or connections.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import BigInteger, DateTime, Dialect, Float, Integer, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import BindParameter, ColumnElement
from sqlalchemy.sql.expression import bindparam, literal_column
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine
from typing_extensions import override

BigKey: Final = BigInteger().with_variant(Integer(), "sqlite")
"""A 64-bit key that the database counts up: SQLite does so only for its own word INTEGER."""


class Instant(TypeDecorator[datetime]):
    """Aware business time, to the microsecond: timestamptz on PostgreSQL, ISO text in UTC (which sorts) on
    SQLite."""

    impl = Text
    cache_ok = True

    @override
    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """What the database stores it as."""
        return dialect.type_descriptor(DateTime(timezone=True) if dialect.name == "postgresql" else Text())

    @override
    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """The value as the driver takes it."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        utc = value.astimezone(UTC)
        return utc if dialect.name == "postgresql" else utc.isoformat(timespec="microseconds")

    @override
    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """The value as the driver gives it."""
        if value is None:
            return None
        found = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        return found.astimezone(UTC)


class _KeyList(TypeDecorator[Sequence[Any]]):
    """Any number of keys in one parameter: an array on PostgreSQL, JSON text on SQLite."""

    impl = Text
    cache_ok = True

    def __init__(self, item: str) -> None:
        super().__init__()
        self.item = item

    @override
    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """What the database stores it as."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(ARRAY(Text() if self.item == "text" else BigInteger()))
        return dialect.type_descriptor(Text())

    @override
    def process_bind_param(self, value: Sequence[Any] | None, dialect: Dialect) -> Any:
        """The value as the driver takes it."""
        keys = list(value or ())
        return keys if dialect.name == "postgresql" else json.dumps(keys)


TEXTS: Final = _KeyList("text")
INTEGERS: Final = _KeyList("integer")


class _Listed(FunctionElement[Any]):
    """The right side of `among`, its operator included: the two databases have no common one."""

    inherit_cache = True


@compiles(_Listed, "postgresql")
def _listed_array(element: _Listed, compiler: SQLCompiler, **kw: Any) -> str:
    return f"= ANY({compiler.process(element.clauses, **kw)})"


@compiles(_Listed)
def _listed_json(element: _Listed, compiler: SQLCompiler, **kw: Any) -> str:
    keys = compiler.process(element.clauses, **kw)
    return f"IN (SELECT value FROM json_each({keys}))"  # noqa: S608 - a parameter


def among(column: ColumnElement[Any], keys: BindParameter[Any]) -> ColumnElement[bool]:
    """The column's value is one of the keys of a single parameter, such as `texts("numbers")`.

    Not a function of type Boolean: SQLAlchemy would compare that with 1 on SQLite, which then reads all rows.
    """
    return column.op("", is_comparison=True)(_Listed(keys))


class database_clock(FunctionElement[float]):  # noqa: N801 - reads as a word of SQL
    """Wall seconds since 1970 on the database's clock."""

    inherit_cache = True
    type = Float()


@compiles(database_clock, "postgresql")
def _clock_postgresql(_element: database_clock, _compiler: SQLCompiler, **_kw: Any) -> str:
    return "EXTRACT(EPOCH FROM clock_timestamp())::double precision"


@compiles(database_clock)
def _clock_sqlite(_element: database_clock, _compiler: SQLCompiler, **_kw: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


def constant(text: str) -> ColumnElement[str]:
    """A word of ours written into the SQL. In a parameter, a partial index would not know it."""
    return literal_column(f"'{text}'", Text)


def texts(name: str) -> BindParameter[Any]:
    """A parameter that takes any number of text keys, for `among`."""
    return bindparam(name, type_=TEXTS)


def integers(name: str) -> BindParameter[Any]:
    """A parameter that takes any number of integer keys, for `among`."""
    return bindparam(name, type_=INTEGERS)
