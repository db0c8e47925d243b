"""The bus contract on the embedded bus."""

import asyncio
from pathlib import Path

from typing_extensions import override

from broker.bus import EventBus
from broker.sqlite import SqliteBus
from tests.contract.bus.backend import BusBackend


class SqliteBackend(BusBackend):
    name = "sqlite"
    session_timeout_s = 1.0

    def __init__(self, path: Path) -> None:
        self.path = path

    @override
    def bus(self) -> SqliteBus:
        return SqliteBus(self.path, session_timeout_s=self.session_timeout_s)

    @override
    async def delete_topic(self, topic: str) -> None:
        async with self.opened() as bus:
            assert isinstance(bus, SqliteBus)
            await bus.delete_topic(topic)

    @override
    async def abandon(self, bus: EventBus) -> None:
        assert isinstance(bus, SqliteBus)
        for task in bus._tasks:
            task.cancel()
        await asyncio.gather(*bus._tasks, return_exceptions=True)
        assert bus._threads is not None
        await asyncio.gather(*(thread.close() for thread in bus._threads))
        bus._threads = None
