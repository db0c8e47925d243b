"""Due clocks: whatever is due in the cases of this region is fired through the desk, under one lease a
region.

Knows when to look. Must not know what a timer does. Firing late is safe: a timer takes effect at its due
time, and the desk fires it before any command on the case anyway; firing in two processes is safe too, the
lease only saves work.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from datetime import datetime
from typing import Final

import structlog

from nodes.business_time import BusinessClock
from nodes.desk.acts import FireTimers
from nodes.desk.hops import OwnHop
from nodes.desk.work import DeskError
from nodes.desk.writer import Writer
from nodes.store.errors import StoreError
from nodes.store.rows import Lease
from nodes.store.store import Store
from nodes.telemetry.recorder import HopTracer
from nodes.waking import woken

AT_ONCE: Final = 200
LOOK_S: Final = 2.0
"""Seconds after which a timer that another process has started is seen at the latest."""
log = structlog.get_logger("tongban.timers")


class Timers:
    """Fires what is due. `poll_s`: the longest wall time between two looks, where business time may run fast;
    on the wall clock LOOK_S, if that is longer.
    """

    def __init__(
        self, store: Store, writer: Writer, clock: BusinessClock, tracer: HopTracer, *, poll_s: float = 1.0,
        lease_s: float = 10.0,
    ) -> None:  # fmt: skip
        self._store, self._writer, self._clock, self._tracer = store, writer, clock, tracer
        self._poll_s, self._lease_s = max(poll_s, LOOK_S) if clock.real else poll_s, lease_s
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._lease: tuple[Lease, float] | None = None
        self._coming: datetime | None = None
        """What is waited for: nothing that is due later need wake the loop."""
        self.fired = 0
        self.problem = ""

    def wake(self, due: datetime | None) -> None:
        """A clock was started or changed; `due`: the first that is due in the cases that were written."""
        if due is not None and (self._coming is None or due < self._coming):
            self._wake.set()

    async def start(self) -> None:
        """Begins, in the running event loop."""
        self._task = asyncio.create_task(self._run(), name="timers")

    async def close(self) -> None:
        """Ends; what is due then is fired by who comes next."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        if self._lease is not None:
            with suppress(StoreError):
                async with self._store.write() as unit:
                    await unit.release_lease(self._lease[0])

    async def _run(self) -> None:
        while True:
            pause = self._poll_s
            try:
                if await self._leased():
                    pause = await self._fire()
                self.problem = ""
            except (DeskError, StoreError) as error:
                self.problem = str(error)
                log.warning("timers wait", error=str(error))
            except Exception as error:  # whatever it is, the other timers must go on
                self.problem = type(error).__name__
                log.exception("timers wait")
            await woken(self._wake, max(0.005, min(self._poll_s, pause)))

    async def _leased(self) -> bool:
        if self._lease is None or self._lease[1] - time.monotonic() < self._lease_s / 3:
            began = time.monotonic()
            async with self._store.write() as unit:
                lease = await unit.take_lease("timers", self._writer.context.process, self._lease_s)
            self._lease = None if lease is None else (lease, began + self._lease_s)
        return self._lease is not None

    async def _fire(self) -> float:
        """Fire what is due; wall seconds until the next."""
        while True:
            async with self._store.read() as unit:
                due = await unit.due_cases(before=self._clock.now(), limit=AT_ONCE)
                self._coming = await unit.next_due() if not due else None
            if not due:
                if self._coming is None:
                    return self._poll_s
                return self._clock.wall_seconds_until(self._coming)
            work = FireTimers(due=[number for number, _ in due], hop=OwnHop(self._tracer, "timer_due"))
            await self._writer.submit(work)
            self.fired += work.fired
            if not work.fired:
                return self._poll_s  # parked or provisional: looked at again later
