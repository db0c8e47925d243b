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

    An event has its place once it is committed, and a place that can be seen is never followed by a smaller
    one: a follower that remembers its place misses nothing. Followers are told `GATHER_S` after a commit of
    this process, and within `poll_s` of one of another. Now and then places are given to what the release
    before has written without. While the database is away it is asked again every `poll_s`.
    """

    def __init__(self, store: Store, *, poll_s: float = 0.5) -> None:
        self._store, self._poll_s = store, poll_s
        self._wake = asyncio.Event()
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
        if self._followers:
            self._wake.set()

    async def start(self) -> None:
        """Begins, in the running event loop."""
        self._task = asyncio.create_task(self._run(), name="changes")

    async def close(self) -> None:
        """Ends; followers end when they are told to."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        looked = -LOOK_S
        while True:
            try:
                if time.monotonic() - looked > LOOK_S:
                    await self._give_places()
                    looked = time.monotonic()
                if self._followers:
                    await self._tell()
                self.problem = ""
            except Exception as error:  # noqa: BLE001  # whatever it is, followers must not stop for ever
                self.problem = str(error)
            soon = self._followers or self.problem
            if await woken(self._wake, self._poll_s if soon else LOOK_S):
                await asyncio.sleep(GATHER_S)

    async def _give_places(self) -> None:
        """To what has none."""
        async with self._store.read() as unit:
            if not await unit.unplaced():
                return
        while await self._store.transact(lambda unit: unit.assign_log_seq(PAGE)) == PAGE:
            pass

    async def _tell(self) -> None:
        """Wakes whoever follows, when there is more than he was told: one look for all, however many."""
        async with self._store.read() as unit:
            last = await unit.last_log_seq()
        if last > self._last:
            self._last = last
            async with self._arrived:
                self._arrived.notify_all()

    async def last(self) -> int:
        """The place of the newest event, of all that are committed now."""
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
