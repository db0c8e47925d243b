"""The unit of work: a transaction that writes, or a snapshot that reads, on either database.

Knows how a transaction is opened, ended and repeated. Must not know what is written. Everything the queries
offer is a method of the transaction: see `nodes.store.queries`.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

from nodes.store.engine import Engine, open_engine
from nodes.store.errors import Retryable, StoreUnavailable
from nodes.store.migrate import expect_current
from nodes.store.queries.answers import AnswerReads, AnswerWrites
from nodes.store.queries.asks import AskReads, AskWrites
from nodes.store.queries.cases import CaseReads, CaseWrites
from nodes.store.queries.events import EventReads, EventWrites
from nodes.store.queries.inbox import InboxReads, InboxWrites
from nodes.store.queries.materials import MaterialReads, MaterialWrites
from nodes.store.queries.recalls import RecallReads
from nodes.store.queries.relay import RelayReads, RelayWrites
from nodes.store.queries.repairs import RepairReads, RepairWrites
from nodes.store.queries.spans import SpanReads, SpanWrites

T = TypeVar("T")


class ReadTx(
    AnswerReads,
    CaseReads,
    EventReads,
    RelayReads,
    AskReads,
    InboxReads,
    RepairReads,
    RecallReads,
    MaterialReads,
    SpanReads,
):
    """A snapshot: all reads see the database at one moment."""


class WriteTx(
    AnswerWrites,
    CaseWrites,
    EventWrites,
    RelayWrites,
    AskWrites,
    InboxWrites,
    RepairWrites,
    MaterialWrites,
    SpanWrites,
    ReadTx,
):
    """A transaction that reads and writes."""


class Store:
    """One region's database. Use it on the event loop that opened it; close it when done."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._closed = False

    @classmethod
    async def open(cls, url: str, *, timeout_s: float = 10.0, readers: int = 2, pool_size: int = 8) -> Store:
        """Opens `sqlite:///FILE` or `postgresql://...`, whose tables must be those of this release.

        `timeout_s` bounds every wait: for a connection, a lock, a statement. `readers`: threads that read
        (SQLite); `pool_size`: connections (PostgreSQL). Raises SchemaMismatch, StoreUnavailable.
        """
        store = cls(open_engine(url, timeout_s=timeout_s, readers=readers, pool_size=pool_size))
        try:
            await expect_current(store._engine)
        except BaseException:
            await store.close()
            raise
        return store

    @contextlib.asynccontextmanager
    async def write(self, *, durable: bool = True) -> AsyncIterator[WriteTx]:
        """One transaction: committed when the block ends, rolled back when it raises.

        `durable`: leaving the block means the disk has it. Without, a crash of the machine may lose the last
        commits, but never a part of one: for what can be made again, such as spans and marks of what was
        sent.
        Raises Retryable, StoreUnavailable, CommitUnknown, DataRejected, VersionConflict.
        """
        async with self._engine.writing(durable=durable) as link:
            yield WriteTx(link)

    @contextlib.asynccontextmanager
    async def read(self, *, aside: bool = False, snapshot: bool = True) -> AsyncIterator[ReadTx]:
        """A snapshot of what is committed. `aside`: it may read much, and nobody is to wait for it; few rows
        by their key are read sooner without. `snapshot` False: each statement may see a later moment than the
        one before; on PostgreSQL that saves the two ways to the server that begin and end a transaction.
        Raises Retryable, StoreUnavailable.
        """
        async with self._engine.reading(aside=aside, snapshot=snapshot) as link:
            yield ReadTx(link)

    async def transact(
        self,
        work: Callable[[WriteTx], Awaitable[T]],
        *,
        durable: bool = True,
        patience_s: float = 10.0,
    ) -> T:
        """`work` in a transaction, again after a deadlock and while the database is away, for `patience_s`.

        `work` must change nothing but the transaction. Unknown commits are not repeated here: the caller
        looks its keys up. Raises what `write` raises.
        """
        deadline = time.monotonic() + patience_s
        pause_s = 0.01
        while True:
            try:
                async with self.write(durable=durable) as tx:
                    return await work(tx)
            except (Retryable, StoreUnavailable):
                if time.monotonic() + pause_s > deadline:
                    raise
            await asyncio.sleep(pause_s * random.uniform(0.5, 1.5))  # noqa: S311 - spreads repetitions
            pause_s = min(pause_s * 2, 1.0)

    async def close(self) -> None:
        """Ends threads and connections. Transactions under way on SQLite are awaited. Once is enough."""
        if not self._closed:
            self._closed = True
            await self._engine.close()
