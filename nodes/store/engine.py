"""Which database a URL means: the only `if` on the dialect.

Knows the two engines, and loads the one that is meant: the other's driver takes memory of every node that has
it. Must not know tables or queries.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from nodes.store.errors import StoreUnavailable
from nodes.store.session import Link


class Engine(Protocol):
    """Gives transactions. Leaving the block commits; an exception inside rolls back and goes on."""

    def writing(self, *, durable: bool) -> AbstractAsyncContextManager[Link]:
        """A transaction that writes."""

    def reading(self, *, aside: bool = False, snapshot: bool = True) -> AbstractAsyncContextManager[Link]:
        """A snapshot. `aside`: what is read may be much; it keeps nobody waiting. Without `snapshot` each
        statement may see a later moment."""

    async def close(self) -> None:
        """Ends what it started."""


def file_of(url: str) -> Path | None:
    """The file of a `sqlite:///` URL, None for `postgresql://`. Raises StoreUnavailable for any other URL."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise StoreUnavailable("database: not a URL; wanted sqlite:///FILE or postgresql://...") from None
    kind = parsed.get_backend_name()
    if kind == "postgresql":
        return None
    if kind == "sqlite" and parsed.database and parsed.database != ":memory:":
        return Path(parsed.database)
    raise StoreUnavailable(f"database: {kind} will not do; wanted sqlite:///FILE or postgresql://...")


def open_engine(url: str, *, timeout_s: float, readers: int, pool_size: int) -> Engine:
    """The engine of a database URL. Raises StoreUnavailable when the URL is neither of the two kinds."""
    path = file_of(url)
    if path is None:
        from nodes.store.postgres import PostgresEngine

        return PostgresEngine(url, timeout_s=timeout_s, pool_size=pool_size)
    from nodes.store.sqlite import SqliteEngine

    return SqliteEngine(path, timeout_s=timeout_s, readers=readers)
