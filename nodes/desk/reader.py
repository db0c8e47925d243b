"""What is looked up: one case, lists, histories, and the stream of changes.

Knows the store's reads and how rows become cases. Changes nothing. What a caller may see is the face's to
say.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from nodes.cases.case import Case
from nodes.codec.snapshot import decode_case_state, decode_filing
from nodes.desk.cache import CaseCache
from nodes.store.rows import AskRow, CaseCursor, CaseFilter, CaseRow, EventRow
from nodes.store.store import ReadTx, Store
from nodes.waking import woken

PAGE: Final = 500
GATHER_S: Final = 0.02
"""How long places wait for more events, while somebody follows."""
LOOK_S: Final = 5.0
"""Seconds between looks at what nobody here has written."""


@dataclass(frozen=True, slots=True)
class CaseView:
    """A case as this region has it: its row, itself, and this region's asks about it."""

    row: CaseRow
    case: Case
    asks: tuple[AskRow, ...]


class Reader:
    """Reads of one node. Cheap to share; keeps the cases decoded last."""

    def __init__(self, store: Store, region: str) -> None:
        self._store, self._region = store, region
        self._cache = CaseCache()

    async def get(self, number: str) -> CaseView | None:
        """The case, or None."""
        async with self._store.read() as unit:
            rows = await unit.load_cases([number])
            if number not in rows:
                return None
            asks = await unit.asks_of_case(number)
            case = await self._case(unit, rows[number])
        return CaseView(rows[number], case, tuple(a for a in asks if a.asker == self._region))

    async def cases(self, numbers: list[str]) -> dict[str, CaseView]:
        """Several cases at once, without their asks."""
        async with self._store.read() as unit:
            rows = await unit.load_cases(numbers)
            return {n: CaseView(row, await self._case(unit, row), ()) for n, row in rows.items()}

    async def _case(self, unit: ReadTx, row: CaseRow) -> Case:
        case = self._cache.get(row)
        if case is None:
            filed = (await unit.load_filings([row.number]))[row.number]
            case = decode_case_state(row.snapshot, decode_filing(filed.document, filed.private))
            self._cache.put(case, row.last_hash)
        return case

    async def page(self, wanted: CaseFilter, after: CaseCursor | None, limit: int) -> list[CaseRow]:
        """A page of rows, newest receipt first."""
        async with self._store.read(aside=True) as unit:
            return await unit.list_cases(wanted, after=after, limit=limit)

    async def history(self, number: str) -> list[EventRow]:
        """Every event of a case that this region has, in order."""
        async with self._store.read() as unit:
            return await unit.events(number)


class Changes:
    """The events of this node in one gap-free order, for whoever follows it.

    An event gets its place in the order after its commit, from one sequencer a region: a number once given is
    never followed by a smaller one, so a follower that remembers its place misses nothing. Many events get
    theirs at once: `GATHER_S` after a commit while somebody follows, else every `poll_s`; and none are looked
    for while nothing is written, but now and then for what a process that died has left without.
    """

    def __init__(self, store: Store, *, poll_s: float = 0.5) -> None:
        self._store, self._poll_s = store, poll_s
        self._wake = asyncio.Event()
        self._written = True
        self._last = 0
        """The newest place that those who follow were told of."""
        self._followers = 0
        self._arrived = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None
        self.problem = ""

    @property
    def followers(self) -> int:
        """Who follows now."""
        return self._followers

    def wake(self) -> None:
        """Something was committed."""
        self._written = True
        if self._followers:
            self._wake.set()

    async def start(self) -> None:
        """Begins, in the running event loop."""
        self._task = asyncio.create_task(self._run(), name="sequencer")

    async def close(self) -> None:
        """Ends; followers end when they are told to."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        looked = 0.0
        while True:
            if self._written or time.monotonic() - looked > LOOK_S:
                looked = time.monotonic()
                await self._give_places()
            elif self._followers:
                await self._look()
            if await woken(self._wake, self._poll_s):
                await asyncio.sleep(GATHER_S)

    async def _give_places(self) -> None:
        """To everything that is committed now."""
        self._written = False
        try:
            given = PAGE
            while given == PAGE:
                async with self._store.write(durable=False) as unit:
                    given = await unit.assign_log_seq(PAGE)
                if given:
                    await self._tell()
            self.problem = ""
        except Exception as error:  # noqa: BLE001  # whatever it is, followers must not stop for ever
            self.problem, self._written = str(error), True

    async def _look(self) -> None:
        """Whether another process has given places: one look for all who follow here, however many."""
        try:
            await self._tell()
        except Exception as error:  # noqa: BLE001  # the same
            self.problem = str(error)

    async def _tell(self) -> None:
        """Wakes whoever follows, when there is more than he was told."""
        async with self._store.read() as unit:
            last = await unit.last_log_seq()
        if last > self._last:
            self._last = last
            async with self._arrived:
                self._arrived.notify_all()

    async def last(self) -> int:
        """The place of the newest event, of all that are committed now."""
        await self._give_places()
        async with self._store.read() as unit:
            return await unit.last_log_seq()

    async def follow(self, after: int) -> AsyncIterator[EventRow]:
        """Events behind that place, for ever."""
        self._followers += 1
        self._wake.set()
        try:
            while True:
                async with self._store.read() as unit:
                    rows = await unit.events_after_log_seq(after, PAGE)
                for row in rows:
                    assert row.log_seq is not None
                    after = row.log_seq
                    yield row
                if not rows:
                    async with self._arrived:
                        while self._last <= after:
                            await self._arrived.wait()
        finally:
            self._followers -= 1
