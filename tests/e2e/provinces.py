"""Four nodes as four processes of `tongban serve`, on the embedded bus, and the command line beside them."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.servers.process import LOOPBACK, free_port, tail

REGIONS = ("31", "32", "33", "34")
TONGBAN = (sys.executable, "-m", "nodes")
START_S = 120.0
"""Until a node serves: a process a region starts at once, on a machine that others use too."""
CALL_S = 90.0


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """The result, of a command that was given --json."""
        return json.loads(self.out)


More = Callable[[str], Mapping[str, str]]


def _nothing_more(_: str) -> Mapping[str, str]:
    return {}


class Provinces:
    """The nodes, and a reader's shell in `folder`."""

    def __init__(self, folder: Path, more: More = _nothing_more) -> None:
        """`more`: settings of a region's node beside or instead of the usual ones."""
        self.folder = folder
        self._more = more
        self.addresses = {region: f"{LOOPBACK}:{free_port()}" for region in REGIONS}
        self._nodes: dict[str, subprocess.Popen[bytes]] = {}
        self._shell = {
            **{name: value for name, value in os.environ.items() if not name.startswith("TONGBAN_")},
            "TONGBAN_NODES_FILE": str(folder / "nodes.json"),
            "TONGBAN_LANG": "en",
            "COLUMNS": "100",
            "NO_COLOR": "1",
        }
        (folder / "nodes.json").write_text(json.dumps(self.addresses))

    def log(self, region: str) -> Path:
        """What a node has said."""
        return self.folder / f"{region}.log"

    def start(self) -> None:
        """All four at once; returns when each serves. AssertionError with its log for one that does not."""
        for region, address in self.addresses.items():
            peers = {other: at for other, at in self.addresses.items() if other != region}
            own = {
                "TONGBAN_LISTEN": address,
                "TONGBAN_PEERS": json.dumps(peers),
                "TONGBAN_DATABASE_URL": f"sqlite:///{self.folder / region}.db",
                "TONGBAN_BUS_URL": f"sqlite:///{self.folder / 'bus.db'}",
                "TONGBAN_MATERIALS_DIR": str(self.folder / f"{region}-materials"),
                **self._more(region),
            }
            with self.log(region).open("ab") as log:
                self._nodes[region] = subprocess.Popen(
                    [*TONGBAN, "serve", "--region", region],
                    env={**self._shell, **own},
                    stdout=log,
                    stderr=log,
                )
        deadline = time.monotonic() + START_S
        for region in REGIONS:
            assert self._serves(region, deadline), f"{region} does not serve:\n{tail(self.log(region))}"

    def _serves(self, region: str, deadline: float) -> bool:
        with grpc.insecure_channel(self.addresses[region]) as channel:
            stub = health_pb2_grpc.HealthStub(channel)
            while self._nodes[region].poll() is None and time.monotonic() < deadline:
                try:
                    for said in stub.Watch(health_pb2.HealthCheckRequest(), wait_for_ready=True, timeout=1):
                        if said.status == health_pb2.HealthCheckResponse.SERVING:
                            return True
                except grpc.RpcError:
                    continue
        return False

    def stop(self) -> dict[str, int]:
        """Ask each to stop; the exit code of each once it has drained."""
        for node in self._nodes.values():
            node.send_signal(signal.SIGTERM)
        return {region: node.wait(timeout=60) for region, node in self._nodes.items()}

    def kill(self) -> None:
        """Whatever still runs."""
        for node in self._nodes.values():
            if node.poll() is None:
                node.kill()
                node.wait()

    def begin(self, *arguments: str) -> "subprocess.Popen[str]":
        """A command that goes on beside others."""
        return subprocess.Popen(
            [*TONGBAN, *arguments],
            env=self._shell,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str) -> Ended:
        """A command, to its end."""
        return ended(self.begin(*arguments))


def ended(command: "subprocess.Popen[str]") -> Ended:
    """How it ended, once it has."""
    out, err = command.communicate(timeout=CALL_S)
    return Ended(command.returncode, out, err)


@contextmanager
def provinces(folder: Path, more: More = _nothing_more) -> Iterator[Provinces]:
    """Four nodes that serve; none is left behind."""
    found = Provinces(folder, more)
    try:
        found.start()
        yield found
    finally:
        found.kill()


def state(answer: Mapping[str, Any]) -> str:
    """The state in an answer of `track --json`."""
    return str(answer["case"]["state"])
