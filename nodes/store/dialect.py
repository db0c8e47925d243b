"""The few words of SQL that SQLite and PostgreSQL spell differently, so that a query can be written once.

Knows column types and expressions of both dialects. Must not know tables or connections.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import BigInteger, Boolean, DateTime, Dialect, Float, Integer, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import BindParameter, ColumnElement
from sqlalchemy.sql.expression import bindparam
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


class among(FunctionElement[bool]):  # noqa: N801 - reads as a word of SQL
    """`among(column, keys)`: the column's value is one of the keys of a single parameter
    (`texts("name")`)."""

    inherit_cache = True
    type = Boolean()

    def __init__(self, column: ColumnElement[Any], keys: BindParameter[Any]) -> None:
        super().__init__(column, keys)


@compiles(among, "postgresql")
def _among_postgresql(element: among, compiler: SQLCompiler, **kw: Any) -> str:
    column, keys = element.clauses
    return f"{compiler.process(column, **kw)} = ANY({compiler.process(keys, **kw)})"


@compiles(among)
def _among_json(element: among, compiler: SQLCompiler, **kw: Any) -> str:
    column, keys = element.clauses
    listed = f"(SELECT value FROM json_each({compiler.process(keys, **kw)}))"  # noqa: S608 - a parameter
    return f"{compiler.process(column, **kw)} IN {listed}"


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


def texts(name: str) -> BindParameter[Any]:
    """A parameter that takes any number of text keys, for `among`."""
    return bindparam(name, type_=TEXTS)


def integers(name: str) -> BindParameter[Any]:
    """A parameter that takes any number of integer keys, for `among`."""
    return bindparam(name, type_=INTEGERS)
