"""Statements and batches on SQLite.

Knows the dialect. Must not know a table, a connection or a thread.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Dialect, Table
from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect

from nodes.store.session import Batch, Merge, Present
from nodes.store.written import Convert, binder, converted, writer

_DIALECT: Final[Dialect] = sqlite_dialect(paramstyle="qmark")
written: Final = writer(_DIALECT)


def inserted(batch: Batch, present: Present) -> tuple[str, list[tuple[Any, ...]]]:
    """The SQL of a batch, and its rows as the driver takes them."""
    sql, converts = _insert(batch.table, batch.names, batch.keys, present)
    return sql, list(zip(*converted(batch, converts), strict=True))


@lru_cache(maxsize=256)
def _insert(
    table: Table, names: tuple[str, ...], keys: tuple[str, ...], present: Present
) -> tuple[str, tuple[Convert, ...]]:
    columns = ", ".join(f'"{name}"' for name in names)
    marks = ", ".join("?" * len(names))
    sql = f'INSERT INTO "{table.name}" ({columns}) VALUES ({marks})'  # noqa: S608 - names of our own columns
    if present == "skip":
        sql += " ON CONFLICT DO NOTHING"
    elif present != "fail":
        if isinstance(present, Merge):
            changed = present.changed
        else:
            changed = tuple((name, f'excluded."{name}"') for name in names if name not in keys)
        changes = ", ".join(f'"{name}" = {to}' for name, to in changed)
        sql += f" ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {changes}"
        if present == "mend":
            sql += f' WHERE "{table.name}"."recovered"'
    return sql, tuple(binder(_DIALECT, table.c[name].type) for name in names)
