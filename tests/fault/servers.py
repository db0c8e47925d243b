"""A Kafka, three of them and a PostgreSQL for the fault runs, and a fresh federation on them.

Knows tests/servers, how topics are forgotten, and where proxies stand. Must not know faults.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiokafka.admin import AIOKafkaAdminClient

from tests.fault.cluster.cluster import REGIONS, Cluster, on_servers
from tests.fault.disk import disk, may_mount
from tests.fault.proxy.net import Net
from tests.servers.kafka import Kafka, KafkaCluster
from tests.servers.postgres import Postgres
from tests.servers.process import LOOPBACK, ServerError
from tests.servers.shared import ROOT, Run, sweep

GONE_WITHIN_S: Final = 20.0
SMALL_MB: Final = 4096
QUICK: Final = "-XX:TieredStopAtLevel=1"
"""Brokers here start often and work little."""
ROUTES: Final = tuple(f"NODE{region}" for region in REGIONS)


@dataclass
class Servers:
    """One broker and a database server, serving. `three`: starts three brokers when they are first wanted."""

    kafka: Kafka
    postgres: Postgres
    three: Callable[[], KafkaCluster] | None = None
    _brokers: KafkaCluster | None = None

    @property
    def brokers(self) -> KafkaCluster:
        """The three, serving since `cluster` was first called for three."""
        if self._brokers is None:
            if self.three is None:
                raise ServerError("no three brokers can be had here")
            self._brokers = self.three()
        return self._brokers

    def heal(self) -> None:
        """Whatever was done to them, those that were used last serve again."""
        self.postgres.heal()
        (self.kafka if self._brokers is None else self._brokers).heal()

    async def cluster(
        self, folder: Path, net: Net | None = None, *, wired: bool = False, brokers: int = 1, **settings: str
    ) -> Cluster:
        """Four nodes with empty databases and without a message. `wired`: each reaches broker and database
        through proxies of its own in `net`, named "31>bus" and "31>database".
        """
        self.postgres.heal()
        if brokers > 1:
            await asyncio.to_thread(self.kafka.stop)  # it would only take time from the others
            bus: Kafka | KafkaCluster = await asyncio.to_thread(lambda: self.brokers)
            settings = {"REPLICATION": str(brokers), "MIN_INSYNC": str(brokers - 1), **settings}
        else:
            bus = self.kafka
        await asyncio.to_thread(bus.heal)
        await _forget_topics(bus.bootstrap)
        databases = {region: self.postgres.url(f"fault_{region}") for region in REGIONS}
        seen = self._wired(net, databases) if wired and net is not None else {}
        return on_servers(folder, bus.url, databases, net, seen, **settings)

    def _wired(self, net: Net, databases: Mapping[str, str]) -> Mapping[str, Mapping[str, str]]:
        seen = {}
        for region, name in zip(REGIONS, ROUTES, strict=True):
            route = self.kafka.routes[name]
            bus = net.add(f"{region}>bus", LOOPBACK, route.port, route.via)
            database = net.add(f"{region}>database", LOOPBACK, self.postgres.port)
            url = databases[region].replace(f"{LOOPBACK}:{self.postgres.port}", database, 1)
            seen[region] = {"BUS_URL": f"kafka://{bus}", "DATABASE_URL": url}
        return seen


@contextmanager
def own_servers(name: str) -> Iterator[Servers]:
    """Servers of a run of their own, ended with it; on small disks where those can be had."""
    sweep()
    os.environ.setdefault("JAVA_TOOL_OPTIONS", QUICK)
    run = Run(ROOT / name)
    run.own()
    try:
        with ExitStack() as disks:
            if may_mount():
                for each in ("kafka", "postgres"):
                    disks.enter_context(disk(run.folder / each, SMALL_MB))
            try:
                yield Servers(run.kafka(ROUTES), run.postgres(), run.cluster)
            finally:
                run.end(keep_logs=True)
    finally:
        shutil.rmtree(run.folder, ignore_errors=True)


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
