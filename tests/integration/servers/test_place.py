"""What the broker or an operator forgets is found again by the offsets in each node's own database."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

import nodes.inbox
from broker.bus import Delivery
from broker.topics import inbox, specs
from nodes.cases.case import State
from nodes.config import REGIONS
from nodes.desk.arrivals import Arrived
from nodes.store import note_restored
from tests.integration.desk.federation import Ground, Node, federation, filing
from tests.integration.servers.clearing import delete_topics, forget_group
from tests.integration.servers.conftest import Databases
from tests.integration.servers.whole import settled
from tests.servers.kafka import Kafka
from tests.servers.postgres import Postgres

pytestmark = pytest.mark.timeout(300)
OPTIONS: dict[str, object] = {"partitions": 2, "resend_after_s": 2.0}


@dataclass
class Readings:
    """Every message that any inbox opened: (region, partition, offset, incarnation)."""

    seen: list[tuple[str, int, int, str]] = field(default_factory=list)

    def of(self, region: str) -> list[tuple[str, int, int, str]]:
        """What that region read, in its order."""
        return [read for read in self.seen if read[0] == region]


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> Readings:
    found = Readings()
    really = nodes.inbox.open_delivery

    def noted(delivery: Delivery, region: str) -> Arrived:
        found.seen.append((region, delivery.partition, delivery.offset, delivery.incarnation))
        return really(delivery, region)

    monkeypatch.setattr(nodes.inbox, "open_delivery", noted)
    return found


async def closed(origin: Node, competent: Node) -> str:
    """One case, from filing to its end, at both."""
    number = await origin.filed(filing())
    await competent.until(number, lambda c: not c.awaiting_receipt)
    await competent.settle(number)
    await origin.until(number, lambda c: c.state is State.CLOSED)
    return number


async def test_a_group_that_the_broker_forgot(
    servers: Ground, databases: Databases, kafka: Kafka, readings: Readings, tmp_path: Path
) -> None:
    async with federation(tmp_path, "32", "31", **OPTIONS) as (origin, competent):
        first = await closed(origin, competent)
        for node in (origin, competent):
            await forget_group(kafka.bootstrap, node.parts.inbox.group)
        second = await closed(origin, competent)
    for region in ("31", "32"):
        await forget_group(kafka.bootstrap, f"tongban.node.{region}")
    async with federation(tmp_path, "32", "31", **OPTIONS) as (origin, competent):
        third = await closed(origin, competent)
        await settled({r: databases(r) for r in ("31", "32")}, [first, second, third])
    for region in ("31", "32"):
        read = readings.of(region)
        assert read
        assert len(read) == len(set(read)), "what was dealt with was read again"


async def test_a_topic_made_anew_under_running_nodes(
    servers: Ground, databases: Databases, kafka: Kafka, readings: Readings, tmp_path: Path
) -> None:
    async with federation(tmp_path, "31", **OPTIONS) as (competent,):
        async with federation(tmp_path, "32", **OPTIONS) as (origin,):
            first = await closed(origin, competent)
            second = await origin.filed(filing())
            await competent.until(second, lambda c: not c.awaiting_receipt)
            await origin.until(second, lambda c: not c.awaiting_receipt)
        # What the competent region sends now is taken by the bus, and gone with the topic before it is read.
        await competent.settle(second)
        await competent.eventually(lambda: _waiting(competent), 0)
        topic = inbox("32")
        before = await competent.parts.bus.incarnation(topic)
        async with federation(tmp_path, "34", **OPTIONS) as (other,):
            await delete_topics(kafka.bootstrap, [topic, inbox("31")])
            await other.parts.bus.ensure_topics(specs(REGIONS, other.parts.config.topic_plan))
        assert await competent.parts.bus.incarnation(topic) != before
        async with federation(tmp_path, "32", **OPTIONS) as (origin,):
            await origin.until(second, lambda c: c.state is State.CLOSED)
            third = await closed(origin, competent)
            await settled({r: databases(r) for r in ("31", "32")}, [first, second, third])
    for region in ("31", "32"):
        assert len({incarnation for *_, incarnation in readings.of(region)}) == 2


async def test_a_database_restored_from_an_older_copy(
    servers: Ground, databases: Databases, postgres: Postgres, readings: Readings, tmp_path: Path
) -> None:
    name, copy = databases.name("32"), f"{databases.name('32')}_copy"
    async with federation(tmp_path, "31", **OPTIONS) as (competent,):
        async with federation(tmp_path, "32", **OPTIONS) as (origin,):
            first = await origin.filed(filing())
            await origin.until(first, lambda c: not c.awaiting_receipt)
        postgres.execute(f'create database "{copy}" template "{name}"')
        async with federation(tmp_path, "32", **OPTIONS) as (origin,):
            await competent.settle(first)
            closed_then = await origin.until(first, lambda c: c.state is State.CLOSED)
            second = await origin.filed(filing())
            await origin.until(second, lambda c: not c.awaiting_receipt)
            await origin.eventually(lambda: _unacknowledged(competent), 0)
        postgres.execute(f'drop database "{name}"', f'create database "{name}" template "{copy}"')
        assert await note_restored(databases("32")) == 2
        before = len(readings.of("32"))
        async with federation(tmp_path, "32", **OPTIONS, recovery_s=5.0) as (origin,):
            assert await origin.until(first, lambda c: c.state is State.CLOSED) == closed_then
            # What was filed after the copy comes back from the region that took it.
            assert await origin.until(second, lambda _: True) == await competent.case(second)
            await origin.eventually(lambda: _problem(origin), "")  # 33 and 34 do not run
            third = await origin.filed(filing())
            assert third not in (first, second), "a number was given twice"
            await competent.until(third, lambda c: not c.awaiting_receipt)
            await settled({r: databases(r) for r in ("31", "32")}, [first, second, third])
        assert len(readings.of("32")) > before, "what came after the copy was not read again"


async def _problem(node: Node) -> str:
    return node.parts.recovery.problem


async def _waiting(node: Node) -> int:
    async with node.parts.store.read() as unit:
        return sum(count for count, _ in (await unit.outbox_counts()).values())


async def _unacknowledged(node: Node) -> int:
    async with node.parts.store.read() as unit:
        return len(await unit.unacked_before(float("inf"), 100))
