"""A thread and the SQLite connection that belongs to it: the link of the transaction that uses it just now.

Knows threads, pragmas and SQLite's error codes. Must not know a table. A hop to the thread costs more than
most statements, so what gives no answer (begin, insert) waits for the next hop that does: its error is raised
there, at the latest by the commit.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, TypeVar, cast

from sqlalchemy import Boolean, Connection, Dialect, Executable, LargeBinary, Table, create_engine, event
from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect
from sqlalchemy.exc import DBAPIError, StatementError
from sqlalchemy.pool import NullPool

from nodes.store.errors import (
    CommitUnknown,
    DataRejected,
    Retryable,
    SchemaMismatch,
    StoreError,
    StoreUnavailable,
)
from nodes.store.session import Batch, Present, Rows, Values, table_of

T = TypeVar("T")
Job = Callable[[Connection], Any]
_DIALECT: Final[Dialect] = sqlite_dialect()
_BUSY: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_DATA: Final = frozenset({sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_MISMATCH})
_GONE: Final = frozenset(
    {
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_AUTH,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_NOMEM,
    }
)
_FAULTS: Final = (StatementError, sqlite3.Error, OverflowError)


def connect(path: Path, busy_timeout_s: float) -> sqlite3.Connection:
    """A connection with the pragmas that the promises rest on. Raises sqlite3.Error."""
    connection = sqlite3.connect(path, timeout=busy_timeout_s, isolation_level=None)
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "cache_size=-16000",
        "temp_store=MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def translate(error: BaseException, table: str = "") -> StoreError | None:
    """SQLite's complaint in the words of the store; None for a fault of the program."""
    if isinstance(error, StatementError) and isinstance(error.orig, (ValueError, OverflowError, TypeError)):
        return DataRejected(table, "", str(error.orig))
    if isinstance(error, OverflowError):
        return DataRejected(table, "", "beyond 64 bits")
    found = error.orig if isinstance(error, DBAPIError) else error
    code = _code(error)
    if code in _BUSY:
        return Retryable("another process holds the database's write lock")
    if code in _DATA:
        return DataRejected(table, "", str(found).splitlines()[0])
    if code in _GONE:
        return StoreUnavailable(f"the database file cannot be used: {found}")
    if code == sqlite3.SQLITE_ERROR and "no such" in str(found):
        return SchemaMismatch(f"the database lacks something: {found}; run `tongban migrate`")
    return None


def _code(error: BaseException) -> int | None:
    found = error.orig if isinstance(error, DBAPIError) else error
    code: int | None = getattr(found, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


class SqliteThread:
    """See the module. One transaction at a time: who uses it waits for a turn elsewhere."""

    def __init__(self, path: Path, busy_timeout_s: float, *, writes: bool) -> None:
        name = "store-writer" if writes else "store-reader"
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._engine = create_engine(
            "sqlite+pysqlite://", creator=lambda: connect(path, busy_timeout_s), poolclass=NullPool
        )
        begin = "BEGIN IMMEDIATE" if writes else "BEGIN"
        event.listen(self._engine, "begin", lambda connection: connection.exec_driver_sql(begin))
        self._connection: Connection | None = None
        self._durable = True
        self._waiting: list[tuple[Job, str]] = []

    def begin(self, *, durable: bool) -> None:
        """Begins with the first statement; that raises Retryable while another process has the write lock."""

        def job(connection: Connection) -> None:
            if durable != self._durable:
                driver = cast("sqlite3.Connection", connection.connection.driver_connection)
                driver.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
                self._durable = durable
            connection.begin()

        self._waiting = [(job, "")]

    async def commit(self) -> None:
        """Commits. Raises CommitUnknown when the disk failed midway, and what waiting inserts raise."""

        def job(connection: Connection) -> None:
            try:
                connection.commit()
            except DBAPIError as error:
                if _code(error) == sqlite3.SQLITE_IOERR:
                    raise CommitUnknown("the disk failed while committing") from error
                raise

        await self._hop(job)

    async def rollback(self) -> None:
        """Rolls back, also when the caller is cancelled meanwhile: the job is queued before anything else."""
        self._waiting = []
        with contextlib.suppress(StoreError):
            await asyncio.shield(self._hop(lambda connection: connection.rollback()))

    def end(self) -> None:
        """Ends a transaction that has only read, without waiting: the next one queues behind it."""
        self._waiting = []
        self._executor.submit(self._work, [(lambda connection: connection.rollback(), "")])

    async def close(self) -> None:
        """Closes the connection and ends the thread."""

        def job() -> None:
            if self._connection is not None:
                self._connection.close()
            self._engine.dispose()

        with contextlib.suppress(sqlite3.Error, DBAPIError):
            await asyncio.get_running_loop().run_in_executor(self._executor, job)
        self._executor.shutdown(wait=False)

    async def fetch(self, statement: Executable, values: Values | None = None) -> Rows:
        """See `Link.fetch`."""
        given = dict(values or {})
        return await self._hop(lambda c: c.execute(statement, given).fetchall(), table_of(statement))

    async def run(self, statement: Executable, values: Values | None = None) -> int:
        """See `Link.run`."""
        given = dict(values or {})
        return await self._hop(lambda c: c.execute(statement, given).rowcount, table_of(statement))

    async def run_many(self, statement: Executable, rows: Sequence[Values]) -> None:
        """See `Link.run_many`."""
        if rows:
            self._waiting.append((lambda c: c.execute(statement, rows).close(), table_of(statement)))

    async def insert(self, batch: Batch, present: Present = "fail") -> None:
        """See `Link.insert`."""
        if batch.rows:
            job = lambda c: _cursor(c).executemany(*_written(batch, present))  # noqa: E731
            self._waiting.append((job, batch.table.name))

    async def insert_new(self, batch: Batch) -> set[tuple[Any, ...]]:
        """See `Link.insert_new`. One by one, all in one hop: only so SQLite says which rows were new."""
        if not batch.rows:
            return set()
        places = [batch.names.index(key) for key in batch.keys]

        def job(connection: Connection) -> set[tuple[Any, ...]]:
            cursor = _cursor(connection)
            sql, rows = _written(batch, "skip")
            return {
                tuple(given[place] for place in places)
                for given, row in zip(batch.rows, rows, strict=True)
                if cursor.execute(sql, row).rowcount
            }

        return await self._hop(job, batch.table.name)

    async def _hop(self, job: Callable[[Connection], T], table: str = "") -> T:
        jobs = [*self._waiting, (job, table)]
        self._waiting = []
        return cast("T", await asyncio.get_running_loop().run_in_executor(self._executor, self._work, jobs))

    def _work(self, jobs: Sequence[tuple[Job, str]]) -> Any:
        """Runs jobs on the thread; the answer of the last."""
        answer: Any = None
        for job, table in jobs:
            try:
                if self._connection is None:
                    self._connection = self._engine.connect()
                answer = job(self._connection)
            except _FAULTS as error:
                known = translate(error, table)
                if known is None:
                    raise
                raise known from error
        return answer


def _cursor(connection: Connection) -> sqlite3.Cursor:
    """The driver's own cursor: a batch needs nothing between it and the driver but its conversions."""
    return cast("sqlite3.Cursor", connection.connection.cursor())


@lru_cache(maxsize=256)
def _statement(
    table: Table, names: tuple[str, ...], keys: tuple[str, ...], present: Present
) -> tuple[str, tuple[Callable[[Any], Any] | None, ...]]:
    """The SQL of a batch, and how each column's values are converted for the driver."""
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
    kinds = [table.c[name].type.dialect_impl(_DIALECT) for name in names]
    plain = (Boolean, LargeBinary)  # the driver takes bool and bytes as they are
    return sql, tuple(None if isinstance(kind, plain) else kind.bind_processor(_DIALECT) for kind in kinds)


def _written(batch: Batch, present: Present) -> tuple[str, list[tuple[Any, ...]]]:
    sql, converts = _statement(batch.table, batch.names, batch.keys, present)
    columns = [
        column if convert is None else [convert(value) for value in column]
        for convert, column in zip(converts, zip(*batch.rows, strict=True), strict=True)
    ]
    return sql, list(zip(*columns, strict=True))
