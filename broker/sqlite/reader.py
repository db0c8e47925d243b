"""The one thread that reads: queries on a connection of its own, beside the writer, which WAL lets go on.

Knows that a change by anybody, in any process, moves SQLite's data_version; must not know what readers want.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

from broker.bus import BusClosed, BusTimeout
from broker.sqlite import log
from broker.sqlite.writer import CLOSE_S, Job, unavailable

T = TypeVar("T")


class Change(NamedTuple):
    """The file after somebody wrote: each partition's end by id, each group's generation by name."""

    ends: dict[int, int]
    generations: dict[str, int]


class Reader:
    """Runs queries one after the other on a thread; opened when first needed, opened anew after a fault."""

    def __init__(self, connect: Callable[[], sqlite3.Connection], timeout_s: float) -> None:
        self._connect = connect
        self._timeout_s = timeout_s
        self._executor = ThreadPoolExecutor(1, "bus-reader")
        self._connection: sqlite3.Connection | None = None
        self._version = -1
        self._closed = False

    async def run(self, query: Job[T]) -> T:
        """The query's result. Raises what it raised, BusUnavailable, BusTimeout, BusClosed."""
        if self._closed:
            raise BusClosed("the bus is closed")
        try:
            async with asyncio.timeout(self._timeout_s):
                return await asyncio.get_running_loop().run_in_executor(self._executor, self._query, query)
        except TimeoutError:
            raise BusTimeout(f"the embedded bus did not answer within {self._timeout_s} s") from None

    async def change(self) -> Change | None:
        """What the file says now, if anybody wrote since the last call; else None, at next to no cost."""
        return await self.run(self._change)

    async def close(self) -> None:
        """Ends the thread after the query that is running; gives up on one that hangs."""
        self._closed = True
        dropping = asyncio.get_running_loop().run_in_executor(self._executor, self._drop_connection)
        await asyncio.wait([dropping], timeout=CLOSE_S)
        self._executor.shutdown(wait=False)

    def _query(self, query: Job[T]) -> T:
        try:
            if self._connection is None:
                self._connection = self._connect()
                self._connection.execute("PRAGMA query_only = ON")
                self._version = -1
            return query(self._connection)
        except (sqlite3.Error, OSError) as error:
            self._drop_connection()
            raise unavailable(error) from error

    def _change(self, connection: sqlite3.Connection) -> Change | None:
        version = int(connection.execute("PRAGMA data_version").fetchone()[0])
        if version == self._version:
            return None
        # Asked before the rows: what is written in between is seen now, and once more by the next call.
        self._version = version
        return Change(
            log.ends(connection),
            dict(connection.execute("SELECT name, generation FROM reader_group").fetchall()),
        )

    def _drop_connection(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
