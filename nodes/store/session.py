"""What a query needs of a database, whichever it is.

Knows statements, rows and how to check values. Must not know which database it talks to, nor any one table.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any, Final, Literal, Protocol, TypeAlias, TypeVar

from sqlalchemy import BigInteger, Executable, Integer, Row, String, Table
from sqlalchemy.sql.dml import Delete, ReturningUpdate, Update
from sqlmodel import AutoString

from nodes.store.dialect import Instant
from nodes.store.errors import DataRejected
from nodes.store.tables import METADATA

R = TypeVar("R")
Rows: TypeAlias = Sequence[Row[*tuple[Any, ...]]] | Sequence[tuple[Any, ...]]
Values: TypeAlias = Mapping[str, Any]
ChangesOne: TypeAlias = Update | Delete
"""A statement that changes one table and gives no answer."""
Otherwise: TypeAlias = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows to insert into a table: the names of the columns given, and the values in that order, checked."""

    table: Table
    names: tuple[str, ...]
    rows: Sequence[tuple[Any, ...]]

    @property
    def keys(self) -> tuple[str, ...]:
        """Columns of the primary key."""
        return tuple(column.name for column in self.table.primary_key)


@dataclass(frozen=True, slots=True)
class Merge:
    """What becomes of a row that is there: columns that change, and to what, as SQL of both databases."""

    changed: tuple[tuple[str, str], ...]


Present: TypeAlias = Literal["fail", "skip", "replace", "mend"] | Merge


@dataclass(frozen=True, slots=True)
class Series:
    """A column that is counted. `block`: an UPDATE of the series' one row that returns the number behind the
    last that it took; values: its parameters.
    """

    column: str
    block: ReturningUpdate[tuple[Any, ...]]
    values: Values


class Link(Protocol):
    """One connection inside one transaction. Raises the StoreError tree alone: at once, or, of what gives no
    answer, at the latest when the transaction ends."""

    async def fetch(self, statement: Executable, values: Values | None = None) -> Rows:
        """All rows of the answer."""

    async def run(self, statement: Executable, values: Values | None = None) -> int:
        """How many rows the statement changed."""

    async def run_many(self, statement: Executable, rows: Sequence[Values]) -> None:
        """The statement once for each of `rows`, as one batch."""

    async def insert(self, batch: Batch, present: Present = "fail") -> None:
        """Inserts all rows. `present`: what becomes of a row whose primary key is there: it fails, is skipped
        (then also one that another unique index forbids), replaces the columns given, mends: replaces them
        where what is there says `recovered`, or is merged with it."""

    async def insert_all(self, batch: Batch, otherwise: Otherwise, *, counted: Series | None = None) -> None:
        """Inserts all rows, their `counted` column from the series. Nobody has to wait for it: when the
        primary key of a row is there, or the series is not, `otherwise` is awaited, at the latest when the
        transaction ends; rows that could be inserted are then there, or none when the series is not."""

    async def run_later(self, statement: ChangesOne, values: Values | None = None) -> None:
        """Runs the statement; nobody needs to know how many rows it changed."""

    async def insert_new(self, batch: Batch) -> set[tuple[Any, ...]]:
        """Inserts the rows whose primary key is not there; the keys of those."""


class Session:
    """A base of the queries: they are methods of one transaction."""

    def __init__(self, link: Link) -> None:
        self._link = link


def table(name: str) -> Table:
    """The table of this name."""
    return METADATA.tables[name]


def table_of(statement: Executable) -> str:
    """The name of the table that a statement changes, "" when it changes none."""
    return str(getattr(getattr(statement, "table", None), "name", ""))


def columns_of(row_type: type[Any]) -> tuple[str, ...]:
    """Names of the fields of a row class, which are those of its table's columns."""
    return tuple(field.name for field in fields(row_type))


def build(row_type: Callable[..., R], found: Rows) -> list[R]:
    """Rows of the database, selected by `columns_of` in that order, as row objects."""
    return [row_type(*row) for row in found]


def batch_of(into: Table, rows: Sequence[Any], *, without: str = "") -> Batch:
    """Row objects as a batch, all columns but `without`. Raises as `batch` does."""
    if not rows:
        return Batch(into, (), ())
    names = tuple(name for name in columns_of(type(rows[0])) if name != without)
    read = attrgetter(*names)
    return batch(into, names, [read(row) for row in rows])


def batch(into: Table, names: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> Batch:
    """Rows as a batch.

    Raises DataRejected, with the row's key, for what one of the two databases would refuse or change: NUL or
    half a surrogate pair in a text, an integer beyond the column's width, a time without a zone.
    """
    for name, column in zip(names, zip(*rows, strict=True), strict=False):
        kind = into.c[name].type
        given = [value for value in column if value is not None]
        if given and flaw(kind, given):
            _reject(into, names, rows, name)
    return Batch(into, names, rows)


def _reject(into: Table, names: tuple[str, ...], rows: Sequence[tuple[Any, ...]], name: str) -> None:
    for row in rows:
        values = dict(zip(names, row, strict=True))
        reason = "" if values[name] is None else flaw(into.c[name].type, [values[name]])
        if reason:
            key = ", ".join(str(values.get(column.name, "")) for column in into.primary_key)
            raise DataRejected(into.name, printable(key), f"{name}: {reason}")


_TEXT: Final = String()


def keys_of(name: str, keys: Iterable[str]) -> list[str]:
    """Distinct keys, sorted. Raises DataRejected for a key that no database can hold."""
    found = sorted(set(keys))
    if flaw(_TEXT, found):
        for key in found:
            reason = flaw(_TEXT, [key])
            if reason:
                raise DataRejected(name, printable(key), reason)
    return found


def flaw(kind: Any, values: Sequence[Any]) -> str:
    """Why one of the values of a column cannot be stored, "" when all can."""
    if isinstance(kind, Instant):
        return "a time without a zone" if any(value.tzinfo is None for value in values) else ""
    if isinstance(kind, (String, AutoString)):
        text = "".join(values)
        if "\x00" in text:
            return "NUL in a text"
        if not text.isascii():
            try:
                text.encode()
            except UnicodeEncodeError:
                return "half a surrogate pair in a text"
    elif isinstance(kind, Integer):
        bits = 63 if isinstance(kind, BigInteger) else 31
        if max(values) >= 2**bits or min(values) < -(2**bits):
            return f"beyond {bits + 1} bits"
    return ""


def printable(key: str) -> str:
    """A key that may be shown: no control characters, no half surrogate pairs, 200 characters at most."""
    return "".join(c if c.isprintable() else "?" for c in key[:200])


def one(found: Rows) -> Any:
    """The only value of the only row; None when there is no row."""
    return found[0][0] if found else None
