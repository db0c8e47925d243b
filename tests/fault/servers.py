"""A Kafka and a PostgreSQL for the fault runs, and a fresh federation on them for each fault.

Knows tests/servers, and how topics are forgotten. Must not know faults.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiokafka.admin import AIOKafkaAdminClient

from tests.fault.cluster.cluster import REGIONS, Cluster, on_servers
from tests.servers.kafka import Kafka
from tests.servers.postgres import Postgres
from tests.servers.process import ServerError
from tests.servers.shared import ROOT, Run

GONE_WITHIN_S: Final = 20.0


@dataclass(frozen=True)
class Servers:
    """Both, serving."""

    kafka: Kafka
    postgres: Postgres

    async def cluster(self, folder: Path, **settings: str) -> Cluster:
        """Four nodes with empty databases and without a message."""
        self.kafka.heal()
        self.postgres.heal()
        await _forget_topics(self.kafka.bootstrap)
        databases = {region: self.postgres.url(f"fault_{region}") for region in REGIONS}
        return on_servers(folder, self.kafka.url, databases, **settings)


@contextmanager
def own_servers(name: str) -> Iterator[Servers]:
    """Servers of a run of their own, ended with it."""
    run = Run(ROOT / name)
    run.own()
    try:
        yield Servers(run.kafka(), run.postgres())
    finally:
        run.end(keep_logs=True)


async def _forget_topics(bootstrap: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        async with asyncio.timeout(GONE_WITHIN_S):
            while topics := [t for t in await admin.list_topics() if t.startswith("tongban.")]:
                await admin.delete_topics(topics)
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise ServerError("Kafka does not forget its topics") from None
    finally:
        await admin.close()
