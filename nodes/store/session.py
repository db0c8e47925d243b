"""What a query needs of a database, whichever it is.

Knows statements, rows and how to check values. Must not know which database it talks to, nor any table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any, Literal, Protocol, TypeAlias, TypeVar

from sqlalchemy import Executable, Row, Table

from nodes.store.errors import DataRejected
from nodes.store.tables import METADATA

R = TypeVar("R")
Rows: TypeAlias = Sequence[Row[*tuple[Any, ...]]]
Values = Mapping[str, Any]
Present = Literal["fail", "skip", "replace"]
_INT64 = 2**63


class Link(Protocol):
    """One connection inside one transaction. Raises the StoreError tree alone."""

    async def fetch(self, statement: Executable, values: Values | None = None) -> Rows:
        """All rows of the answer."""

    async def run(self, statement: Executable, values: Values | None = None) -> int:
        """How many rows the statement changed."""

    async def run_many(self, statement: Executable, rows: Sequence[Values]) -> None:
        """The statement once for each of `rows`, as one batch."""

    async def insert(
        self,
        table: Table,
        rows: Sequence[Values],
        *,
        present: Present = "fail",
        returning: Sequence[str] = (),
    ) -> Rows:
        """Inserts all rows as one batch. `returning`: columns of the rows that were inserted, in no order.
        `present`: what becomes of a row whose primary key is there: it fails, is skipped, or replaces the
        columns given."""


class Session:
    """A base of the queries: they are methods of one transaction."""

    def __init__(self, link: Link) -> None:
        self._link = link


def keys_of(name: str, keys: Iterable[str]) -> list[str]:
    """Distinct keys, sorted. Raises DataRejected for a key that no database can hold."""
    found = sorted(set(keys))
    for key in found:
        reason = flaw(key)
        if reason:
            raise DataRejected(name, printable(key), reason)
    return found


def table(name: str) -> Table:
    """The table of this name."""
    return METADATA.tables[name]


def columns_of(row_type: type[Any]) -> tuple[str, ...]:
    """Names of the fields of a row class, which are those of its table's columns."""
    return tuple(field.name for field in fields(row_type))


def build(row_type: Callable[..., R], found: Rows) -> list[R]:
    """Rows of the database, selected by `columns_of` in that order, as row objects."""
    return [row_type(*row) for row in found]


def values_of(
    into: Table, rows: Sequence[Any], *, without: frozenset[str] = frozenset()
) -> list[dict[str, Any]]:
    """Row objects as mappings for an insert into `into`.

    Raises DataRejected, with the row's key, for what one of the two databases would refuse or change: NUL or
    half a surrogate pair in a text, an integer beyond 64 bits, a time without a zone.
    """
    if not rows:
        return []
    names = [name for name in columns_of(type(rows[0])) if name not in without]
    made = [{name: getattr(row, name) for name in names} for row in rows]
    for values in made:
        for name, value in values.items():
            reason = flaw(value)
            if reason:
                key = ", ".join(str(values.get(column.name, "")) for column in into.primary_key)
                raise DataRejected(into.name, printable(key), f"{name}: {reason}")
    return made


def flaw(value: Any) -> str:
    """Why a value cannot be stored, "" when it can."""
    if isinstance(value, str):
        if "\x00" in value:
            return "NUL in a text"
        if not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError:
                return "half a surrogate pair in a text"
    elif isinstance(value, int) and not -_INT64 <= value < _INT64:
        return "beyond 64 bits"
    elif getattr(value, "tzinfo", True) is None:
        return "a time without a zone"
    return ""


def printable(key: str) -> str:
    """A key that may be shown: without control characters and half surrogate pairs, 200 characters at
    most."""
    return "".join(c if c.isprintable() else "?" for c in key[:200])


def one(found: Rows) -> Any:
    """The only value of the only row; None when there is no row."""
    return found[0][0] if found else None
