"""Statements and batches on PostgreSQL.

Knows the dialect. Must not know a table or a connection. A batch travels as arrays (unnest), so that its
statement is one however many rows it has; batches that give no answer travel together, each a WITH of the
last: one way there and back instead of several.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, TypeAlias

from sqlalchemy import Dialect, Table
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect

from nodes.store.session import Batch, Present
from nodes.store.written import Convert, binder, converted, writer

DIALECT: Final[Dialect] = asyncpg_dialect()  # type: ignore[no-untyped-call]  # the library's own
written: Final = writer(DIALECT)
Waiting: TypeAlias = Sequence[tuple[Batch, Present]]
_Part: TypeAlias = tuple[Table, tuple[str, ...], Present]


def inserted(waiting: Waiting, returning: tuple[str, ...] = ()) -> tuple[str, list[Sequence[Any]]]:
    """One statement for batches that have rows, each of another table, and its arrays; `returning`: columns
    of the last batch's rows that are given back.
    """
    sql, converts = _insert(tuple((b.table, b.names, present) for b, present in waiting), returning)
    arrays: list[Sequence[Any]] = []
    for (batch, present), of_batch in zip(waiting, converts, strict=True):
        arrays += converted(_last_of_each(batch) if present == "replace" else batch, of_batch)
    return sql, arrays


def _last_of_each(batch: Batch) -> Batch:
    """One statement cannot replace a row twice: the last of each key stands, as if they came singly."""
    places = [batch.names.index(key) for key in batch.keys]
    last = {tuple(row[place] for place in places): row for row in batch.rows}
    return batch if len(last) == len(batch.rows) else Batch(batch.table, batch.names, list(last.values()))


@lru_cache(maxsize=256)
def _insert(
    parts: tuple[_Part, ...], returning: tuple[str, ...]
) -> tuple[str, tuple[tuple[Convert, ...], ...]]:
    statements, converts, first = [], [], 1
    for table, names, present in parts:
        statements.append(_one(table, names, present, first))
        converts.append(tuple(binder(DIALECT, table.c[name].type) for name in names))
        first += len(names)
    *others, last = statements
    if returning:
        last += " RETURNING " + ", ".join(map(quote, returning))
    withs = ", ".join(f"w{at} AS ({statement})" for at, statement in enumerate(others))
    return (f"WITH {withs} {last}" if withs else last), tuple(converts)


def _one(table: Table, names: tuple[str, ...], present: Present, first: int) -> str:
    columns = ", ".join(map(quote, names))
    types = DIALECT.type_compiler_instance
    arrays = ", ".join(
        f"${at}::{types.process(ARRAY(table.c[name].type))}" for at, name in enumerate(names, first)
    )
    sql = f"INSERT INTO {quote(table.name)} ({columns}) SELECT * FROM unnest({arrays})"  # noqa: S608 - names of our own columns
    if present == "skip":
        sql += " ON CONFLICT DO NOTHING"
    elif present in ("replace", "mend"):
        keys = [quote(column.name) for column in table.primary_key]
        changed = ", ".join(f"{name} = excluded.{name}" for name in map(quote, names) if name not in keys)
        sql += f" ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {changed}"
        if present == "mend":
            sql += f" WHERE {quote(table.name)}.{quote('recovered')}"
    return sql


def quote(name: str) -> str:
    """A name of ours as SQL."""
    return f'"{name}"'
