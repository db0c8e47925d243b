"""PostgreSQL under the store: asyncpg and its pool, every wait bounded.

Knows connections, time-outs and SQLSTATEs. Must not know a table. Writes are READ COMMITTED with row locks
taken in key order; reads are REPEATABLE READ, read only. What gives no answer is not waited for: a begin of a
write is on its way while the first statement is made; an insert is sent with the next insert that gives an
answer, before the next statement that may see it, or before the commit. Their errors are raised there.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Final, TypeAlias, TypeVar

import asyncpg
from sqlalchemy import Executable
from sqlalchemy.engine import make_url

from nodes.store.arrays import plain_lists
from nodes.store.errors import (
    CommitUnknown,
    DataRejected,
    Retryable,
    SchemaMismatch,
    StoreError,
    StoreUnavailable,
)
from nodes.store.postgres_sql import Part, Piece, gathered, written
from nodes.store.session import (
    Batch,
    ChangesOne,
    Link,
    Otherwise,
    Present,
    Rows,
    Series,
    Values,
    printable,
    table,
    table_of,
)

T = TypeVar("T")
_RETRY: Final = frozenset({"40001", "40P01", "55P03", "57014", "25P03"})
_SCHEMA: Final = frozenset({"42P01", "42703", "42P02", "3F000"})
_KEY: Final = re.compile(r"\)=\((.*)\) ", re.DOTALL)
_GIVEN: Final = (asyncpg.DataError, ValueError, OverflowError, TypeError)
TRANSPORT: Final = (OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.InternalClientError)
_FAULTS: Final = (asyncpg.PostgresError, ValueError, OverflowError, TypeError, *TRANSPORT)
_WRITE: Final = "BEGIN"
_WRITE_SOON: Final = "BEGIN; SET LOCAL synchronous_commit TO off"
_READ: Final = "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
_CLOSE_WITHIN_S: Final = 5.0

Connection: TypeAlias = "asyncpg.pool.PoolConnectionProxy[Any]"


def translate(error: BaseException, table: str = "") -> StoreError | None:
    """PostgreSQL's complaint in the words of the store; None for a fault of the program."""
    if isinstance(error, _GIVEN) and not hasattr(error, "sqlstate"):
        return DataRejected(table, "", str(error).splitlines()[0][:200] if str(error) else "")
    if isinstance(error, TRANSPORT):
        return StoreUnavailable(f"the database cannot be reached: {type(error).__name__} {error}".rstrip())
    state = getattr(error, "sqlstate", None) or ""
    if state in _RETRY:
        return Retryable(f"rolled back by the database: SQLSTATE {state}")
    if state[:2] in ("22", "23"):
        key = _KEY.search(getattr(error, "detail", None) or "")
        reason = getattr(error, "constraint_name", None) or str(error).splitlines()[0][:200]
        return DataRejected(
            getattr(error, "table_name", None) or table, printable(key[1] if key else ""), reason
        )
    if state in _SCHEMA:
        return SchemaMismatch(f"the database lacks something: {error}; run `tongban migrate`")
    if state[:2] in ("08", "53", "57", "58", "25", "28", "3D"):
        return StoreUnavailable(f"the database cannot be used: {type(error).__name__} {state}")
    return None


def _server_said_no(error: BaseException) -> bool:
    """Whether a failed COMMIT is known to have failed: the server answered with an error and went on
    living."""
    state = getattr(error, "sqlstate", None) or ""
    return bool(state) and state[:2] != "08" and not state.startswith("57P")


class PostgresLink:
    """One connection of the pool inside one transaction."""

    def __init__(self, connection: Connection, begun: asyncio.Task[Any] | None = None) -> None:
        """`begun`: the begin that is still on its way."""
        self._connection = connection
        self._begun = begun
        self._waiting: list[tuple[Piece, Otherwise | None]] = []

    async def _told(self, table: str, ask: Callable[..., Awaitable[T]], *given: Any) -> T:
        """The driver's answer, or its complaint in the words of the store. The pool may have taken a broken
        connection back, and then says so when it is asked, not when it is awaited.
        """
        try:
            await self.begun()
            return await ask(*given)
        except _FAULTS as error:
            known = translate(error, table)
            if known is None:
                raise
            if isinstance(known, StoreUnavailable):
                _drop(self._connection)
            raise known from error

    async def begun(self) -> None:
        """Once the transaction has begun. Raises what the driver says when it could not."""
        if self._begun is not None:
            begun, self._begun = self._begun, None
            await begun

    async def fetch(self, statement: Executable, values: Values | None = None) -> Rows:
        """All rows of the answer."""
        await self._settle()
        sql, table = written(statement), table_of(statement)
        found = await self._told(table, self._connection.fetch, sql.text, *sql.values(values or {}, table))
        return sql.rows(found)

    async def run(self, statement: Executable, values: Values | None = None) -> int:
        """How many rows the statement changed."""
        await self._settle()
        sql, table = written(statement), table_of(statement)
        done = await self._told(table, self._connection.execute, sql.text, *sql.values(values or {}, table))
        return int(done.rpartition(" ")[2])

    async def run_many(self, statement: Executable, rows: Sequence[Values]) -> None:
        """The statement once for each of `rows`."""
        if rows:
            sql, table = written(statement), table_of(statement)
            await self._make_way_for(table)
            given = [sql.values(row, table) for row in rows]
            await self._told(table, self._connection.executemany, sql.text, given)

    async def run_later(self, statement: ChangesOne, values: Values | None = None) -> None:
        """See `Link.run_later`."""
        await self._wait(Piece(Part(table(table_of(statement)), change=statement), values=values or {}))

    async def insert(self, batch: Batch, present: Present = "fail") -> None:
        """See `Link.insert`."""
        if batch.rows:
            await self._wait(Piece(Part(batch.table, batch.names, present), batch))

    async def insert_all(self, batch: Batch, otherwise: Otherwise, *, counted: Series | None = None) -> None:
        """See `Link.insert_all`."""
        if not batch.rows:
            return
        if counted is None:
            piece = Piece(Part(batch.table, batch.names, "skip", told=True), batch)
        else:
            part = Part(batch.table, batch.names, counted=counted.column, block=counted.block, told=True)
            piece = Piece(part, batch, counted.values)
        await self._wait(piece, otherwise)

    async def insert_new(self, batch: Batch) -> set[tuple[Any, ...]]:
        """See `Link.insert_new`."""
        if not batch.rows:
            return set()
        if any(otherwise for _, otherwise in self._waiting):
            await self._settle()
        await self._wait(Piece(Part(batch.table, batch.names, "skip"), batch))
        return {tuple(row) for row in await self._send(batch.keys)}

    async def _wait(self, piece: Piece, otherwise: Otherwise | None = None) -> None:
        """The parts of one statement do not see each other, so each has a table of its own."""
        await self._make_way_for(piece.part.table.name)
        self._waiting.append((piece, otherwise))

    async def _make_way_for(self, table: str) -> None:
        """Nothing that waits changes that table; "" for any."""
        if not table or any(other.part.table.name == table for other, _ in self._waiting):
            await self._settle()

    async def _settle(self) -> None:
        """Sends what waits, and does what is to be done when rows were not inserted."""
        while self._waiting:
            told = [
                (otherwise, len(piece.batch.rows))
                for piece, otherwise in self._waiting
                if otherwise is not None and piece.batch is not None
            ]
            found = await self._send()
            for (otherwise, expected), count in zip(told, found[0] if told else (), strict=True):
                if count != expected:
                    await otherwise()

    async def _send(self, returning: tuple[str, ...] = ()) -> Sequence[Any]:
        """What waits, as one statement; what it gives back."""
        pieces = [piece for piece, _ in self._waiting]
        self._waiting = []
        sql, given = gathered(pieces, returning)
        name = pieces[0].part.table.name if len(pieces) == 1 else ""
        return await self._told(name, self._connection.fetch, sql, *given)

    async def commit(self) -> None:
        """Commits. Raises CommitUnknown when the connection broke meanwhile, and what inserts that wait
        raise.
        """
        await self._settle()
        await self._told("", self.begun)
        try:
            done = await self._connection.execute("COMMIT;")
        except (asyncpg.PostgresError, *TRANSPORT) as error:
            if _server_said_no(error):
                raise translate(error) or StoreUnavailable(
                    f"not committed: {type(error).__name__}"
                ) from error
            _drop(self._connection)
            raise CommitUnknown("the connection broke while committing") from error
        if done != "COMMIT":  # what PostgreSQL answers after a statement that failed
            raise Retryable("rolled back by the database: a statement had failed before")

    async def roll_back(self) -> None:
        """Ends a transaction that failed, or the connection on which that cannot be done."""
        try:
            await self.begun()
            await self._connection.execute("ROLLBACK")
        except _FAULTS:
            _drop(self._connection)


class PostgresEngine:
    """The pool of one database: connects on first use. Belongs to the event loop that made it.

    `url`: libpq's form, so `?host=DIR` and `sslmode` work.
    """

    def __init__(self, url: str, *, timeout_s: float, pool_size: int) -> None:
        plain_lists()
        wait_ms = str(int(timeout_s * 1000))
        self._timeout_s = timeout_s
        self._opening = asyncio.Lock()
        self._is_open = False
        self._pool = asyncpg.create_pool(
            make_url(url).set(drivername="postgresql").render_as_string(hide_password=False),
            min_size=0,
            max_size=pool_size,
            timeout=timeout_s,
            command_timeout=timeout_s * 2,  # the server's own time-out speaks first
            statement_cache_size=500,
            reset=_nothing_to_reset,
            server_settings={
                "application_name": "tongban",
                "statement_timeout": wait_ms,
                "lock_timeout": wait_ms,
                "idle_in_transaction_session_timeout": str(int(timeout_s * 2000)),  # who sleeps with a lock
                "jit": "off",
                # A plan made while a table was empty may stay for minutes, and reads it whole ever after: all
                # that is asked for here has an index.
                "enable_seqscan": "off",
            },
        )

    @contextlib.asynccontextmanager
    async def writing(self, *, durable: bool) -> AsyncIterator[Link]:
        """A transaction that writes."""
        async with self._transaction(_WRITE if durable else _WRITE_SOON, at_once=False) as link:
            yield link

    @contextlib.asynccontextmanager
    async def reading(self, *, aside: bool = False, snapshot: bool = True) -> AsyncIterator[Link]:
        """A snapshot, or each statement by itself. `aside` changes nothing: every statement is awaited."""
        del aside
        async with self._transaction(_READ if snapshot else "") as link:
            yield link

    @contextlib.asynccontextmanager
    async def _transaction(self, begin: str, *, at_once: bool = True) -> AsyncIterator[PostgresLink]:
        """A transaction begun so; "" for none: each statement is one. `at_once`: it has begun on entry."""
        connection = await self._connected(begin if at_once else "")
        begun = None if at_once else asyncio.create_task(_begin(connection, begin))
        link = PostgresLink(connection, begun)
        try:
            yield link
            if begin:
                await link.commit()
        except BaseException as error:
            if isinstance(error, asyncio.CancelledError):
                _drop(connection)  # a statement may still be on its way
            if begin:
                await asyncio.shield(link.roll_back())
            raise
        finally:
            with contextlib.suppress(*_FAULTS):
                await asyncio.shield(self._pool.release(connection))

    async def _connected(self, begin: str) -> Connection:
        """A connection, on which a transaction has begun unless `begin` is "". Raises StoreUnavailable."""
        try:
            async with self._opening:
                if not self._is_open:
                    await self._pool
                    self._is_open = True
            connection = await self._pool.acquire(timeout=self._timeout_s)
            try:
                if begin:
                    await connection.execute(begin)
            except BaseException:
                _drop(connection)
                await asyncio.shield(self._pool.release(connection))
                raise
        except (asyncpg.PostgresError, *TRANSPORT) as error:
            raise StoreUnavailable(
                f"no connection to the database: {type(error).__name__} {error}".rstrip()
            ) from error
        return connection

    async def close(self) -> None:
        """Ends what it started."""
        try:
            async with asyncio.timeout(_CLOSE_WITHIN_S):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()


async def _nothing_to_reset(_connection: Any) -> None:
    """A transaction leaves nothing of itself in its session: its settings are LOCAL."""


async def _begin(connection: Connection, begin: str) -> None:
    await connection.execute(begin)


def _drop(connection: Connection) -> None:
    """Throws a broken connection away without waiting for it; the pool may have done so already."""
    with contextlib.suppress(asyncpg.InterfaceError):
        connection.terminate()
