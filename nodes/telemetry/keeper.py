"""Finished hops on their way into the node's own database, off the path of the work they describe.

Knows a bounded queue and the sink that assembly hands in. Must not know the store behind the sink. A full
queue drops the newest and counts it; a sink that fails is tried again with the same rows, so the sink must
take a row twice without harm.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from structlog.typing import FilteringBoundLogger

from nodes.telemetry.hop import HopSpan
from nodes.telemetry.spans import SpanRow
from nodes.waking import woken

SpanSink = Callable[[Sequence[SpanRow]], Awaitable[None]]
"""Stores rows durably; raises when it could not; takes a row that it has already."""


@dataclass(slots=True)
class SpanCounts:
    """What became of the node's spans, counted since its start. kept: stored; dropped: lost for want of room
    or at the stop; attributes_dropped: not permitted; sink_errors: failed attempts to store a batch.
    """

    kept: int = 0
    dropped: int = 0
    attributes_dropped: int = 0
    sink_errors: int = 0


@dataclass(slots=True)
class OtlpCounts:
    """Spans exported to a collector; dropped (no room, or given up at the stop); failed attempts."""

    exported: int = 0
    dropped: int = 0
    failures: int = 0


class SpanKeeper:
    """The queue and the task that empties it. `offer` may be called from any thread."""

    def __init__(
        self,
        sink: SpanSink,
        offer_on: Callable[[Sequence[SpanRow]], None],
        *,
        capacity: int,
        batch: int,
        interval_s: float,
        log: FilteringBoundLogger,
    ) -> None:
        """sink: gets the rows that belong to a case; offer_on: gets all rows first, and must not block."""
        self.counts = SpanCounts()
        self._log = log
        self._sink = sink
        self._offer_on = offer_on
        self._capacity = capacity
        self._batch = batch
        self._interval_s = interval_s
        self._queue: deque[HopSpan] = deque()
        self._unstored: deque[SpanRow] = deque()
        self._storing = asyncio.Lock()
        self._nudge = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._closed = False
        self._task = asyncio.create_task(self._run(), name="telemetry-keeper")

    @property
    def waiting(self) -> int:
        """Spans not stored yet."""
        return len(self._queue) + len(self._unstored)

    def offer(self, span: HopSpan) -> None:
        """Takes an ended span, or counts it as dropped."""
        waiting = len(self._queue) + len(self._unstored)
        if waiting >= self._capacity or self._closed:
            self.counts.dropped += 1
            return
        self._queue.append(span)
        if waiting == self._batch and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._nudge.set)

    async def flush(self) -> bool:
        """Stores every span that had ended before the call. False when the sink failed; the rows are kept."""
        async with self._storing:
            for _ in range(-(-len(self._queue) // self._batch)):
                self._take()
            while self._unstored:
                rows = [self._unstored[i] for i in range(min(self._batch, len(self._unstored)))]
                try:
                    await self._sink(rows)
                except Exception as error:  # noqa: BLE001  a sink may fail in any way; the work goes on
                    self.counts.sink_errors += 1
                    if self.counts.sink_errors.bit_count() == 1:
                        self._log.warning(
                            "spans_not_stored", error_type=type(error).__name__, waiting=self.waiting
                        )
                    return False
                for _ in rows:
                    self._unstored.popleft()
                self.counts.kept += len(rows)
            return True

    def _take(self) -> None:
        """Turns one batch of ended spans into rows."""
        rows = []
        for _ in range(min(self._batch, len(self._queue))):
            span = self._queue.popleft()
            row, dropped = span.row()
            self.counts.attributes_dropped += dropped
            rows.append(row)
            if row.case_number and not span.kept:
                self._unstored.append(row)
        self._offer_on(rows)

    async def _run(self) -> None:
        while True:
            await woken(self._nudge, self._interval_s)
            if self._queue or self._unstored:
                await self.flush()

    async def close(self, timeout_s: float) -> None:
        """Stores what is left, for at most so long; what is left then is counted as dropped."""
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        try:
            async with asyncio.timeout(timeout_s):
                await self.flush()
        except TimeoutError:
            self.counts.sink_errors += 1
        self._closed = True
        self.counts.dropped += self.waiting
        self._queue.clear()
        self._unstored.clear()
