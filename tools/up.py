"""Four nodes on this machine, one a region, kept running: `make up` starts them, `make down` stops them.

Knows processes, ports and the file that tells the command line where nodes are. Must not know anything of
cases. Everything lies under var/up and listens on loopback: one embedded bus, one SQLite file a region.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import grpc
import psutil
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.servers.process import LOOPBACK, PidFile, alive, free_port, locked, signal_all, spawn, tail

REGIONS: Final = {"31": "上海 Shanghai", "32": "江苏 Jiangsu", "33": "浙江 Zhejiang", "34": "安徽 Anhui"}
TONGBAN: Final = (str(Path(sys.executable).with_name("tongban")), "serve", "--region")
NEXT: Final = """\
Next:
  .venv/bin/tongban doctor                                    what runs, what lags
  .venv/bin/tongban matters                                   what can be filed
  .venv/bin/tongban explain HF-003 --origin 320509            who decides it, how long, what is needed
  .venv/bin/tongban file --help                               file it, then: tongban track CASE --watch
  make down                                                   stop the nodes"""


@dataclass(frozen=True, slots=True)
class Node:
    """One region's node. region: two digits. home: the folder that all nodes lie in."""

    region: str
    home: Path

    @property
    def log(self) -> Path:
        """What it has said since it was started."""
        return self.home / f"{self.region}.log"

    @property
    def pid(self) -> Path:
        """The file of its process: left behind by one that died, removed by `down`."""
        return self.home / f"{self.region}.pid"

    @property
    def process(self) -> psutil.Process | None:
        """Its process, None when it does not run."""
        return PidFile(self.pid).read()

    @property
    def has_died(self) -> bool:
        """It was started and never stopped, and is not there."""
        return self.pid.exists() and self.process is None

    def put_log_away(self) -> None:
        """Begin a new one; that of the run before is kept beside it."""
        if self.log.exists():
            self.log.replace(self.log.with_suffix(".log.before"))

    def last_words(self) -> str:
        """That it ended, and the end of its log."""
        return f"Node {self.region} is no longer running. The end of {self.log}:\n{tail(self.log, 6)}\n"


@dataclass(frozen=True, slots=True)
class Federation:
    """The nodes of one folder. program: the command that runs a node, to which the region is added."""

    home: Path = Path("var/up")
    program: Sequence[str] = TONGBAN
    regions: Sequence[str] = tuple(REGIONS)
    start_within_s: float = 60.0
    stop_within_s: float = 30.0
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))  # noqa: TID251  # handed on

    @property
    def nodes(self) -> list[Node]:
        """One a region."""
        return [Node(region, self.home) for region in self.regions]

    @property
    def noted(self) -> Path:
        """The file that the command line reads: region -> host:port, of nodes that answer."""
        return self.home / "nodes.json"

    @property
    def _ports(self) -> Path:
        return self.home / "ports.json"

    def up(self) -> int:
        """Start what does not run and wait until all answer; 0 when they do, 1 when one does not."""
        with locked(self.home / "lock"):
            missing = [node for node in self.nodes if node.process is None]
            for node in missing:
                if node.has_died:
                    print(node.last_words())
            addresses = self._addresses(kept=len(missing) < len(self.regions))
            if missing:
                print(f"Starting the nodes of {', '.join(node.region for node in missing)} …", flush=True)
            for node in missing:
                node.put_log_away()
                PidFile(node.pid).write(self._start(node, addresses))
            for node in self.nodes:
                if not self._answers(node, addresses[node.region]):
                    return 1
            self.noted.write_text(json.dumps(addresses))
            print("The nodes are running:" if missing else "The nodes are running already:")
            for region, address in addresses.items():
                print(f"  {region} {REGIONS[region]:<16} {address}")
            print(NEXT)
            return 0

    def down(self) -> int:
        """Ask every node to stop and wait until it has drained; 0, or 1 when one had to be killed."""
        with locked(self.home / "lock"):
            if not any(node.pid.exists() for node in self.nodes):
                print("No nodes are running.")
                return 0
            for node in self.nodes:
                if node.has_died:
                    print(node.last_words())
            running = [process for node in self.nodes if (process := node.process)]
            signal_all(running, signal.SIGTERM)
            _, late = psutil.wait_procs(running, timeout=self.stop_within_s)
            for process in late:
                print(f"Process {process.pid} did not stop within {self.stop_within_s:g} s and was killed.")
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            for file in (self.noted, *(node.pid for node in self.nodes)):
                file.unlink(missing_ok=True)
            print(f"The nodes have stopped; their data stay in {self.home}.")
            return 1 if late else 0

    def _addresses(self, *, kept: bool) -> dict[str, str]:
        """Where each node listens: 127.0.0.1:50031 and so on, another port where that one is taken."""
        if kept and self._ports.exists():
            return {
                str(region): str(address) for region, address in json.loads(self._ports.read_text()).items()
            }
        found = {region: f"{LOOPBACK}:{_port(50_000 + int(region))}" for region in self.regions}
        self._ports.write_text(json.dumps(found))
        return found

    def _start(self, node: Node, addresses: Mapping[str, str]) -> psutil.Process:
        peers = {region: address for region, address in addresses.items() if region != node.region}
        own = {
            "TONGBAN_LISTEN": addresses[node.region],
            "TONGBAN_PEERS": json.dumps(peers),
            "TONGBAN_DATABASE_URL": f"sqlite:///{self.home / node.region}.db",
            "TONGBAN_BUS_URL": f"sqlite:///{self.home / 'bus.db'}",
            "TONGBAN_MATERIALS_DIR": str(self.home / f"{node.region}-materials"),
        }
        return spawn([*self.program, node.region], node.log, {**self.environment, **own})

    def _answers(self, node: Node, address: str) -> bool:
        """Wait until the node says that it serves; False, and why, when it ends or takes too long."""
        deadline = time.monotonic() + self.start_within_s
        question = health_pb2.HealthCheckRequest()
        with grpc.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)]) as channel:
            stub = health_pb2_grpc.HealthStub(channel)
            while alive(node.process) and time.monotonic() < deadline:
                with suppress(grpc.RpcError):
                    for said in stub.Watch(question, wait_for_ready=True, timeout=1):
                        if said.status == health_pb2.HealthCheckResponse.SERVING:
                            return True
        if node.process is None:
            print(node.last_words(), file=sys.stderr)
        else:
            print(f"Node {node.region} does not answer at {address}; see {node.log}.", file=sys.stderr)
        print("`make down` stops the others; `make up` tries again.", file=sys.stderr)
        return False


def _port(wanted: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, wanted))
        except OSError:
            return free_port()
    return wanted


if __name__ == "__main__":
    sys.exit(Federation().up() if sys.argv[1:] == ["up"] else Federation().down())
