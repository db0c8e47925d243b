"""The pace of a rehearsal: business time goes from one moment at which somebody acts to the next.

Knows who still has something to do now, and how long a working day shall take on the wall. Time stands while
anybody is at work, people or nodes, so what is due when does not depend on the speed of the machine. Must not
know cases.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Awaitable, Callable, Coroutine
from datetime import date, datetime, timedelta
from typing import Any

from nodes.business_time import HeldClock
from regions.calendar import WorkCalendar

OPENS_H, CLOSES_H = 9.0, 18.0


async def _at_once() -> None:
    """There is nobody but people to wait for."""


class Pace:
    """Moves a clock. `day_s`: wall seconds that a working day takes at least; nights take none. `quiet`:
    returns when no node has anything under way; only then time goes on.
    """

    def __init__(
        self, clock: HeldClock, calendar: WorkCalendar, day_s: float,
        quiet: Callable[[], Awaitable[None]] = _at_once,
    ) -> None:  # fmt: skip
        self.clock, self.day_s = clock, day_s
        self._quiet = quiet
        self._calendar = calendar
        self._first = clock.now()
        self._began = time.monotonic()
        self._order = itertools.count()
        self._waiting: list[tuple[datetime, int, asyncio.Future[None]]] = []
        self._busy = 0
        self._idle = asyncio.Event()

    async def run(self, players: list[Coroutine[Any, Any, None]]) -> None:
        """Let all of them play to their end. An error of one ends the rehearsal."""
        self._began = time.monotonic()
        self._busy = len(players)
        async with asyncio.TaskGroup() as group:
            for player in players:
                group.create_task(self._play(player))
            group.create_task(self._move())

    async def until(self, at: datetime) -> None:
        """Return at that business time, or at once when it has passed. Only for players."""
        if at <= self.clock.now():
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (at, next(self._order), turn))
        self._done()
        await turn

    async def _play(self, player: Coroutine[Any, Any, None]) -> None:
        try:
            await player
        finally:
            self._done()

    def _done(self) -> None:
        self._busy -= 1
        if not self._busy:
            self._idle.set()

    async def _move(self) -> None:
        while True:
            await self._idle.wait()
            self._idle.clear()
            if not self._waiting:
                return
            at = self._waiting[0][0]
            await self._quiet()
            await asyncio.sleep(max(0.0, self._began + self.wall_s(at) - time.monotonic()))
            self.clock.move(at)
            while self._waiting and self._waiting[0][0] <= at:
                _, _, turn = heapq.heappop(self._waiting)
                self._busy += 1
                turn.set_result(None)

    def wall_s(self, at: datetime) -> float:
        """Wall seconds after the beginning at which that business time is reached at the earliest."""
        return (self._worked(at) - self._worked(self._first)) * self.day_s

    def _worked(self, at: datetime) -> float:
        """Working days until then, the day itself by the share of its hours that has passed."""
        day = at.date()
        whole = self._calendar.working_days_between(_EPOCH, day - timedelta(days=1))
        if not self._calendar.is_working_day(day):
            return float(whole)
        hour = at.hour + at.minute / 60
        return whole + min(1.0, max(0.0, (hour - OPENS_H) / (CLOSES_H - OPENS_H)))


_EPOCH = date(2026, 1, 1)
