"""What a node may forget: never a case's own record, only what serves it for a time.

Knows what is trimmed and after how long. Must not know what any of it means. Old things go a part at a time,
so that nobody waits for them; a lease keeps two processes from doing the same work, and nothing rests on it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import structlog

from nodes.store.errors import StoreError
from nodes.store.store import Store, WriteTx

DAY_S: Final = 86_400.0
AT_ONCE: Final = 500
"""Rows of one transaction."""
LEASE: Final = "retention"
EVERY_S: Final = (1.0, 300.0)
"""Wall seconds between two sweeps, the least and the most."""
log = structlog.get_logger("tongban.retention")


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How long things are kept, wall seconds.

    `seen_s`: ids of messages seen, and how far the other regions have what they were sent; `answers_s`: first
    answers to requests; `spans_s`: traces, counted from their last hop, never while a case of theirs is open;
    `letters_s`: dead letters, counted from when an operator settled them.
    """

    seen_s: float = 60 * DAY_S
    answers_s: float = 90 * DAY_S
    spans_s: float = 90 * DAY_S
    letters_s: float = 365 * DAY_S

    @property
    def every_s(self) -> float:
        """Wall seconds between two sweeps: a quarter of the shortest time, within EVERY_S."""
        least, most = EVERY_S
        shortest = min(self.seen_s, self.answers_s, self.spans_s, self.letters_s)
        return max(least, min(most, shortest / 4))


class Retention:
    """Forgets what is older than its time, as often as its terms say."""

    def __init__(self, store: Store, terms: Terms, *, process: str, wall_s: Callable[[], float]) -> None:
        self._store, self._terms, self._process = store, terms, process
        self._wall_s, self._every_s = wall_s, terms.every_s
        self._task: asyncio.Task[None] | None = None
        self.problem = ""
        """Why nothing could be forgotten last time, "" when all is well."""

    async def start(self) -> None:
        """Begins, in the running event loop."""
        self._task = asyncio.create_task(self._run(), name="retention")

    async def close(self) -> None:
        """Ends; what was not forgotten is found again."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._every_s)
            try:
                await self.forget()
                self.problem = ""
            except StoreError as error:
                self.problem = str(error)
                log.warning("nothing could be forgotten", error=str(error))

    async def forget(self) -> dict[str, int]:
        """Everything that is old now, by kind, how many; {} while another process does it. Raises
        StoreError.
        """
        async with self._store.write(durable=False) as unit:
            if await unit.take_lease(LEASE, self._process, self._every_s) is None:
                return {}
        wall, terms = self._wall_s(), self._terms
        gone = {
            "seen": await self._all(lambda u: u.trim_inbox(before_wall_s=wall - terms.seen_s, limit=AT_ONCE)),
            "tails": await self._all(
                lambda u: u.trim_sent_tails(before_wall_s=wall - terms.seen_s, limit=AT_ONCE)
            ),
            "answers": await self._all(
                lambda u: u.trim_answers(before_wall_s=wall - terms.answers_s, limit=AT_ONCE)
            ),
            "letters": await self._all(
                lambda u: u.trim_letters(before_wall_s=wall - terms.letters_s, limit=AT_ONCE)
            ),
            "spans": await self._all(
                lambda u: u.trim_spans(before_ns=int((wall - terms.spans_s) * 1e9), limit=AT_ONCE)
            ),
        }
        if any(gone.values()):
            log.info("forgotten", **gone)
        return gone

    async def _all(self, trim: Callable[[WriteTx], Awaitable[int]]) -> int:
        """A part at a time, letting others write in between, until there is nothing more."""
        total = 0
        while True:
            async with self._store.write(durable=False) as unit:
                found = await trim(unit)
            if not found:
                return total
            total += found
            await asyncio.sleep(0)
