"""Four regions on one bus: all nodes together, and where the checker finds what they leave behind."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from tests.fault.checker.facts import Restore
from tests.fault.checker.judge import Places, Verdict, check
from tests.fault.cluster.clock import START, ClockFile
from tests.fault.cluster.node import NodeProcess
from tests.fault.proxy.net import Net
from tests.servers.process import LOOPBACK

REGIONS = ("31", "32", "33", "34")
SETTLE_WITHIN_S = 60.0
"""The promise: owner and mirrors converge within 60 s after faults stop."""
COMMON: Final = {"RESEND_AFTER_S": "2", "POLL_S": "0.1", "LANE_LEASE_S": "2", "RPC_TIMEOUT_S": "3"}
Checks = Callable[[Places], Awaitable[Verdict]]
NOTHING: Final[Mapping[str, Mapping[str, str]]] = {}


@dataclass
class Cluster:
    """The nodes by region. `databases`: region -> URL; `clocks`: of nodes whose business time is moved."""

    folder: Path
    bus: str
    databases: Mapping[str, str]
    nodes: dict[str, NodeProcess]
    clocks: dict[str, ClockFile] = field(default_factory=dict)
    joined: list[NodeProcess] = field(default_factory=list)
    restores: list[Restore] = field(default_factory=list)

    def join(self, region: str, process: str) -> NodeProcess:
        """One more process of that region on its database, not started yet; it ends with the cluster."""
        taken = "METRICS_PORT"  # by the first
        settings = {name: said for name, said in self.nodes[region].settings.items() if name != taken}
        made = NodeProcess(region, self.folder, settings, process)
        self.joined.append(made)
        return made

    @property
    def data(self) -> Path:
        """Where database files, the embedded bus and materials lie; logs and history lie beside it."""
        return data_of(self.folder)

    @property
    def addresses(self) -> dict[str, str]:
        """Region -> host:port."""
        return {region: node.address for region, node in self.nodes.items()}

    @property
    def history(self) -> Path:
        """Where the load generator notes its calls."""
        return self.folder / "history.jsonl"

    @property
    def business_now(self) -> datetime | None:
        """Business time that has passed at every node; None for the wall clock."""
        return min((clock.now() for clock in self.clocks.values()), default=None)

    @property
    def places(self) -> Places:
        """What the checker reads."""
        history = self.history if self.history.exists() else None
        return Places(
            databases=self.databases, bus=self.bus, history=history, business_now=self.business_now,
            restores=tuple(self.restores),
        )  # fmt: skip

    def start(self) -> None:
        """All of them, at once."""
        for node in self.nodes.values():
            node.launch()
        for node in self.nodes.values():
            node.await_serving()

    def stop(self) -> None:
        """All of them, at once and in good order."""
        for node in self.nodes.values():
            node.resume()
        for node in self.nodes.values():
            node.stop()

    def kill(self) -> None:
        """All of them, whatever state they are in."""
        for node in (*self.nodes.values(), *self.joined):
            node.kill()

    async def settled(
        self, within_s: float = SETTLE_WITHIN_S, *, may_park: bool = False, checked: Checks = check
    ) -> tuple[Verdict, float]:
        """The verdict as soon as no promise is broken, else the last one; and how long that took. `checked`:
        what reads and judges.
        """
        began = time.monotonic()
        pause_s = 0.5
        while True:
            verdict = await checked(replace(self.places, may_park=may_park))
            took_s = time.monotonic() - began
            if not verdict.violations or took_s > within_s:
                return verdict, took_s
            await asyncio.sleep(pause_s)
            pause_s = min(4.0, pause_s * 1.5)


def data_of(folder: Path) -> Path:
    """The folder of a cluster's data."""
    return folder / "data"


def embedded(folder: Path, net: Net | None = None, **settings: str) -> Cluster:
    """Four nodes, each with a database file, on one embedded bus. `net`: where they reach each other through
    proxies, named "31>32".
    """
    data = data_of(folder)
    data.mkdir(parents=True, exist_ok=True)
    databases = {region: f"sqlite:///{data}/{region}.db" for region in REGIONS}
    return _cluster(folder, f"sqlite:///{data}/bus.db", databases, net, {}, settings)


def on_servers(
    folder: Path, bus: str, databases: Mapping[str, str], net: Net | None = None,
    seen: Mapping[str, Mapping[str, str]] = NOTHING, **settings: str,
) -> Cluster:  # fmt: skip
    """Four nodes on a Kafka and four PostgreSQL databases. `seen`: settings of a region's node alone."""
    data_of(folder).mkdir(parents=True, exist_ok=True)
    return _cluster(folder, bus, databases, net, seen, settings)


def _cluster(
    folder: Path, bus: str, databases: Mapping[str, str], net: Net | None,
    seen: Mapping[str, Mapping[str, str]], settings: Mapping[str, str],
) -> Cluster:  # fmt: skip
    settings = dict(settings)
    own_clocks = settings.pop("BUSINESS_CLOCK", "") == "own"
    common = {**COMMON, "BUS_URL": bus, **settings}
    nodes = {}
    for region, url in databases.items():
        place = {"DATABASE_URL": url, "MATERIALS_DIR": str(data_of(folder) / f"materials-{region}")}
        nodes[region] = NodeProcess(region, folder, {**common, **place, **seen.get(region, {})})
    for region, node in nodes.items():
        peers = {
            other: net.add(f"{region}>{other}", LOOPBACK, n.port) if net is not None else n.address
            for other, n in nodes.items()
            if other != region
        }
        node.settings = {**node.settings, "PEERS": json.dumps(peers)}
    cluster = Cluster(folder, bus, databases, nodes)
    for region, node in nodes.items() if own_clocks else ():
        clock = cluster.clocks[region] = ClockFile(folder / f"{region}.clock")
        clock.put(START)
        node.settings = {**node.settings, "BUSINESS_CLOCK": str(clock.path)}
    return cluster


@contextmanager
def running(cluster: Cluster) -> Iterator[Cluster]:
    """The cluster while it runs; whatever happens, no process is left behind."""
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.kill()
