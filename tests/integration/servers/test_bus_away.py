"""The broker ends under running nodes and comes back; how far a region is behind, as its metrics say it."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from nodes import measuring
from nodes.cases.case import State
from tests.integration.desk.federation import Ground, Node, federation, filing
from tests.integration.servers.clearing import forget_group
from tests.integration.servers.whole import kept, settled
from tests.servers.kafka import Kafka

pytestmark = pytest.mark.timeout(300)
ANSWERED_S = 25.0
"""What a dozen answers may take on a busy machine: less than one patience of the bus, which is 30 s."""


async def test_a_broker_killed_under_running_nodes(servers: Ground, kafka: Kafka, tmp_path: Path) -> None:
    async with federation(tmp_path, "32", "31", partitions=2) as (origin, competent):
        first = await origin.filed(filing())
        await competent.until(first, lambda c: not c.awaiting_receipt)
        await origin.until(first, lambda c: not c.awaiting_receipt)
        await asyncio.to_thread(kafka.kill)
        began = time.monotonic()
        away = [await origin.filed(filing()) for _ in range(3)]
        await competent.settle(first)
        assert time.monotonic() - began < ANSWERED_S
        await asyncio.to_thread(kafka.start)
        for number in away:
            await competent.until(number, lambda c: not c.awaiting_receipt)
        await origin.until(first, lambda c: c.state is State.CLOSED)
        urls = {region: servers.database_url(region) for region in ("31", "32")}
        await settled(urls, [first, *away])
    await kept(urls, servers.bus_url)


async def test_the_lag_is_in_the_metrics(
    servers: Ground, kafka: Kafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "EVERY_S", 0.1)
    async with federation(tmp_path, "32", "31", partitions=2) as (origin, competent):
        reading = competent.parts.inbox
        first = await origin.filed(filing())
        await origin.until(first, lambda c: not c.awaiting_receipt)
        await competent.eventually(lambda: lag(competent), 0.0)
        await reading.close()
        away = [await origin.filed(filing()) for _ in range(5)]
        await competent.eventually(lambda: behind(competent, len(away)), True)
        await reading.start()
        for number in away:
            await competent.until(number, lambda c: not c.awaiting_receipt)
        await competent.eventually(lambda: lag(competent), 0.0)
        # A broker that forgets the group knows of no offset; the reader tells it its own.
        await forget_group(kafka.bootstrap, reading.group)
        await competent.eventually(lambda: lag(competent), 0.0)
        last = await origin.filed(filing())
        await competent.until(last, lambda c: not c.awaiting_receipt)
        await competent.eventually(lambda: lag(competent), 0.0)


async def lag(node: Node) -> float | None:
    return node.parts.metrics.registry.get_sample_value("tongban_inbox_lag")


async def behind(node: Node, least: int) -> bool:
    """Handovers and perhaps acknowledgements are there to be read."""
    return (await lag(node) or 0.0) >= least
