"""Two queues, and a loop for each: whatever has queued up is one transaction.

People's work, which somebody waits for, has transactions of its own, so that a filing is never kept by a heap
of messages; both may be under way at once, as those of two processes may (row locks and versions order what
concerns one case). Knows how a transaction can fail and what follows: bad data is found by halving, a
deadlock is run again, an unknown commit is looked up by running again (request ids, versions and message ids
make that safe). Must not know what the pieces of work do.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from nodes import failpoints
from nodes.desk.batch import Batch
from nodes.desk.cache import CaseCache
from nodes.desk.context import Context
from nodes.desk.work import Answer, CatchingUp, DeskError, Overloaded, Rejected, Unavailable, Work
from nodes.store.errors import (
    AnswerTaken,
    CommitUnknown,
    DataRejected,
    Retryable,
    StoreUnavailable,
    VersionConflict,
)
from nodes.store.store import Store
from nodes.turns import Turns

RETRIES = 8
"""How often a transaction that lost against another is run again before its authors are told so."""
SOON = 64
"""So many pieces of work are not worth a word about waiting."""
WARY = 20
"""So many batches claim their requests first after one was repeated: who comes again does so with others."""
ENOUGH = 16
"""Pieces of work in a batch from which on its time tells what one of many takes."""


@dataclass(slots=True)
class _Queue:
    works: deque[Work] = field(default_factory=deque)
    wake: asyncio.Event = field(default_factory=asyncio.Event)


class Writer:
    """One a process. `after` is called with the batch once it is committed (wake the relay, the timers, the
    rules).
    """

    def __init__(
        self, store: Store, context: Context, *, batch_size: int = 200, queue_limit: int = 5000,
        after: Callable[[Batch], None] | None = None,
    ) -> None:  # fmt: skip
        self.context = context
        self.turns = Turns()
        self._store = store
        self._batch_size = batch_size
        self._queue_limit = queue_limit
        self._after = after
        self._last: Callable[[Batch], Awaitable[None]] | None = None
        self._urgent, self._backlog = _Queue(), _Queue()
        self._cache = CaseCache()
        self._each_s = 0.002
        self._wary = 0
        self._closing = False
        self._held = False
        self._tasks: list[asyncio.Task[None]] = []

    def listen(self, after: Callable[[Batch], None]) -> None:
        """Who is told of each committed batch."""
        self._after = after

    def do_last(self, last: Callable[[Batch], Awaitable[None]]) -> None:
        """What is done in each transaction when all work is, before anything is written."""
        self._last = last

    def hold(self, held: bool) -> None:
        """While it is held, people's work is refused and no own step is taken: others' words are taken in."""
        self._held = held

    def wait_s(self, known: int = 0) -> float:
        """How long people's work that comes now would have to wait, wall seconds; 0 while little does.

        `known`: pieces of it that wait for an answer, as far as the caller knows, those in the running batch
        among them.
        """
        people = max(len(self._urgent.works), known)
        return 0.0 if people < SOON else people * self._each_s

    async def start(self) -> None:
        """Begins, in the running event loop."""
        self._tasks = [
            asyncio.create_task(self._loop(self._urgent), name="writer"),
            asyncio.create_task(self._loop(self._backlog), name="writer-backlog"),
        ]

    async def close(self) -> None:
        """Does what has queued up, then ends. Work that comes later is refused."""
        self._closing = True
        for queue in (self._urgent, self._backlog):
            queue.wake.set()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task

    def check_room(self, *, urgent: bool = True) -> None:
        """Raises what `submit` would raise now, before anything is worked out. `urgent`: people's work."""
        if self._closing:
            raise Unavailable("the node is stopping")
        if urgent and self._held:
            raise CatchingUp(retry_after_s=2.0)
        if len((self._urgent if urgent else self._backlog).works) >= self._queue_limit:
            raise Overloaded(retry_after_s=1.0)

    async def submit(self, work: Work) -> Answer:
        """The answer once it is durable. Raises Overloaded, Unavailable, CatchingUp and other DeskErrors."""
        self.check_room(urgent=work.urgent)
        queue = self._urgent if work.urgent else self._backlog
        work.done = asyncio.get_running_loop().create_future()
        queue.works.append(work)
        queue.wake.set()
        return await work.done

    async def _loop(self, queue: _Queue) -> None:
        while True:
            await queue.wake.wait()
            queue.wake.clear()
            while queue.works:
                taken = [queue.works.popleft() for _ in range(min(len(queue.works), self._batch_size))]
                if works := [work for work in taken if not work.done.done()]:
                    wary = self._wary > 0 and queue is self._urgent
                    self._wary -= wary
                    await self._settle(works, claimed=wary)
            if self._closing:
                return

    async def _settle(self, works: Sequence[Work], tries: int = 0, *, claimed: bool = False) -> None:
        """`claimed`: whether requests are claimed first. Nearly all are new, so at first they are not."""
        began = time.perf_counter()
        try:
            async with self._store.write() as unit:
                batch = Batch(self.context, unit, self._cache, self.turns, None if self._held else self._last)
                outcomes = await batch.run(works, claimed=claimed)
                failpoints.hit("desk.before_commit")
            failpoints.hit("desk.after_commit")
        except (Retryable, CommitUnknown, VersionConflict) as error:
            if tries >= RETRIES:
                self._fail(works, Unavailable(str(error)))
                return
            # After an unknown commit this finds stored answers, versions, message ids: nothing is done twice.
            await asyncio.sleep(min(1.0, 0.005 * 2**tries))
            await self._settle(works, tries + 1, claimed=True)
        except (StoreUnavailable, asyncio.CancelledError) as error:
            self._fail(works, Unavailable(str(error)))
            if isinstance(error, asyncio.CancelledError):
                raise
        except Exception as error:  # noqa: BLE001  # one bad piece of work must not take its neighbours with it
            if not claimed and any(work.claim for work in works):
                self._wary = WARY if isinstance(error, AnswerTaken) else self._wary
                await self._settle(works, tries, claimed=True)  # what was done before may not be done again
            else:
                await self._halve(works, error)
        else:
            batch.took_s = time.perf_counter() - began
            if len(works) >= ENOUGH and works[0].urgent:
                self._each_s += (batch.took_s / len(works) - self._each_s) / 4
            batch.remember()
            self._tell(outcomes)
            if self._after is not None:
                self._after(batch)

    async def _halve(self, works: Sequence[Work], error: Exception) -> None:
        """Find the culprit: decide() is pure, so the halves give the same again; only the culprit fails."""
        if len(works) == 1:
            said = f"the database rejects it: {error}"
            self._fail(works, Rejected(said) if isinstance(error, DataRejected) else error)
            return
        half = len(works) // 2
        await self._settle(works[:half], claimed=True)
        await self._settle(works[half:], claimed=True)

    @staticmethod
    def _tell(outcomes: Sequence[tuple[Work, Answer | DeskError]]) -> None:
        for work, outcome in outcomes:
            if work.done.done():
                continue
            if isinstance(outcome, Answer):
                work.done.set_result(outcome)
            else:
                work.done.set_exception(outcome)

    @staticmethod
    def _fail(works: Sequence[Work], error: Exception) -> None:
        for work in works:
            if not work.done.done():
                work.done.set_exception(error)
