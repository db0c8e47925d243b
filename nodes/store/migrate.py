"""Brings a database's tables to this release, on either database, or writes the SQL that would.

Knows Alembic, and loads it only where there is something to do: it takes 9 MB of every process that has it.
Must not know what the tables are for. Several processes may start at once: on SQLite the write lock, on
PostgreSQL an advisory lock lets one migrate and the others find it done."""

from __future__ import annotations

import asyncio
import io
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeVar

from sqlalchemy import Connection, create_engine, event, inspect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from nodes.store.engine import Engine, file_of, open_engine
from nodes.store.errors import Retryable, SchemaMismatch, StoreUnavailable

if TYPE_CHECKING:
    from alembic.config import Config

T = TypeVar("T")
_HERE: Final = Path(__file__).parent / "migrations"
_REVISIONS: Final = frozenset(path.stem for path in (_HERE / "versions").glob("[0-9]*.py"))
_HEAD: Final = max(_REVISIONS)
_LOCK_KEY: Final = 0x746F6E67  # "tong"
_MIGRATE_S: Final = 600.0
_LOOK_S: Final = 10.0
_one_at_a_time = threading.Lock()  # Alembic keeps its context in module variables


def head() -> str:
    """The newest revision of this release: revisions are counted, and named as their files are."""
    return _HEAD


def revisions() -> frozenset[str]:
    """Every revision that this release can bring further."""
    return _REVISIONS


async def migrate(url: str, revision: str = "head") -> str:
    """Upgrades the database at `url` to `revision`, in one transaction; gives the revision it is at then.

    A file's folder is made. Raises StoreUnavailable when the database cannot be used.
    """
    target = head() if revision == "head" else revision
    _make_folder(url)
    if target == head() and await _is_current(url):
        return target

    def work(connection: Connection) -> str:
        if _revision(connection) == target:
            return target
        from alembic import command

        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, target)
        return target

    return await asyncio.to_thread(_with_connection, url, work)


def migrate_apart(url: str) -> None:
    """`migrate` in a child of this process, whose memory goes with it. Waits for its end.

    For a process that stays, before it has threads or an event loop. Says nothing of a failure: `migrate`,
    called again here, meets it and raises it.
    """
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    failed = True
    try:
        asyncio.run(migrate(url))
        failed = False
    finally:
        os._exit(failed)  # whatever was raised: nothing of the parent's is to be ended a second time


async def current(url: str) -> str | None:
    """The revision the database is at, None when it has never been migrated. Raises StoreUnavailable."""
    return await asyncio.to_thread(_with_connection, url, _revision)


def offline_sql(dialect: Literal["sqlite", "postgresql"]) -> str:
    """The SQL of all migrations, for who may not let a program change tables."""
    from alembic import command

    out = io.StringIO()
    config = _config(out)
    config.attributes["dialect"] = dialect
    with _one_at_a_time:
        command.upgrade(config, "head", sql=True)
    return out.getvalue()


async def expect_current(engine: Engine) -> None:
    """Raises SchemaMismatch when the tables are not those of this release."""
    try:
        async with engine.reading() as link:
            found = [
                revision for (revision,) in await link.fetch(text("SELECT version_num FROM alembic_version"))
            ]
    except SchemaMismatch:
        found = []
    if found != [head()]:
        at = found[0] if found else "empty"
        raise SchemaMismatch(f"the database is {at}, this release needs {head()}: run `tongban migrate`")


async def _is_current(url: str) -> bool:
    """Whether nothing is to be done, seen without what it would be done with."""
    engine = open_engine(url, timeout_s=_LOOK_S, readers=1, pool_size=1)
    try:
        await expect_current(engine)
    except (SchemaMismatch, Retryable):
        return False
    finally:
        await engine.close()
    return True


def _make_folder(url: str) -> None:
    if (path := file_of(url)) is not None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreUnavailable(f"its folder cannot be made: {error.strerror}") from error


def _config(out: io.StringIO | None = None) -> Config:
    from alembic.config import Config

    config = Config(output_buffer=out) if out is not None else Config()
    config.set_main_option("script_location", str(_HERE).replace("%", "%%"))
    return config


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def _with_connection(url: str, work: Callable[[Connection], T]) -> T:
    path = file_of(url)
    with _one_at_a_time:
        return asyncio.run(_on_postgres(url, work)) if path is None else _on_sqlite(path, work)


def _on_sqlite(path: Path, work: Callable[[Connection], T]) -> T:
    import sqlite3

    from nodes.store.sqlite_thread import connect, translate

    engine = create_engine(
        "sqlite+pysqlite://", creator=lambda: connect(path, _MIGRATE_S), poolclass=NullPool
    )
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    try:
        with engine.begin() as connection:
            return work(connection)
    except (DBAPIError, sqlite3.Error, OSError) as error:
        raise translate(error) or StoreUnavailable(f"migration failed: {error}") from error
    finally:
        engine.dispose()


async def _on_postgres(url: str, work: Callable[[Connection], T]) -> T:
    from nodes.store import alchemy

    engine = alchemy.open_engine(url, timeout_s=_MIGRATE_S)
    try:
        async with engine.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})
            return await connection.run_sync(work)
    except (DBAPIError, OSError) as error:
        raise alchemy.translate(error) or StoreUnavailable(f"migration failed: {error}") from error
    finally:
        await engine.dispose()
