"""The same on a Kafka and a PostgreSQL: a node is killed, and the checker reads them as it reads files."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.fault.checker.judge import check
from tests.fault.cluster.cluster import Cluster, running
from tests.fault.servers import Servers
from tests.fault.traffic.drive import drive
from tests.fault.traffic.plan import planned
from tests.servers.kafka import Kafka
from tests.servers.postgres import Postgres

KINDS = ("plain", "corrected", "race", "refused")


@pytest.mark.timeout(300)
def test_no_promise_is_broken_and_what_is_planted_is_named(
    kafka: Kafka, postgres: Postgres, tmp_path: Path
) -> None:
    asyncio.run(_tried(Servers(kafka, postgres), tmp_path))


async def _tried(servers: Servers, folder: Path) -> None:
    cluster = await servers.cluster(folder)
    with running(cluster):
        journeys = planned(5, rate=2.0, seconds=4.0, only=KINDS)
        traffic = asyncio.create_task(drive(journeys, cluster.addresses, cluster.history))
        node = cluster.nodes["32"]
        await asyncio.to_thread(node.kill)
        await asyncio.to_thread(node.start)
        report = await traffic
        assert report.ends["done"] == len(journeys), str(report)
        verdict, _ = await cluster.settled()
        assert not verdict.violations
        assert verdict.counts["sent"] == verdict.counts["applied"] > 20
    await _planted(cluster, servers.postgres)


async def _planted(cluster: Cluster, postgres: Postgres) -> None:
    first = "SELECT min(number) FROM case_row WHERE NOT owned"
    postgres.execute(f"UPDATE case_row SET owned = true WHERE number = ({first})", database="fault_32")
    postgres.execute("DELETE FROM answer WHERE answer IS NOT NULL", database="fault_33")
    named = {v.name for v in (await check(cluster.places)).violations}
    assert named >= {"two_owners", "stale_row", "forgotten_answer"}
