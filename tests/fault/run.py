"""The fault runs: `make fault`, each fault by name under traffic, and the checker's word on it afterwards.

    python -m tests.fault.run [--long] [--seed N] [--only NAME …] [--servers] [--keep DIRECTORY]

Prints a line a fault. 0: no promise was broken; 1: one was, and the run's folder is kept.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from typing_extensions import override

from tests.fault.checker.facts import Violation
from tests.fault.cluster.cluster import Cluster, data_of, embedded, running
from tests.fault.faults import clocks, failpoints, files, messages, processes, servers
from tests.fault.faults.arena import EMBEDDED, FAULTS, SERVERS, Arena, Fault, happens
from tests.fault.servers import Servers, own_servers
from tests.fault.traffic.drive import Report, drive
from tests.fault.traffic.plan import planned

ROOMS = (processes, failpoints, files, messages, clocks, servers)
"""Importing them registers their faults."""


@dataclass(frozen=True)
class Pace:
    """How much traffic there is beside a fault, at least, and for as long as the fault lasts.

    `rate`: journeys a second; `before_s`: until the fault; `after_s`: when it is over.
    """

    rate: float = 2.0
    before_s: float = 2.0
    after_s: float = 2.0
    patience_s: float = 45.0


SHORT, LONG = Pace(), Pace(rate=5.0, before_s=10.0, after_s=10.0, patience_s=700.0)
AT_MOST_S = 1200.0


@dataclass(frozen=True)
class Outcome:
    """What one fault came to.

    `fault_s`: how long it lasted; `settle_s`: from the end of fault and traffic until nothing is broken.
    """

    fault: Fault
    report: Report
    fault_s: float
    settle_s: float
    violations: Sequence[Violation]
    counts: dict[str, int]
    notes: Sequence[str]
    took_s: float

    @property
    def held(self) -> bool:
        """Whether every promise was kept, and every journey came to its end."""
        return not self.violations and not self.report.ends["given up"]

    @override
    def __str__(self) -> str:
        said = "held  " if self.held else "BROKEN"
        counts = ", ".join(f"{count} {word}" for word, count in self.counts.items() if count)
        took = f"{self.fault_s:4.1f} s, settled in {self.settle_s:4.1f} s of {self.took_s:4.0f} s"
        lines = [f"{said} {self.fault.name:<20} {took} | {counts} | {self.report}"]
        lines += [f"         {note}" for note in self.notes]
        lines += [
            f"         {v.invariant} {v.name} {v.case} {v.region}: {v.evidence}" for v in self.violations[:20]
        ]
        return "\n".join(lines)


async def tried(
    chosen: Fault, folder: Path, seed: int, *, long: bool = False, pace: Pace = SHORT,
    on: Servers | None = None,
) -> Outcome:  # fmt: skip
    """One fault on a federation of its own: embedded, or `on` a Kafka and a PostgreSQL."""
    began = time.monotonic()
    arena = Arena(await _cluster(chosen, folder, on), random.Random(f"{seed}-{chosen.name}"), long)
    cluster = arena.cluster
    if on is not None:
        arena.kafka, arena.postgres = on.kafka, on.postgres
    with running(cluster):
        enough = asyncio.Event()
        journeys = planned(seed, rate=pace.rate, seconds=AT_MOST_S, only=chosen.only)
        traffic = asyncio.create_task(
            drive(journeys, cluster.addresses, cluster.history, patience_s=pace.patience_s, enough=enough)
        )
        try:
            await asyncio.sleep(pace.before_s)
            await happens(arena, chosen)
            await asyncio.sleep(pace.after_s)
            enough.set()
            report = await traffic
        finally:
            traffic.cancel()
        verdict, settle_s = await cluster.settled(may_park=chosen.may_park)
        took_s, fault_s = time.monotonic() - began, (arena.ended - arena.began) / 1e9
        return Outcome(
            chosen, report, fault_s, settle_s, verdict.violations, dict(verdict.counts), arena.notes, took_s
        )


async def _cluster(chosen: Fault, folder: Path, on: Servers | None) -> Cluster:
    backend = EMBEDDED if on is None else SERVERS
    if backend not in chosen.on:
        raise ValueError(f"{chosen.name} has no meaning on {backend}")
    if on is None:
        return embedded(folder, **chosen.settings)
    return await on.cluster(folder, **chosen.settings)


@contextmanager
def disk(folder: Path, megabytes: int) -> Iterator[None]:
    """A small disk of its own at that folder, for as long as it is needed. Needs the right to mount."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tongban-fault", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PermissionError(f"disk_full needs the right to mount a small disk: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


async def all_of(
    names: Sequence[str], folder: Path, seed: int, *, long: bool, on: Servers | None
) -> list[Outcome]:
    """One after the other; what is broken keeps its folder."""
    outcomes = []
    for name in names:
        chosen, place = FAULTS[name], folder / name
        pace = LONG if long else SHORT
        shutil.rmtree(place, ignore_errors=True)
        if name == "disk_full":
            with disk(data_of(place), 64):
                outcome = await tried(chosen, place, seed, long=long, pace=pace)
                if not outcome.held:
                    shutil.copytree(data_of(place), place / "data-kept")
        else:
            outcome = await tried(chosen, place, seed, long=long, pace=pace, on=on)
        sys.stdout.write(f"{outcome}\n")
        sys.stdout.flush()
        outcomes.append(outcome)
        if outcome.held:
            shutil.rmtree(place)
    return outcomes


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.fault.run", description=__doc__)
    parser.add_argument("--long", action="store_true", default=bool(os.environ.get("LONG")))
    parser.add_argument("--seed", type=int, default=int(os.environ.get("SEED") or 1))
    parser.add_argument("--only", nargs="*", default=[], metavar="NAME", help="; ".join(sorted(FAULTS)))
    parser.add_argument("--servers", action="store_true", help="on Kafka and PostgreSQL")
    parser.add_argument("--keep", type=Path, help="where the folders of broken runs stay")
    options = parser.parse_args()
    backend = SERVERS if options.servers else EMBEDDED
    names = options.only or [name for name, f in FAULTS.items() if backend in f.on]
    folder = options.keep or Path(tempfile.mkdtemp(prefix="tongban-fault-"))
    said = f"seed {options.seed}, {'long' if options.long else 'short'}, {backend}, {len(names)} faults"
    sys.stdout.write(f"{said}\n")
    with ExitStack() as stack:
        on = stack.enter_context(own_servers(f"fault-{os.getpid()}")) if options.servers else None
        outcomes = asyncio.run(all_of(names, folder, options.seed, long=options.long, on=on))
    broken = [outcome.fault.name for outcome in outcomes if not outcome.held]
    if broken:
        sys.stdout.write(f"broken: {', '.join(broken)}; what they left is in {folder}\n")
        return 1
    shutil.rmtree(folder, ignore_errors=True)
    sys.stdout.write("every promise was kept\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
