"""One node as a process: started, killed, paused, stopped, started again on the same database and port."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from tests.fault.cluster.serve import context, run
from tests.servers.process import LOOPBACK, free_port, tail

START_WITHIN_S = 60.0
STOP_WITHIN_S = 30.0


class NodeError(Exception):
    """A node did not start or stop. The message has the end of its log."""


@dataclass
class NodeProcess:
    """`settings`: environment variables without their prefix; `process`: its name among its region's."""

    region: str
    folder: Path
    settings: Mapping[str, str]
    process: str = "node"
    port: int = field(default_factory=free_port)
    starts: int = 0
    _child: ForkServerProcess | None = None

    @property
    def address(self) -> str:
        """host:port of its gRPC face."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def log(self) -> Path:
        """Everything that it said, over all starts."""
        return self.folder / f"{self.region}-{self.process}.log"

    @property
    def pid(self) -> int:
        """Of the running process, 0 when none runs."""
        return (self._child.pid or 0) if self._child is not None and self._child.is_alive() else 0

    def launch(self, points: Mapping[str, str] | None = None) -> None:
        """Starts it and does not wait. `points`: the failpoints of this start alone."""
        if self.pid:
            return
        settings = {
            "REGION": self.region,
            "LISTEN": self.address,
            "PROCESS": self.process,
            "LOG_LEVEL": "warning",
            **self.settings,
        }
        environment = {f"TONGBAN_{name}": value for name, value in settings.items()}
        self._child = context().Process(target=run, args=(environment, self.log, points or {}))
        self._child.start()
        self.starts += 1

    def await_serving(self) -> None:
        """Returns when it takes calls. Raises NodeError."""
        deadline = time.monotonic() + START_WITHIN_S
        while True:
            with suppress(OSError), socket.create_connection((LOOPBACK, self.port), timeout=1):
                return
            if not self.pid or time.monotonic() > deadline:
                raise NodeError(f"node {self.region} does not serve:\n{tail(self.log)}")
            time.sleep(0.05)

    def start(self, points: Mapping[str, str] | None = None) -> None:
        """Launches it and waits until it serves. Raises NodeError."""
        self.launch(points)
        self.await_serving()

    def kill(self) -> None:
        """kill -9."""
        self._signal(signal.SIGKILL)
        self._reap()

    def stop(self) -> None:
        """An orderly stop. Raises NodeError when it takes too long."""
        self._signal(signal.SIGCONT)
        self._signal(signal.SIGTERM)
        self._reap()

    def pause(self) -> None:
        """It stands still: its connections stay open and nothing is answered."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """After pause, it goes on."""
        self._signal(signal.SIGCONT)

    def await_death(self, within_s: float) -> None:
        """Until a failpoint has killed it. Raises NodeError when it lives on."""
        if self._child is not None:
            self._child.join(within_s)
        if self.pid:
            raise NodeError(f"node {self.region} lives on:\n{tail(self.log)}")

    def _signal(self, number: signal.Signals) -> None:
        if self.pid:
            os.kill(self.pid, number)

    def _reap(self) -> None:
        if self._child is None:
            return
        self._child.join(STOP_WITHIN_S)
        if self.pid:
            self._child.kill()
            self._child.join()
            raise NodeError(f"node {self.region} did not stop:\n{tail(self.log)}")
