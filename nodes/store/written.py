"""What SQLAlchemy's statements are to a driver: text, the values in its order, and the way back.

Knows the conversions of a dialect. Must not know a table, a connection or a thread. A statement is compiled
once; what is left of each execution is what the driver does. SQLAlchemy's own execution does the same at
several times the price, and often more than the statement itself costs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypeAlias, cast

from sqlalchemy import Boolean, Dialect, Executable, Float, LargeBinary
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine

from nodes.store.errors import DataRejected
from nodes.store.session import Batch, Values

Convert: TypeAlias = Callable[[Any], Any] | None
_MISSING: Final = object()


@dataclass(frozen=True, slots=True)
class Written:
    """A statement for the driver: text; marks: what its parameters are, in order: name, value when none is
    given, conversion; columns: the conversion of each column of the answer.
    """

    text: str
    marks: tuple[tuple[str, Any, Convert], ...]
    columns: tuple[Convert, ...]

    def values(self, given: Values, table: str) -> list[Any]:
        """What stands for the parameters. Raises DataRejected, KeyError for one that is missing."""
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

    def rows(self, found: Sequence[Any]) -> Sequence[Any]:
        """The driver's answer with each column converted."""
        if not found or not any(self.columns):
            return found
        columns = [
            column if convert is None else [convert(value) for value in column]
            for convert, column in zip(self.columns, zip(*found, strict=True), strict=True)
        ]
        return list(zip(*columns, strict=True))


def writer(dialect: Dialect) -> Callable[[Executable], Written]:
    """What writes statements in that dialect. They are kept for as long as they are used: most are constants
    of their modules.
    """

    @lru_cache(maxsize=512)
    def written(statement: Executable) -> Written:
        compiled = cast("SQLCompiler", statement.compile(dialect=dialect))  # type: ignore[attr-defined]
        assert not compiled.post_compile_params, "lists travel in one parameter: `dialect.among`"
        marks = []
        for name in compiled.positiontup or ():
            bound = compiled.binds[name]
            default = _MISSING if bound.required else bound.effective_value
            marks.append((bound.key, default, binder(dialect, bound.type)))
        answer = getattr(statement, "exported_columns", ())
        columns = tuple(_reader(dialect, column.type) for column in answer)
        return Written(str(compiled), tuple(marks), columns)

    return written


def binder(dialect: Dialect, kind: TypeEngine[Any]) -> Convert:
    """How a value of that type is made one of the driver's."""
    plain = (Boolean, LargeBinary)  # the drivers take bool and bytes as they are
    found = kind.dialect_impl(dialect)
    return None if isinstance(found, plain) else found.bind_processor(dialect)


def _reader(dialect: Dialect, kind: TypeEngine[Any]) -> Convert:
    found = kind.dialect_impl(dialect)
    return None if isinstance(found, Float) else found.result_processor(dialect, None)


def converted(batch: Batch, converts: Sequence[Convert]) -> list[Sequence[Any]]:
    """The columns of a batch that has rows, as the driver takes them."""
    return [
        column if convert is None else [None if value is None else convert(value) for value in column]
        for convert, column in zip(converts, zip(*batch.rows, strict=True), strict=True)
    ]
