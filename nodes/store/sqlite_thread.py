"""A SQLite connection and the thread in which it waits: the link of the transaction that uses it just now.

Knows threads, pragmas and SQLite's error codes. Must not know a table. What may wait (the disk at a commit,
another process's lock, a query that reads much) is done in the thread. A statement that reads or writes a few
rows of a file in the page cache is over sooner than a thread is woken, so it is run where it is asked for;
its lock never waits there: when the file is busy, the rest goes to the thread. What gives no answer (begin,
insert) is done with the next statement that does: its error is raised there, at the latest by the commit.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar, cast

from sqlalchemy import Executable
from sqlalchemy.exc import DBAPIError

from nodes.store.errors import (
    CommitUnknown,
    DataRejected,
    Retryable,
    SchemaMismatch,
    StoreError,
    StoreUnavailable,
)
from nodes.store.session import (
    Batch,
    ChangesOne,
    Otherwise,
    Present,
    Rows,
    Series,
    Values,
    table_of,
)
from nodes.store.sqlite_sql import inserted, written

WRITER_KIB: Final = 4000
READER_KIB: Final = 1000
"""A reader forgets all its pages whenever somebody has written meanwhile, so it gains nothing from many."""

T = TypeVar("T")
Job = Callable[[sqlite3.Connection], Any]
Jobs: TypeAlias = deque[tuple[Job, str]]
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
_FAULTS: Final = (sqlite3.Error, OverflowError)


def connect(path: Path, busy_timeout_s: float, *, cache_kib: int = WRITER_KIB) -> sqlite3.Connection:
    """A connection with the pragmas that the promises rest on. Raises sqlite3.Error.

    cache_kib: pages that it keeps at most. What it does not keep is in the system's cache, shared by all.
    """
    connection = sqlite3.connect(
        path, timeout=busy_timeout_s, isolation_level=None,
        cached_statements=512,
        check_same_thread=False,  # used by two threads in turn: whoever awaits a hop does nothing meanwhile
    )  # fmt: skip
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"cache_size=-{cache_kib}",
        "temp_store=MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def translate(error: BaseException, table: str = "") -> StoreError | None:
    """SQLite's complaint in the words of the store; None for a fault of the program."""
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
        self._busy_timeout_ms = int(busy_timeout_s * 1000)
        self._connect: Callable[[], sqlite3.Connection] = lambda: connect(
            path, busy_timeout_s, cache_kib=WRITER_KIB if writes else READER_KIB
        )
        self._begin = "BEGIN IMMEDIATE" if writes else "BEGIN"
        self._connection: sqlite3.Connection | None = None
        self._durable = True
        self._aside = False
        self._waiting: Jobs = deque()
        self._hop: Future[Any] | None = None
        """What the thread was given last."""
        self._patience_ms = self._busy_timeout_ms

    def begin(self, *, durable: bool, aside: bool = False) -> None:
        """Begins with the first statement; that raises Retryable while another process has the write lock.

        aside: every statement is run in the thread: for what reads much.
        """

        def job(connection: sqlite3.Connection) -> None:
            if durable != self._durable:
                connection.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
                self._durable = durable
            connection.execute(self._begin)

        self._waiting = deque([(job, "")])
        self._aside = aside

    async def commit(self) -> None:
        """Commits. Raises CommitUnknown when the disk failed midway, and what waiting inserts raise."""

        def job(connection: sqlite3.Connection) -> None:
            try:
                connection.execute("COMMIT")
            except sqlite3.Error as error:
                if _code(error) == sqlite3.SQLITE_IOERR:
                    raise CommitUnknown("the disk failed while committing") from error
                raise

        if self._waiting:
            await self._do(lambda _: None)
        await self._in_thread(deque([(job, "")]))

    async def rollback(self) -> None:
        """Rolls back, also when the caller is cancelled meanwhile: the job is queued before anything else."""
        self._waiting.clear()
        with contextlib.suppress(StoreError):
            await asyncio.shield(self._in_thread(deque([(_roll_back, "")])))

    def end(self) -> None:
        """Ends a transaction that has only read, without waiting for it."""
        self._waiting = deque([(_roll_back, "")])
        if self._threads_turn():
            self._hop = self._executor.submit(self._work_patiently, self._waiting)
        else:
            self._work(self._waiting)

    async def close(self) -> None:
        """Closes the connection and ends the thread."""

        def job() -> None:
            if self._connection is not None:
                self._connection.close()

        with contextlib.suppress(sqlite3.Error):
            await asyncio.get_running_loop().run_in_executor(self._executor, job)
        self._executor.shutdown(wait=False)

    async def fetch(self, statement: Executable, values: Values | None = None) -> Rows:
        """See `Link.fetch`."""
        table = table_of(statement)

        def job(connection: sqlite3.Connection) -> Rows:
            sql = written(statement)
            return sql.rows(connection.execute(sql.text, sql.values(values or {}, table)).fetchall())

        return await self._do(job, table)

    async def run(self, statement: Executable, values: Values | None = None) -> int:
        """See `Link.run`."""
        table = table_of(statement)

        def job(connection: sqlite3.Connection) -> int:
            sql = written(statement)
            return connection.execute(sql.text, sql.values(values or {}, table)).rowcount

        return await self._do(job, table)

    async def run_many(self, statement: Executable, rows: Sequence[Values]) -> None:
        """See `Link.run_many`."""
        table = table_of(statement)

        def job(connection: sqlite3.Connection) -> None:
            sql = written(statement)
            connection.executemany(sql.text, [sql.values(row, table) for row in rows])

        if rows:
            self._waiting.append((job, table))

    async def run_later(self, statement: ChangesOne, values: Values | None = None) -> None:
        """See `Link.run_later`."""
        await self.run_many(statement, [values or {}])

    async def insert(self, batch: Batch, present: Present = "fail") -> None:
        """See `Link.insert`."""
        if batch.rows:
            self._waiting.append((lambda c: c.executemany(*inserted(batch, present)), batch.table.name))

    async def insert_new(self, batch: Batch) -> set[tuple[Any, ...]]:
        """See `Link.insert_new`. One by one, all in one hop: only so SQLite says which rows were new."""
        if not batch.rows:
            return set()
        places = [batch.names.index(key) for key in batch.keys]

        def job(connection: sqlite3.Connection) -> set[tuple[Any, ...]]:
            cursor = connection.cursor()
            sql, rows = inserted(batch, "skip")
            return {
                tuple(given[place] for place in places)
                for given, row in zip(batch.rows, rows, strict=True)
                if cursor.execute(sql, row).rowcount
            }

        return await self._do(job, batch.table.name)

    async def insert_all(self, batch: Batch, otherwise: Otherwise, *, counted: Series | None = None) -> None:
        """See `Link.insert_all`."""
        if not batch.rows:
            return
        if counted is None:
            if len(await self.insert_new(batch)) < len(batch.rows):
                await otherwise()
        elif behind := await self.fetch(counted.block, counted.values):
            first = behind[0][0] - len(batch.rows)
            rows = [(*row, number) for number, row in enumerate(batch.rows, first)]
            await self.insert(Batch(batch.table, (*batch.names, counted.column), rows))
        else:
            await otherwise()

    async def _do(self, job: Callable[[sqlite3.Connection], T], table: str = "") -> T:
        """Here, or in the thread where it might wait; with what has been waiting for it."""
        jobs, self._waiting = self._waiting, deque()
        jobs.append((job, table))
        if not self._threads_turn():
            try:
                return cast("T", self._work(jobs))
            except Retryable:  # somebody has the lock: nothing of the job at the head was done
                pass
        return cast("T", await self._in_thread(jobs))

    async def _in_thread(self, jobs: Jobs) -> Any:
        self._hop = self._executor.submit(self._work_patiently, jobs)
        return await asyncio.wrap_future(self._hop)

    def _threads_turn(self) -> bool:
        """Whether the thread must do it. A job whose caller was cancelled may still have the connection."""
        return self._aside or self._connection is None or not (self._hop is None or self._hop.done())

    def _work_patiently(self, jobs: Jobs) -> Any:
        """As `_work`, waiting for a lock of another process."""
        try:
            if self._connection is not None:
                self._be_patient(self._busy_timeout_ms)
            return self._work(jobs)
        finally:
            if self._connection is not None:
                self._be_patient(0)

    def _be_patient(self, milliseconds: int) -> None:
        if self._connection is not None and self._patience_ms != milliseconds:
            self._connection.execute(f"PRAGMA busy_timeout={milliseconds}")
            self._patience_ms = milliseconds

    def _work(self, jobs: Jobs) -> Any:
        """Runs jobs; the answer of the last. Takes each off when it is done."""
        answer: Any = None
        while jobs:
            job, table = jobs[0]
            try:
                if self._connection is None:
                    self._connection = self._connect()
                answer = job(self._connection)
            except _FAULTS as error:
                known = translate(error, table)
                if known is None:
                    raise
                raise known from error
            jobs.popleft()
        return answer


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK")
