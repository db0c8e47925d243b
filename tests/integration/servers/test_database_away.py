"""PostgreSQL ends under running nodes and comes back: who files is told, and nothing acknowledged is lost."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from nodes.cases.case import State
from nodes.desk.work import DeskError
from nodes.rpc.faults import fault_of
from nodes.store.errors import StoreError
from tests.integration.desk.federation import PATIENCE_S, Ground, Node, federation, filing, person
from tests.integration.servers.whole import histories, kept, settled
from tests.servers.postgres import Postgres
from tongban.v1 import case_service_pb2

pytestmark = pytest.mark.timeout(300)
OPTIONS: dict[str, object] = {"partitions": 2, "resend_after_s": 3.0}
FILERS = 4


class Filer:
    """Files one case after the other, each until it is acknowledged, always with the same request id."""

    def __init__(self, node: Node, name: str) -> None:
        self._node, self._name = node, name
        self.numbers: list[str] = []
        self.told: set[str] = set()
        """The codes of the faults it was told."""
        self.failed = 0

    async def run(self, done: asyncio.Event) -> None:
        for n in itertools.count():
            if done.is_set():
                return
            self.numbers.append(await self._filed(f"{self._name}-{n}"))

    async def _filed(self, request_id: str) -> str:
        new = filing(applicant=person(f"测试{self._name}"))
        while True:
            try:
                async with asyncio.timeout(60):
                    answer = await self._node.file(new, request_id=request_id)
            except (DeskError, StoreError) as error:
                self.told.add(fault_of(error).code)
                self.failed += 1
                await asyncio.sleep(0.05)  # as a caller does that was told UNAVAILABLE
                continue
            assert not answer.refused, answer.body
            return case_service_pb2.FileResponse.FromString(answer.body).case_number


async def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


async def test_postgres_killed_and_restarted_while_filing_goes_on(
    servers: Ground, postgres: Postgres, tmp_path: Path
) -> None:
    async with federation(tmp_path, "32", "31", **OPTIONS) as (origin, competent):
        first = await origin.filed(filing())
        await competent.until(first, lambda c: not c.awaiting_receipt)
        done = asyncio.Event()
        filers = [Filer(origin, f"f{n}") for n in range(FILERS)]
        running = asyncio.gather(*(filer.run(done) for filer in filers))
        try:
            await until(lambda: min(len(filer.numbers) for filer in filers) > 1)
            await asyncio.to_thread(postgres.kill)
            await until(lambda: min(filer.failed for filer in filers) > 0)
            await asyncio.to_thread(postgres.start)
            before = max(len(filer.numbers) for filer in filers)
            await until(lambda: min(len(filer.numbers) for filer in filers) > before)
        finally:
            done.set()
            await running
        assert set().union(*(filer.told for filer in filers)) == {"UNAVAILABLE"}
        acknowledged = [number for filer in filers for number in filer.numbers]
        assert len(acknowledged) == len(set(acknowledged))
        await competent.settle(first)
        await origin.until(first, lambda c: c.state is State.CLOSED)
        urls = {region: servers.database_url(region) for region in ("31", "32")}
        await settled(urls, [first, *acknowledged])
        # No filing was taken twice.
        assert set(await histories(urls["32"])) == {first, *acknowledged}
        for node in (origin, competent):
            parts = node.parts
            for room in (parts.relay, parts.inbox, parts.timers, parts.automatic, parts.changes):
                await until(partial(lambda room: not room.problem, room))
    await kept(urls, servers.bus_url)
