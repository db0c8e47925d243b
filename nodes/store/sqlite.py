"""SQLite under the store: one thread that writes, a few that read, statements hop to them.

Knows threads, pragmas and SQLite's error codes. Must not know a table. Why it is safe: a connection is used
by its own thread alone; WAL lets readers keep their snapshot beside the one writer; BEGIN IMMEDIATE takes the
file's write lock at once, so that another process on the same file waits (up to the busy time-out) instead of
failing half-way; synchronous=FULL makes a commit return only once the disk has it."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar

from sqlalchemy import Connection, Executable, Table, create_engine, event
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
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
from nodes.store.session import Link, Present, Rows, Values

T = TypeVar("T")
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


def translate(error: Exception, table: str = "") -> StoreError | None:
    """SQLite's complaint in the words of the store; None for a fault of the program."""
    found = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(error, StatementError) and isinstance(error.orig, (ValueError, OverflowError, TypeError)):
        return DataRejected(table, "", str(error.orig))
    if isinstance(found, OverflowError):
        return DataRejected(table, "", "beyond 64 bits")
    code = getattr(found, "sqlite_errorcode", None)
    if code is None:
        return None
    primary = code & 0xFF
    if primary in _BUSY:
        return Retryable("another process holds the database's write lock")
    if primary in _DATA:
        return DataRejected(table, "", str(found).splitlines()[0])
    if primary in _GONE:
        return StoreUnavailable(f"the database file cannot be used: {found}")
    if primary == sqlite3.SQLITE_ERROR and "no such" in str(found):
        return SchemaMismatch(f"the database lacks something: {found}; run `tongban migrate`")
    return None


class SqliteThread:
    """A thread and the connection that belongs to it. It is the link of the transaction that uses it at the
    moment."""

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

    async def _hop(self, job: Callable[[Connection], T], table: str = "") -> T:
        def run() -> T:
            if self._connection is None:
                self._connection = self._engine.connect()
            return job(self._connection)

        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, run)
        except (StatementError, sqlite3.Error, OverflowError) as error:
            known = translate(error, table)
            if known is None:
                raise
            raise known from error

    async def begin(self, *, durable: bool) -> None:
        """Begins. Raises Retryable when another process keeps the write lock, StoreUnavailable."""

        def job(connection: Connection) -> None:
            if durable != self._durable:
                connection.exec_driver_sql(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
                connection.rollback()
                self._durable = durable
            connection.begin()

        await self._hop(job)

    async def commit(self) -> None:
        """Commits. Raises CommitUnknown when the disk failed in the middle of it, else Retryable,
        StoreUnavailable."""
        try:
            await self._hop(lambda connection: connection.commit())
        except StoreUnavailable as error:
            cause = getattr(error.__cause__, "orig", error.__cause__)
            if getattr(cause, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_IOERR:
                raise CommitUnknown("the disk failed while committing") from error
            raise

    async def rollback(self) -> None:
        """Rolls back, also when the caller is cancelled meanwhile: the job is queued before anything else."""
        with contextlib.suppress(StoreError):
            await asyncio.shield(self._hop(lambda connection: connection.rollback()))

    async def close(self) -> None:
        """Ends what it started."""

        def job() -> None:
            if self._connection is not None:
                self._connection.close()
            self._engine.dispose()

        with contextlib.suppress(sqlite3.Error, DBAPIError):
            await asyncio.get_running_loop().run_in_executor(self._executor, job)
        self._executor.shutdown(wait=False)

    async def fetch(self, statement: Executable, values: Values | None = None) -> Rows:
        """All rows of the answer."""
        return await self._hop(
            lambda c: c.execute(statement, dict(values or {})).fetchall(), _name(statement)
        )

    async def run(self, statement: Executable, values: Values | None = None) -> int:
        """How many rows the statement changed."""
        return await self._hop(lambda c: c.execute(statement, dict(values or {})).rowcount, _name(statement))

    async def run_many(self, statement: Executable, rows: Sequence[Values]) -> None:
        """The statement once for each of `rows`."""
        if rows:
            await self._hop(lambda c: c.execute(statement, rows).close(), _name(statement))

    async def insert(
        self,
        table: Table,
        rows: Sequence[Values],
        *,
        present: Present = "fail",
        returning: Sequence[str] = (),
    ) -> Rows:
        """See `Link.insert`."""
        if not rows:
            return ()
        statement = sqlite_insert(table)
        if present == "skip":
            statement = statement.on_conflict_do_nothing()
        elif present == "replace":
            keys = [column.name for column in table.primary_key]
            changed = {name: statement.excluded[name] for name in rows[0] if name not in keys}
            statement = statement.on_conflict_do_update(index_elements=keys, set_=changed)
        if returning:
            asked = statement.returning(*(table.c[name] for name in returning))
            return await self._hop(lambda c: c.execute(asked, rows).fetchall(), table.name)
        await self._hop(lambda c: c.execute(statement, rows).close(), table.name)
        return ()


def _name(statement: Executable) -> str:
    return str(getattr(getattr(statement, "table", None), "name", ""))


class SqliteEngine:
    """All threads of one database file. Belongs to the event loop that uses it first."""

    def __init__(self, path: Path, *, timeout_s: float, readers: int) -> None:
        self._timeout_s = timeout_s
        self._writer = SqliteThread(path, timeout_s, writes=True)
        self._turn = asyncio.Lock()
        self._all_readers = [SqliteThread(path, timeout_s, writes=False) for _ in range(readers)]
        self._readers: asyncio.LifoQueue[SqliteThread] = asyncio.LifoQueue()
        for reader in self._all_readers:
            self._readers.put_nowait(reader)

    @contextlib.asynccontextmanager
    async def writing(self, *, durable: bool) -> AsyncIterator[Link]:
        """A transaction that writes."""
        async with self._turn, _transaction(self._writer, durable=durable) as link:
            yield link

    @contextlib.asynccontextmanager
    async def reading(self) -> AsyncIterator[Link]:
        """A snapshot."""
        try:
            reader = await asyncio.wait_for(self._readers.get(), self._timeout_s)
        except TimeoutError:
            raise StoreUnavailable(
                f"no reader of the database became free within {self._timeout_s} s"
            ) from None
        try:
            async with _transaction(reader, durable=True) as link:
                yield link
        finally:
            self._readers.put_nowait(reader)

    async def close(self) -> None:
        """Ends what it started."""
        async with self._turn:
            for thread in (*self._all_readers, self._writer):
                await thread.close()


@contextlib.asynccontextmanager
async def _transaction(thread: SqliteThread, *, durable: bool) -> AsyncIterator[Link]:
    try:
        await thread.begin(durable=durable)
        yield thread
        await thread.commit()
    except BaseException:
        await thread.rollback()
        raise
