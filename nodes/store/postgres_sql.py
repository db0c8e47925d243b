"""Statements and batches on PostgreSQL.

Knows the dialect. Must not know a table or a connection. A batch travels as arrays (unnest), so that its
statement is one however many rows it has; what gives no answer travels together, each a WITH of the
last: one way there and back instead of several.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Dialect, Executable, Table
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect

from nodes.store.session import Batch, Merge, Present, Values
from nodes.store.written import Convert, binder, converted, writer

DIALECT: Final[Dialect] = asyncpg_dialect()  # type: ignore[no-untyped-call]  # the library's own
written: Final = writer(DIALECT)
_MARK: Final = re.compile(r"\$(\d+)")


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a statement, told apart by what it is made of: rows for a table (names, present, block and
    counted: see `session`), or a statement that changes it. told: how many rows it brings must be known.
    """

    table: Table
    names: tuple[str, ...] = ()
    present: Present = "fail"
    counted: str = ""
    block: Executable | None = None
    change: Executable | None = None
    told: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """A part, the rows of its batch, and the values of its statement."""

    part: Part
    batch: Batch | None = None
    values: Values = field(default_factory=dict)


def gathered(pieces: Sequence[Piece], returning: tuple[str, ...] = ()) -> tuple[str, list[Any]]:
    """One statement for pieces that each have a table of their own, and its parameters; `returning`: columns
    of the last one's rows that are given back. Else it gives one row: the counts that are to be told.
    """
    sql, converts = _gathered(tuple(piece.part for piece in pieces), returning)
    given: list[Any] = []
    for piece, of_piece in zip(pieces, converts, strict=True):
        part, batch = piece.part, piece.batch
        if batch is not None:
            given += converted(_last_of_each(batch) if part.present == "replace" else batch, of_piece)
        if (statement := part.change if part.block is None else part.block) is not None:
            given += written(statement).values(piece.values, part.table.name)
        if part.counted and batch is not None:
            given.append(len(batch.rows))
    return sql, given


def _last_of_each(batch: Batch) -> Batch:
    """One statement cannot replace a row twice: the last of each key stands, as if they came singly."""
    places = [batch.names.index(key) for key in batch.keys]
    last = {tuple(row[place] for place in places): row for row in batch.rows}
    return batch if len(last) == len(batch.rows) else Batch(batch.table, batch.names, list(last.values()))


@lru_cache(maxsize=256)
def _gathered(
    parts: tuple[Part, ...], returning: tuple[str, ...]
) -> tuple[str, tuple[tuple[Convert, ...], ...]]:
    named: list[tuple[str, str]] = []
    converts, counts, first = [], [], 1
    for at, part in enumerate(parts):
        converts.append(tuple(binder(DIALECT, part.table.c[name].type) for name in part.names))
        if part.change is not None:
            sql, first = _moved(part.change, first)
        elif part.block is not None:
            arrays, first = first, first + len(part.names)
            block, first = _moved(part.block, first)
            named.append((f"n{at}(behind)", block))
            sql, first = _numbered(part, arrays, f"n{at}", first), first + 1
        else:
            sql, first = _inserted(part, first), first + len(part.names)
        if part.told:
            sql += " RETURNING 1"
            counts.append(f"(SELECT count(*) FROM w{at})")  # noqa: S608 - a name of this function
        named.append((f"w{at}", sql))
    last = f"SELECT {', '.join(counts)}" if counts else named.pop()[1]
    if returning:
        last += " RETURNING " + ", ".join(map(quote, returning))
    withs = ", ".join(f"{name} AS ({sql})" for name, sql in named)
    return (f"WITH {withs} {last}" if withs else last), tuple(converts)


def _moved(statement: Executable, first: int) -> tuple[str, int]:
    """A statement whose parameters begin at that number; the next one."""
    sql = written(statement)
    text = _MARK.sub(lambda mark: f"${int(mark[1]) + first - 1}", sql.text)
    return text, first + len(sql.marks)


def _arrays(part: Part, first: int) -> str:
    types = DIALECT.type_compiler_instance
    columns = part.table.c
    return ", ".join(
        f"${at}::{types.process(ARRAY(columns[name].type))}" for at, name in enumerate(part.names, first)
    )


def _numbered(part: Part, arrays: int, behind: str, last: int) -> str:
    """Rows in their order, numbered from the first of as many numbers as there are rows."""
    columns = ", ".join(map(quote, (*part.names, part.counted)))
    given = ", ".join(f"u.{quote(name)}" for name in part.names)
    names = ", ".join(map(quote, (*part.names, "nth")))
    return (
        f"INSERT INTO {quote(part.table.name)} ({columns})"  # noqa: S608 - names of our own columns
        f" SELECT {given}, {behind}.behind - ${last}::BIGINT + u.nth - 1"
        f" FROM {behind}, unnest({_arrays(part, arrays)}) WITH ORDINALITY AS u({names})"
    )


def _inserted(part: Part, first: int) -> str:
    columns, present, name = ", ".join(map(quote, part.names)), part.present, quote(part.table.name)
    sql = f"INSERT INTO {name} ({columns}) SELECT * FROM unnest({_arrays(part, first)})"  # noqa: S608 - the same
    keys = [column.name for column in part.table.primary_key]
    if present == "skip":
        return sql + " ON CONFLICT DO NOTHING"
    if present == "fail":
        return sql
    if isinstance(present, Merge):
        changed = present.changed
    else:
        changed = tuple((n, f"excluded.{quote(n)}") for n in part.names if n not in keys)
    changes = ", ".join(f"{quote(column)} = {to}" for column, to in changed)
    sql += f" ON CONFLICT ({', '.join(map(quote, keys))}) DO UPDATE SET {changes}"
    return sql + f" WHERE {name}.{quote('recovered')}" if present == "mend" else sql


def quote(name: str) -> str:
    """A name of ours as SQL."""
    return f'"{name}"'
