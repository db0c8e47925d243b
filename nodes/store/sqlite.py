"""SQLite under the store: one connection that writes, a few that read, each with a thread in which it waits.

Knows who has which of them when. Must not know a table. Why it is safe: a connection has one user at a time;
WAL lets readers keep their snapshot beside the one writer; BEGIN IMMEDIATE takes the file's write lock
at once, so that another process on the same file waits (up to the time-out) instead of failing half-way;
synchronous=FULL makes a commit return only once the disk has it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from nodes.store.errors import StoreUnavailable
from nodes.store.session import Link
from nodes.store.sqlite_thread import SqliteThread


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
        """A transaction that writes; who comes meanwhile waits in line."""
        async with self._turn:
            try:
                self._writer.begin(durable=durable)
                yield self._writer
                await self._writer.commit()
            except BaseException:
                await self._writer.rollback()
                raise

    @contextlib.asynccontextmanager
    async def reading(self, *, aside: bool = False, snapshot: bool = True) -> AsyncIterator[Link]:
        """A snapshot, which costs nothing, on a reader of its own; `aside`: in its thread."""
        del snapshot
        try:
            async with asyncio.timeout(self._timeout_s):
                reader = await self._readers.get()
        except TimeoutError:
            reason = f"no reader of the database became free within {self._timeout_s} s"
            raise StoreUnavailable(reason) from None
        try:
            reader.begin(durable=True, aside=aside)
            yield reader
        finally:
            reader.end()
            self._readers.put_nowait(reader)

    async def close(self) -> None:
        """Waits for the writer's turn, then ends all threads."""
        async with self._turn:
            for thread in (*self._all_readers, self._writer):
                await thread.close()
