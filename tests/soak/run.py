"""`make soak`: traffic, a fault each minute; what nodes hold and have grown to, and the checker's word.

    python -m tests.soak.run [--minutes N] [--rate R] [--seed N] [--json FILE]

On the embedded bus. Prints a line a minute. 0: every promise was kept and everything is flat; 1: not, and the
folder is kept.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import shutil
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from dataclasses import asdict
from pathlib import Path
from statistics import mean

from tests.fault.cluster.cluster import Cluster, embedded, running
from tests.fault.faults import clocks, failpoints, files, messages, network, processes
from tests.fault.faults.arena import EMBEDDED, FAULTS, Arena, Fault, happens
from tests.fault.gauge import Gauge
from tests.fault.proxy.net import Net
from tests.fault.traffic.drive import drive
from tests.fault.traffic.plan import planned
from tests.soak.gauges import Sample, in_use_kb, judged, process, rows

ROOMS = (processes, failpoints, files, messages, clocks, network)
"""Importing them registers their faults."""
MINUTE_S = 60.0
PATIENCE_S = 90.0


def faults() -> list[Fault]:
    """Those that may share a federation that has no settings or disks of its own."""
    plain = (False, (), False, 1, ())
    return [
        fault
        for fault in FAULTS.values()
        if EMBEDDED in fault.on
        and not fault.fills_disk
        and not fault.long_only
        and fault.ground(EMBEDDED) == plain
    ]


def sample(cluster: Cluster, minute: float) -> Sample:
    """All nodes and files as they are now."""
    held = []
    for node in cluster.nodes.values():
        with suppress(OSError):  # of one that has just ended
            held.append(process(node.pid))
    found = [rows(Path(url.removeprefix("sqlite:///"))) for url in cluster.databases.values()]
    return Sample(
        minute,
        {name: mean(each[name] for each in held) for name in held[0]},
        {name: sum(each[name] for each in found) for name in found[0]},
        in_use_kb(Path(cluster.bus.removeprefix("sqlite:///"))),
    )


def told(seen: Sample) -> str:
    """A line of the table."""
    waiting = seen.rows["outbox"]
    return (
        f"{seen.minute:5.1f} min  {seen.process['rss_mb']:6.1f} MB {seen.process['handles']:5.1f} files"
        f" {seen.process['threads']:5.1f} threads  {seen.cases:6} copies  outbox {waiting:4}"
        f"  inbox {seen.rows['inbox']:7}  spans {seen.rows['span']:7}  bus {seen.bus_kb:7} kB"
    )


def say(text: str) -> None:
    """At once, also into a pipe."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


async def soak(options: argparse.Namespace, folder: Path) -> int:
    """The run; 0 when it held."""
    rng = random.Random(options.seed)
    samples: list[Sample] = []
    broken: list[str] = []
    with ExitStack() as stack:
        net = stack.enter_context(Net(options.seed))
        cluster = embedded(folder, net)
        stack.enter_context(running(cluster))
        gauge = Gauge(cluster.databases, cluster.bus)
        async with gauge.open():
            enough = asyncio.Event()
            journeys = planned(options.seed, rate=options.rate, seconds=(options.minutes + 2) * MINUTE_S)
            traffic = asyncio.create_task(
                drive(journeys, cluster.addresses, cluster.history, patience_s=PATIENCE_S, enough=enough)
            )
            try:
                began = time.monotonic()
                for minute in range(1, options.minutes + 1):
                    fault = rng.choice(faults())
                    arena = Arena(cluster, net, random.Random(f"{options.seed}-{minute}"))
                    await happens(arena, fault)
                    reading = await gauge.reading(arena.began, arena.ended)
                    missed = [*arena.broken, *reading.broken]
                    broken += [f"{fault.name}: {text}" for text in missed]
                    await asyncio.sleep(max(0.0, began + minute * MINUTE_S - time.monotonic()))
                    samples.append(sample(cluster, (time.monotonic() - began) / MINUTE_S))
                    say(f"{told(samples[-1])}  {fault.name}{''.join(f' ! {text}' for text in missed)}")
                enough.set()
                report = await traffic
            finally:
                traffic.cancel()
        verdict, settled_s = await cluster.settled()
    broken += [f"{v.invariant} {v.name} {v.case} {v.region}: {v.evidence}" for v in verdict.violations]
    broken += [f"{report.ends['given up']} journeys given up"] * bool(report.ends["given up"])
    uneven = judged(samples)
    say(f"checker: {', '.join(f'{n} {word}' for word, n in verdict.counts.items() if n)}; {settled_s:.1f} s")
    say(f"journeys: {report}")
    for text in (*broken, *uneven):
        say(f"BROKEN {text}")
    if options.json:
        said = {"seed": options.seed, "rate": options.rate, "broken": broken, "uneven": uneven}
        options.json.write_text(json.dumps({**said, "samples": [asdict(s) for s in samples]}, indent=1))
    say("BROKEN" if broken or uneven else "held: every promise was kept, and everything is flat")
    return 1 if broken or uneven else 0


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak.run", description=__doc__)
    parser.add_argument("--minutes", type=int, default=30)
    parser.add_argument("--rate", type=float, default=2.0, help="journeys a second")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="tongban-soak-"))
    code = asyncio.run(soak(options, folder))
    if code:
        say(f"see {folder}")
    else:
        shutil.rmtree(folder)
    return code


if __name__ == "__main__":
    sys.exit(main())
