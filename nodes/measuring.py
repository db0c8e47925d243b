"""What a node counts of itself for Prometheus: each committed batch, and now and then what waits.

Knows which events of a batch are worth counting, and where backlogs are read. Must not know how numbers are
told (telemetry.metrics). Nothing of a person is in a number: modes, verbs, lights and regions only.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Final

from broker.bus import BusError, EventBus
from broker.topics import inbox
from nodes.cases.events import Filed, LightChanged
from nodes.desk.batch import Batch
from nodes.store.errors import StoreError
from nodes.store.store import Store
from nodes.telemetry.metrics import NodeMetrics

EVERY_S: Final = 5.0


def count(metrics: NodeMetrics, batch: Batch, region: str) -> None:
    """Count what a committed batch wrote."""
    written = 0
    for sheet in batch.sheets.values():
        for entry in sheet.written:
            body = entry.event.body
            if entry.event.author != region:
                metrics.received("applied")
                continue
            written += 1
            if isinstance(body, Filed):
                metrics.filed(body.filing.kind.value, "filed")
            elif isinstance(body, LightChanged):
                metrics.light_changed(body.light)
            else:
                metrics.acted(type(body).__name__, "applied")
    metrics.committed(written, batch.took_s)


class Backlogs:
    """Reads what waits, every few seconds, and says it to the metrics."""

    def __init__(self, metrics: NodeMetrics, store: Store, bus: EventBus, region: str, group: str) -> None:
        self._metrics, self._store, self._bus = metrics, store, bus
        self._topic, self._group = inbox(region), group
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begins, in the running event loop."""
        self._task = asyncio.create_task(self._run(), name="backlogs")

    async def close(self) -> None:
        """Ends."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            with suppress(StoreError):
                await self._read_store()
            try:
                lag = await self._bus.lag(self._group, [self._topic])
                self._metrics.inbox_lag(sum(part.lag for part in lag))
            except BusError as error:
                self._metrics.bus_failed(error)
            await asyncio.sleep(EVERY_S)

    async def _read_store(self) -> None:
        async with self._store.read(aside=True) as unit:
            waiting = await unit.outbox_counts()
            parked = await unit.count_parked()
        oldest = min((at for _, at in waiting.values()), default=0.0)
        self._metrics.outbox(
            sum(n for n, _ in waiting.values()), max(0.0, time.time() - oldest) if oldest else 0.0
        )
        self._metrics.parked(parked, parked)
