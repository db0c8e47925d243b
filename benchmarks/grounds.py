"""The ground that a benchmark runs on: servers of its own, a folder, and processes that end with it.

Knows how servers and processes are started and stopped. Must not know what runs in them.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.servers.kafka import Kafka
from tests.servers.postgres import Postgres
from tests.servers.process import PidFile, alive, signal_all, spawn, tail, wait_gone
from tests.servers.shared import ROOT, Run, sweep

REPOSITORY = Path(__file__).parents[1]
STOP_WITHIN_S = 20.0


class ProcessEnded(Exception):
    """A process that was started here has ended by itself. The message holds the end of its log."""


@dataclass(slots=True)
class Ground:
    """A folder, and what was started on it."""

    folder: Path
    kafka: Kafka | None = None
    postgres: Postgres | None = None
    started: dict[str, psutil.Process] = field(default_factory=dict)

    def run(self, name: str, words: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        """Starts a Python module, `words` being its name and arguments, as a process of that name."""
        inherited = {key: value for key, value in _environment() if not key.startswith("TONGBAN_")}
        paths = os.pathsep.join([str(self.folder), str(REPOSITORY), str(REPOSITORY / "proto")])
        given = {**inherited, "PYTHONPATH": paths, **(environment or {})}
        self.started[name] = spawn([sys.executable, "-m", *words], self.log(name), given)

    def log(self, name: str) -> Path:
        """Where a process writes."""
        return self.folder / f"{name}.log"

    def check(self) -> None:
        """Raises ProcessEnded when something that was started is gone."""
        for name, process in self.started.items():
            if not alive(process):
                raise ProcessEnded(f"{name} has ended:\n{tail(self.log(name))}")

    def stop(self, *names: str) -> None:
        """Stops processes in good order, all of them by default; kills those that take too long."""
        ending = [self.started.pop(name) for name in names or tuple(self.started)]
        signal_all(ending, signal.SIGTERM)
        try:
            wait_gone(ending, within_s=STOP_WITHIN_S)
        finally:
            signal_all([process for process in ending if alive(process)], signal.SIGKILL)

    def processes(self) -> dict[str, psutil.Process]:
        """Everything that is at work: the load itself, what was started, the servers."""
        found = {"load": psutil.Process(), **self.started}
        if self.kafka is not None and self.kafka.process is not None:
            found["kafka"] = self.kafka.process
        if self.postgres is not None:
            postmaster = PidFile(self.postgres.folder / "pid").read()
            if postmaster is not None:
                found["postgres"] = postmaster
        return found


def _environment() -> Iterable[tuple[str, str]]:
    return os.environ.items()  # noqa: TID251 - handed on to what is started


@contextmanager
def ground(*, servers: bool, name: str = "") -> Iterator[Ground]:
    """A ground, with a Kafka and a PostgreSQL of its own when asked for; everything on it ends with it.

    `name`: tells grounds of one process apart.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # who is told to end still clears the ground
    sweep()
    servers_of_this = Run(ROOT / f"bench-{os.getpid()}{name}")
    servers_of_this.own()
    folder = Path(tempfile.mkdtemp(prefix="tongban-bench-"))
    made = Ground(folder)
    try:
        if servers:
            made.kafka, made.postgres = servers_of_this.kafka(), servers_of_this.postgres()
        yield made
    finally:
        try:
            made.stop()
        finally:
            servers_of_this.end(keep_logs=False)
            shutil.rmtree(folder, ignore_errors=True)
