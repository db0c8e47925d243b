"""The fault runs: `make fault`, each fault by name under traffic, and the checker's word on it afterwards.

    python -m tests.fault.run [--long] [--seed N] [--only NAME …] [--on embedded servers] [--untimed]
        [--json]

Faults that may happen to one federation happen to it one after the other (`--alone`: each to one of its own);
the backends have their turns at the same time, in a process each, in the long form one after the other: eight
nodes at its rate take more than two cores. Prints a line a fault. 0: every promise and
every bar was kept; 1: one was not, and the run's folder is kept. What this machine cannot do is told.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from tests.fault.campaign import Campaign, Outcome, campaign
from tests.fault.disk import may_mount
from tests.fault.faults import clocks, failpoints, files, messages, network, processes, restored, servers
from tests.fault.faults.arena import EMBEDDED, FAULTS, SERVERS, Fault
from tests.fault.servers import own_servers

ROOMS = (processes, failpoints, files, messages, clocks, network, restored, servers)
"""Importing them registers their faults."""


def grounds(names: Sequence[str], backend: str, *, alone: bool = False) -> list[list[Fault]]:
    """Those of the names that have a meaning on that backend; those that may share a federation together."""
    found: dict[object, list[Fault]] = {}
    for fault in (FAULTS[name] for name in names):
        if backend in fault.on:
            found.setdefault(fault.name if alone else fault.ground(backend), []).append(fault)
    return list(found.values())


def line(backend: str, done: Outcome) -> str:
    """What became of one fault."""
    reading = done.reading
    lag = " never" if reading.lag_s is None else f"{reading.lag_s:4.1f} s"
    drain = "" if reading.times is None else f", drained at {reading.times:.1f} times the inflow"
    head = f"{'BROKEN' if done.broken else 'held  '} {backend:<8} {done.fault.name:<28} {done.fault_s:5.1f} s"
    said = f"{head}, lag under 1 s after {lag}, backlog {reading.backlog}{drain}"
    return "\n".join([said, *(f"         {text}" for text in (*done.broken, *done.notes))])


def table(done: Campaign) -> str:
    """What the checker saw of a federation when all its faults were over."""
    counts = ", ".join(f"{count} {word}" for word, count in done.counts.items() if count)
    said = f"settled in {done.settle_s:.1f} s of {done.took_s:.0f} s"
    lines = [f"{'held  ' if done.held else 'BROKEN'} {done.backend:<8} {counts} | {done.report} | {said}"]
    if done.untried:
        lines.append(f"         not tried after that: {', '.join(fault.name for fault in done.untried)}")
    lines += [
        f"         {v.invariant} {v.name} {v.case} {v.region}: {v.evidence}" for v in done.violations[:20]
    ]
    return "\n".join(lines)


def as_json(done: Campaign) -> dict[str, Any]:
    """The same for programs."""
    return {
        "backend": done.backend,
        "held": done.held,
        "faults": [
            {
                "name": x.fault.name,
                "fault_s": x.fault_s,
                **asdict(x.reading),
                "broken": x.broken,
                "notes": x.notes,
            }
            for x in done.outcomes
        ],
        "violations": [asdict(v) for v in done.violations],
        "counts": done.counts,
        "journeys": dict(done.report.ends),
        "untried": [fault.name for fault in done.untried],
        "settle_s": done.settle_s,
        "took_s": done.took_s,
    }


def wanted(options: argparse.Namespace, backend: str) -> tuple[list[str], list[str]]:
    """The faults to be tried there, and those that this machine cannot do."""
    names = [
        name
        for name in options.only or FAULTS
        if backend in FAULTS[name].on and (options.long or options.only or not FAULTS[name].long_only)
    ]
    lacking = [] if may_mount() else [name for name in names if FAULTS[name].fills_disk]
    return [name for name in names if name not in lacking], lacking


async def all_of(options: argparse.Namespace, backend: str, folder: Path) -> list[Campaign]:
    """One federation after the other; what is broken keeps its folder. A SIGTERM clears everything away."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    names, lacking = wanted(options, backend)
    for name in lacking:
        sys.stderr.write(f"not tried: {backend} {name}, which needs root and the right to mount\n")
    done = []
    with ExitStack() as stack:
        on = None
        if names and backend == SERVERS:
            on = stack.enter_context(own_servers(f"fault-{os.getpid()}"))
        for faults in grounds(names, backend, alone=options.alone):
            place = folder / f"{backend}-{faults[0].name}"
            say = partial(_say, options, backend)
            found = await campaign(
                faults, place, options.seed, long=options.long, timed=not options.untimed, on=on, told=say
            )
            done.append(found)
            if not options.json:
                sys.stdout.write(f"{table(found)}\n")
                sys.stdout.flush()
            if found.held:
                shutil.rmtree(place)
    return done


def _say(options: argparse.Namespace, backend: str, done: Outcome) -> None:
    if not options.json:
        sys.stdout.write(f"{line(backend, done)}\n")
        sys.stdout.flush()


def one(options: argparse.Namespace, backend: str, folder: Path) -> int:
    """One backend, in this process."""
    began = time.monotonic()
    try:
        done = asyncio.run(all_of(options, backend, folder))
    except asyncio.CancelledError:
        return 143
    if options.json:
        said = {"seed": options.seed, "long": options.long, "campaigns": [as_json(each) for each in done]}
        sys.stdout.write(json.dumps(said, ensure_ascii=False) + "\n")
    broken = [x.fault.name for each in done if not each.held for x in each.outcomes]
    if broken:
        sys.stderr.write(f"{backend}: broken under {', '.join(broken)} (seed {options.seed}); see {folder}\n")
        return 1
    faults = sum(len(each.outcomes) for each in done)
    sys.stderr.write(
        f"{backend}: {faults} faults, every promise was kept, {time.monotonic() - began:.0f} s\n"
    )
    return 0


def side_by_side(backends: Sequence[str], folder: Path) -> int:
    """A process for each; the worst of what they end with."""
    command = [sys.executable, "-m", "tests.fault.run", *sys.argv[1:], "--keep", str(folder), "--on"]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    children = [subprocess.Popen([*command, backend]) for backend in backends]
    try:
        return max(child.wait() for child in children)
    finally:
        for child in children:
            child.terminate()
        for child in children:
            child.wait()


def main() -> int:
    """The command line."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    parser = argparse.ArgumentParser(prog="python -m tests.fault.run", description=__doc__)
    parser.add_argument("--long", action="store_true", default=bool(os.environ.get("LONG")))
    parser.add_argument("--seed", type=int, default=int(os.environ.get("SEED") or 1))
    parser.add_argument("--only", nargs="*", default=[], metavar="NAME", choices=[*FAULTS, []])
    parser.add_argument("--on", nargs="*", default=[EMBEDDED, SERVERS], choices=[EMBEDDED, SERVERS])
    parser.add_argument("--alone", action="store_true", help="a federation of its own for each fault")
    parser.add_argument(
        "--untimed", action="store_true", help="a missed bar of time is told, and breaks nothing"
    )
    parser.add_argument("--json", action="store_true", help="JSON in place of the table, a line a backend")
    parser.add_argument("--keep", type=Path, help="where the folders of broken runs stay")
    options = parser.parse_args()
    folder = options.keep or Path(tempfile.mkdtemp(prefix="tongban-fault-"))
    backends = [backend for backend in options.on if any(wanted(options, backend))]
    if len(backends) > 1 and not options.long:
        code = side_by_side(backends, folder)
    else:
        code = max((one(options, backend, folder) for backend in backends), default=0)
    if not code and not options.keep:
        shutil.rmtree(folder, ignore_errors=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
