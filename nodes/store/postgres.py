"""PostgreSQL under the store: asyncpg through a pool, every wait bounded.

Knows connections, time-outs and SQLSTATEs. Must not know a table. A batch travels as one statement whose
parameters are arrays (unnest): one round trip however many rows. Writes are READ COMMITTED with row locks
taken in key order; reads are REPEATABLE READ, read only."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Sequence
from functools import lru_cache
from typing import Any, Final

import asyncpg
from sqlalchemy import Executable, Table, TextClause, bindparam, event, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, DisconnectionError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from nodes.store.errors import (
    CommitUnknown,
    DataRejected,
    Retryable,
    SchemaMismatch,
    StoreError,
    StoreUnavailable,
)
from nodes.store.session import Batch, Link, Present, Rows, Values, printable, table_of

_RETRY: Final = frozenset({"40001", "40P01", "55P03", "57014", "25P03"})
_SCHEMA: Final = frozenset({"42P01", "42703", "42P02", "3F000"})
_KEY: Final = re.compile(r"\)=\((.*)\) ", re.DOTALL)
_TRANSPORT: Final = (OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.InternalClientError, PoolTimeout)


def open_engine(url: str, *, timeout_s: float, pool_size: int) -> AsyncEngine:
    """A pool of connections to `url` (libpq's form, so `?host=DIR` and `sslmode` work). Connects on first
    use."""
    dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    wait_ms = str(int(timeout_s * 1000))

    async def connection() -> asyncpg.Connection[Any]:
        return await asyncpg.connect(
            dsn,
            timeout=timeout_s,
            command_timeout=timeout_s * 2,  # the server's own time-out speaks first
            statement_cache_size=500,
            server_settings={
                "application_name": "tongban",
                "statement_timeout": wait_ms,
                "lock_timeout": wait_ms,
                "idle_in_transaction_session_timeout": str(int(timeout_s * 2000)),  # who sleeps with a lock
                "jit": "off",
            },
        )

    engine: AsyncEngine = create_async_engine(
        "postgresql+asyncpg://",
        creator=lambda: _adapted(engine, connection),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=timeout_s,
    )

    def drop_closed(dbapi_connection: Any, _record: Any, _proxy: Any) -> None:
        if dbapi_connection.driver_connection.is_closed():
            raise DisconnectionError

    event.listen(engine.sync_engine, "checkout", drop_closed)
    return engine


def _adapted(engine: AsyncEngine, connection: Any) -> Any:
    dbapi: Any = engine.sync_engine.dialect.dbapi
    return dbapi.connect(async_creator_fn=connection, prepared_statement_cache_size=500)


def translate(error: BaseException, table: str = "") -> StoreError | None:
    """PostgreSQL's complaint in the words of the store; None for a fault of the program."""
    if isinstance(error, _TRANSPORT):
        return StoreUnavailable(f"the database cannot be reached: {type(error).__name__} {error}".rstrip())
    if not isinstance(error, StatementError):
        return None
    found = getattr(error.orig, "__cause__", None) or error.orig
    if isinstance(found, (asyncpg.DataError, ValueError, OverflowError, TypeError)) and not hasattr(
        found, "sqlstate"
    ):
        return DataRejected(table, "", str(found).splitlines()[0][:200])
    state = getattr(found, "sqlstate", None) or ""
    if state in _RETRY:
        return Retryable(f"rolled back by the database: SQLSTATE {state}")
    if state[:2] in ("22", "23"):
        key = _KEY.search(getattr(found, "detail", None) or "")
        reason = getattr(found, "constraint_name", None) or str(found).splitlines()[0][:200]
        return DataRejected(
            getattr(found, "table_name", None) or table, printable(key[1] if key else ""), reason
        )
    if state in _SCHEMA:
        return SchemaMismatch(f"the database lacks something: {found}; run `tongban migrate`")
    if state[:2] in ("08", "53", "57", "58", "25", "28", "3D") or isinstance(found, _TRANSPORT):
        return StoreUnavailable(f"the database cannot be used: {type(found).__name__} {state}")
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return StoreUnavailable("the connection to the database broke")
    return None


def _server_said_no(error: BaseException) -> bool:
    """Whether a failed COMMIT is known to have failed: the server answered with an error and went on
    living."""
    state = getattr(getattr(error, "orig", None), "sqlstate", None) or getattr(error, "sqlstate", None) or ""
    return bool(state) and state[:2] != "08" and not state.startswith("57P")


def quote(name: str) -> str:
    """A name of ours as SQL."""
    return f'"{name}"'


@lru_cache(maxsize=256)
def _batch(table: Table, names: tuple[str, ...], present: Present, returning: tuple[str, ...]) -> TextClause:
    columns = ", ".join(quote(name) for name in names)
    arrays = ", ".join(f":{name}" for name in names)
    sql = f"INSERT INTO {quote(table.name)} ({columns}) SELECT * FROM unnest({arrays})"  # noqa: S608 - names of our own columns
    if present == "skip":
        sql += " ON CONFLICT DO NOTHING"
    elif present in ("replace", "mend"):
        keys = [quote(column.name) for column in table.primary_key]
        changed = ", ".join(f"{name} = excluded.{name}" for name in map(quote, names) if name not in keys)
        sql += f" ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {changed}"
        if present == "mend":
            sql += f" WHERE {quote(table.name)}.{quote('recovered')}"
    if returning:
        sql += " RETURNING " + ", ".join(quote(name) for name in returning)
    types = [bindparam(name, type_=postgresql.ARRAY(table.c[name].type)) for name in names]
    return text(sql).bindparams(*types)


class PostgresLink:
    """One connection of the pool inside one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def _do(self, statement: Executable, values: Any, table: str) -> Any:
        try:
            return await self._connection.execute(statement, values)
        except (StatementError, *_TRANSPORT) as error:
            known = translate(error, table)
            if known is None:
                raise
            if isinstance(known, StoreUnavailable):
                await _drop(self._connection)
            raise known from error

    async def fetch(self, statement: Executable, values: Values | None = None) -> Rows:
        """All rows of the answer."""
        found: Rows = (await self._do(statement, dict(values or {}), table_of(statement))).fetchall()
        return found

    async def run(self, statement: Executable, values: Values | None = None) -> int:
        """How many rows the statement changed."""
        return int((await self._do(statement, dict(values or {}), table_of(statement))).rowcount)

    async def run_many(self, statement: Executable, rows: Sequence[Values]) -> None:
        """The statement once for each of `rows`."""
        if rows:
            await self._do(statement, rows, table_of(statement))

    async def insert(self, batch: Batch, present: Present = "fail") -> None:
        """See `Link.insert`."""
        if batch.rows:
            once = _last_of_each(batch) if present == "replace" else batch
            await self._do(_batch(batch.table, batch.names, present, ()), _arrays(once), batch.table.name)

    async def insert_new(self, batch: Batch) -> set[tuple[Any, ...]]:
        """See `Link.insert_new`."""
        if not batch.rows:
            return set()
        statement = _batch(batch.table, batch.names, "skip", batch.keys)
        done = await self._do(statement, _arrays(batch), batch.table.name)
        return {tuple(row) for row in done}


def _last_of_each(batch: Batch) -> Batch:
    """One statement cannot replace a row twice: the last of each key stands, as if they came singly."""
    places = [batch.names.index(key) for key in batch.keys]
    last = {tuple(row[place] for place in places): row for row in batch.rows}
    return batch if len(last) == len(batch.rows) else Batch(batch.table, batch.names, list(last.values()))


def _arrays(batch: Batch) -> dict[str, list[Any]]:
    return dict(zip(batch.names, map(list, zip(*batch.rows, strict=True)), strict=True))


async def _drop(connection: AsyncConnection) -> None:
    """Throws a broken connection away without waiting for it."""
    with contextlib.suppress(Exception):
        await connection.invalidate()


class PostgresEngine:
    """The pool of one database."""

    def __init__(self, url: str, *, timeout_s: float, pool_size: int) -> None:
        self._engine = open_engine(url, timeout_s=timeout_s, pool_size=pool_size)
        self._reading = self._engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )

    @contextlib.asynccontextmanager
    async def writing(self, *, durable: bool) -> AsyncIterator[Link]:
        """A transaction that writes."""
        async with self._transaction(self._engine) as link:
            if not durable:
                await link.run(text("SET LOCAL synchronous_commit TO off"))
            yield link

    @contextlib.asynccontextmanager
    async def reading(self, *, aside: bool = False) -> AsyncIterator[Link]:
        """A snapshot. `aside` makes no difference: every statement is awaited."""
        del aside
        async with self._transaction(self._reading) as link:
            yield link

    @contextlib.asynccontextmanager
    async def _transaction(self, engine: AsyncEngine) -> AsyncIterator[PostgresLink]:
        connection = await _connected(engine)
        try:
            yield PostgresLink(connection)
            await _commit(connection)
        except BaseException as error:
            if isinstance(error, asyncio.CancelledError):
                await asyncio.shield(_drop(connection))  # a statement may still be on its way
            with contextlib.suppress(*_TRANSPORT, StatementError):
                await asyncio.shield(connection.rollback())
            raise
        finally:
            with contextlib.suppress(*_TRANSPORT, StatementError):
                await asyncio.shield(connection.close())

    async def close(self) -> None:
        """Ends what it started."""
        await self._engine.dispose()


async def _connected(engine: AsyncEngine) -> AsyncConnection:
    try:
        return await engine.connect()
    except (StatementError, asyncpg.PostgresError, DisconnectionError, *_TRANSPORT) as error:
        raise StoreUnavailable(
            f"no connection to the database: {type(error).__name__} {error}".rstrip()
        ) from error


async def _commit(connection: AsyncConnection) -> None:
    try:
        await connection.commit()
    except (StatementError, asyncpg.PostgresError, *_TRANSPORT) as error:
        if _server_said_no(error):
            raise translate(error) or StoreUnavailable(f"not committed: {type(error).__name__}") from error
        await _drop(connection)
        raise CommitUnknown("the connection broke while committing") from error
