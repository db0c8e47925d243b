"""PostgreSQL by SQLAlchemy's own execution, for what is done seldom: migrations, backups.

Knows how such an engine is opened and what its errors wrap. Must not know a table.
"""

from __future__ import annotations

from typing import Any

import asyncpg
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, StatementError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from nodes.store import postgres
from nodes.store.errors import StoreError, StoreUnavailable


def open_engine(url: str, *, timeout_s: float) -> AsyncEngine:
    """An engine for `url` (libpq's form, so `?host=DIR` and `sslmode` work). Connects on use."""
    dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    wait_ms = str(int(timeout_s * 1000))

    async def connection() -> asyncpg.Connection[Any]:
        return await asyncpg.connect(
            dsn,
            timeout=timeout_s,
            command_timeout=timeout_s * 2,
            server_settings={
                "application_name": "tongban",
                "statement_timeout": wait_ms,
                "lock_timeout": wait_ms,
                "jit": "off",
            },
        )

    def adapted() -> Any:
        dbapi: Any = engine.sync_engine.dialect.dbapi
        return dbapi.connect(async_creator_fn=connection)

    engine: AsyncEngine = create_async_engine("postgresql+asyncpg://", creator=adapted, poolclass=NullPool)
    return engine


def translate(error: BaseException) -> StoreError | None:
    """PostgreSQL's complaint in the words of the store; None for a fault of the program."""
    found: Any = error
    if isinstance(error, StatementError):
        found = getattr(error.orig, "__cause__", None) or error.orig
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            return StoreUnavailable("the connection to the database broke")
    return None if found is None else postgres.translate(found)
