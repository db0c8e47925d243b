"""What SQLAlchemy's statements are on SQLite: text, the values in the driver's order, and the way back.

Knows the dialect and its conversions. Must not know a table, a connection or a thread. A statement is
compiled once; what is left of each execution is what the driver does. SQLAlchemy's own execution does the
same at several times the price, and more than the statement itself costs on a file in the page cache.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypeAlias, cast

from sqlalchemy import Boolean, Dialect, Executable, LargeBinary, Table
from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine

from nodes.store.errors import DataRejected
from nodes.store.session import Batch, Present, Values

Convert: TypeAlias = Callable[[Any], Any] | None
_DIALECT: Final[Dialect] = sqlite_dialect(paramstyle="qmark")
_MISSING: Final = object()


@dataclass(frozen=True, slots=True)
class Written:
    """A statement for the driver: text; marks: its question marks in order: name, value when none is given,
    conversion; columns: the conversion of each column of the answer.
    """

    text: str
    marks: tuple[tuple[str, Any, Convert], ...]
    columns: tuple[Convert, ...]

    def values(self, given: Values, table: str) -> list[Any]:
        """What stands for the question marks. Raises DataRejected, KeyError for one that is missing."""
        found = []
        for name, default, convert in self.marks:
            value = given.get(name, default)
            if value is _MISSING:
                raise KeyError(name)
            try:
                found.append(value if convert is None else convert(value))
            except (ValueError, TypeError, OverflowError) as error:
                raise DataRejected(table, "", f"{name}: {error}") from error
        return found

    def rows(self, found: list[tuple[Any, ...]]) -> Sequence[tuple[Any, ...]]:
        """The driver's answer with each column converted."""
        if not found or not any(self.columns):
            return found
        columns = [
            column if convert is None else [convert(value) for value in column]
            for convert, column in zip(self.columns, zip(*found, strict=True), strict=True)
        ]
        return list(zip(*columns, strict=True))


@lru_cache(maxsize=512)
def written(statement: Executable) -> Written:
    """The statement on SQLite. Kept for as long as it is used: most are constants of their modules."""
    compiled = cast("SQLCompiler", statement.compile(dialect=_DIALECT))  # type: ignore[attr-defined]
    assert not compiled.post_compile_params, "lists travel in one parameter: `dialect.among`"
    marks = []
    for name in compiled.positiontup or ():
        bound = compiled.binds[name]
        default = _MISSING if bound.required else bound.effective_value
        marks.append((bound.key, default, _bind(bound.type)))
    answer = getattr(statement, "exported_columns", ())
    return Written(str(compiled), tuple(marks), tuple(_result(column.type) for column in answer))


def _bind(kind: TypeEngine[Any]) -> Convert:
    plain = (Boolean, LargeBinary)  # the driver takes bool and bytes as they are
    found = kind.dialect_impl(_DIALECT)
    return None if isinstance(found, plain) else found.bind_processor(_DIALECT)


def _result(kind: TypeEngine[Any]) -> Convert:
    return kind.dialect_impl(_DIALECT).result_processor(_DIALECT, None)


def inserted(batch: Batch, present: Present) -> tuple[str, list[tuple[Any, ...]]]:
    """The SQL of a batch, and its rows as the driver takes them."""
    sql, converts = _insert(batch.table, batch.names, batch.keys, present)
    columns = [
        column if convert is None else [convert(value) for value in column]
        for convert, column in zip(converts, zip(*batch.rows, strict=True), strict=True)
    ]
    return sql, list(zip(*columns, strict=True))


@lru_cache(maxsize=256)
def _insert(
    table: Table, names: tuple[str, ...], keys: tuple[str, ...], present: Present
) -> tuple[str, tuple[Convert, ...]]:
    columns = ", ".join(f'"{name}"' for name in names)
    marks = ", ".join("?" * len(names))
    sql = f'INSERT INTO "{table.name}" ({columns}) VALUES ({marks})'  # noqa: S608 - names of our own columns
    if present == "skip":
        sql += " ON CONFLICT DO NOTHING"
    elif present in ("replace", "mend"):
        changed = ", ".join(f'"{name}" = excluded."{name}"' for name in names if name not in keys)
        sql += f" ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {changed}"
        if present == "mend":
            sql += f' WHERE "{table.name}"."recovered"'
    return sql, tuple(_bind(table.c[name].type) for name in names)
