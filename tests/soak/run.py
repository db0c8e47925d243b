"""`make soak`: traffic, a fault each minute; what nodes hold and have grown to, and the checker's word.

    python -m tests.soak.run [--minutes N] [--rate R] [--seed N] [--servers] [--json FILE]

On the embedded bus, or on Kafka and PostgreSQL. The nodes forget after minutes what they would forget after
months. Prints a line a minute. 0: every promise was kept and everything is flat; 1: not, and the folder is
kept.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from tests.fault.checker.judge import Places, Verdict, judge, read_world
from tests.fault.cluster.cluster import data_of, embedded, running
from tests.fault.disk import disk, may_mount
from tests.fault.faults import clocks, failpoints, files, messages, network, processes, restored, servers
from tests.fault.faults.arena import EMBEDDED, FAULTS, SERVERS, Arena, Fault, happens
from tests.fault.gauge import Gauge
from tests.fault.proxy.net import Net
from tests.fault.servers import Servers, own_servers
from tests.fault.traffic.drive import Report, drive
from tests.fault.traffic.plan import planned
from tests.servers.process import free_port
from tests.soak.clearing import cleared
from tests.soak.gauges import Sample, judged
from tests.soak.keeper import Ages, Keeper
from tests.soak.looks import sample, told

ROOMS = (processes, failpoints, files, messages, clocks, network, restored, servers)
"""Importing them registers their faults."""
MINUTE_S = 60.0
BEFORE_S = 10.0
"""Traffic before the first fault: it needs cases and messages to befall."""
PATIENCE_S = 90.0
SMALL_MB = 4096
MINUTES = {
    "PROMISED_OUTAGE": 1.5, "TOPIC_RETENTION": 2.0, "INBOX_RETENTION": 3.0, "REQUEST_RETENTION": 3.0,
    "TRACE_RETENTION": 3.0, "DEAD_RETENTION": 3.0,
}  # fmt: skip
"""How long the nodes keep things here; people's patience is shorter than their answers are kept."""
FLAT_FROM = 5.5
"""The minute from which on as much is forgotten as comes in: the longest age, and the sweeps."""


def faults(backend: str = EMBEDDED) -> list[Fault]:
    """Those that may share a federation: no settings of their own, no servers behind proxies, one broker.
    Rubbish parks no case, so poison may be among them.
    """
    plain = (False, (), False, 1, ())
    return [
        fault
        for fault in FAULTS.values()
        if backend in fault.on
        and not fault.long_only
        and (may_mount() or not fault.fills_disk)
        and (False, *fault.ground(backend)[1:]) == plain
    ]


class Deck:
    """Faults in the seed's order: each comes once before any comes again."""

    def __init__(self, seed: int, backend: str) -> None:
        self._rng, self._backend = random.Random(seed), backend
        self._left: list[Fault] = []

    def draw(self) -> Fault:
        """The next one."""
        if not self._left:
            self._left = faults(self._backend)
            self._rng.shuffle(self._left)
        return self._left.pop()


def ages() -> Ages:
    """What the keeper is told of MINUTES."""
    answers, spans, letters = (MINUTES[f"{name}_RETENTION"] for name in ("REQUEST", "TRACE", "DEAD"))
    return Ages(answers * MINUTE_S, spans * MINUTE_S, letters * MINUTE_S)


def say(text: str) -> None:
    """At once, also into a pipe."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


async def soak(options: argparse.Namespace, folder: Path) -> int:
    """The run; 0 when it held. A SIGTERM clears everything away."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    backend = SERVERS if options.servers else EMBEDDED
    deck = Deck(options.seed, backend)
    settings = {f"{name}_DAYS": f"{minutes / 1440:.6f}" for name, minutes in MINUTES.items()}
    samples: list[Sample] = []
    broken: list[str] = []
    with ExitStack() as stack:
        net = stack.enter_context(Net(options.seed))
        on: Servers | None = None
        if options.servers:
            on = stack.enter_context(own_servers(f"soak-{os.getpid()}"))
            cluster = await on.cluster(folder, net, wired=False, brokers=1, **settings)
        else:
            if may_mount():
                stack.enter_context(disk(data_of(folder), SMALL_MB))
            cluster = embedded(folder, net, **settings)
        for node in cluster.nodes.values():
            node.settings = {**node.settings, "METRICS_PORT": str(free_port())}
        stack.enter_context(running(cluster))
        gauge = Gauge(cluster.databases, cluster.bus)
        keeper = Keeper(cluster.databases, cluster.bus, ages(), cluster.restores)
        async with gauge.open(), keeper.open():
            enough = asyncio.Event()
            journeys = planned(options.seed, rate=options.rate, seconds=(options.minutes + 60) * MINUTE_S)
            traffic = asyncio.create_task(
                drive(journeys, cluster.addresses, cluster.history, patience_s=PATIENCE_S, enough=enough)
            )
            try:
                began = time.monotonic()
                await asyncio.sleep(BEFORE_S)
                for minute in range(1, options.minutes + 1):
                    fault = deck.draw()
                    arena = Arena(cluster, net, random.Random(f"{options.seed}-{minute}"), servers=on)
                    await happens(arena, fault)
                    reading = await gauge.reading(arena.began, arena.ended)
                    missed = [*arena.broken, *reading.broken]
                    broken += [f"{fault.name}: {text}" for text in missed]
                    await asyncio.sleep(max(0.0, began + minute * MINUTE_S - time.monotonic()))
                    await cleared(cluster.addresses)
                    samples.append(await sample(cluster, on, (time.monotonic() - began) / MINUTE_S))
                    say(f"{told(samples[-1])}  {fault.name}{''.join(f' ! {text}' for text in missed)}")
                enough.set()
                report = await traffic
            finally:
                traffic.cancel()
            worst = judged(samples, flat_from=FLAT_FROM)

        async def checked(places: Places) -> Verdict:
            return judge(keeper.whole(await read_world(places)))

        verdict, settled_s = await cluster.settled(checked=checked)
        broken += keeper.broken
        broken += [f"{v.invariant} {v.name} {v.case} {v.region}: {v.evidence}" for v in verdict.violations]
        broken += [f"{report.ends['given up']} journeys given up"] * bool(report.ends["given up"])
        if broken and on is None:  # its disk ends with the run
            cluster.kill()
            shutil.copytree(data_of(folder), folder / "left")
    return ended(options, samples, broken, worst, report, verdict, settled_s, keeper)


def ended(
    options: argparse.Namespace, samples: list[Sample], broken: list[str], uneven: list[str], report: Report,
    verdict: Verdict, settled_s: float, keeper: Keeper,
) -> int:  # fmt: skip
    """Says what became of it; 0 when it held."""
    kept = list(keeper.regions.values())
    gone = {
        "answers": sum(len(memory.answers) - len(memory.there) for memory in kept),
        "spans": sum(len(memory.spans) - len(memory.hops) for memory in kept),
        "letters": sum(len(memory.letters) - len(memory.waiting) for memory in kept),
    }
    collected = sum(len(each.records) for each in keeper.topics.values())
    say(f"checker: {', '.join(f'{n} {word}' for word, n in verdict.counts.items() if n)}; {settled_s:.1f} s")
    forgotten = ", ".join(f"{count} {name}" for name, count in gone.items())
    say(f"forgotten in time: {forgotten}; {collected} messages were collected in {keeper.looks} looks")
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
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    parser = argparse.ArgumentParser(prog="python -m tests.soak.run", description=__doc__)
    parser.add_argument("--minutes", type=int, default=30)
    parser.add_argument("--rate", type=float, default=2.0, help="journeys a second")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--servers", action="store_true", help="on Kafka and PostgreSQL")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="tongban-soak-"))
    try:
        code = asyncio.run(soak(options, folder))
    except asyncio.CancelledError:
        code = 143
    if code:
        say(f"see {folder}")
    else:
        shutil.rmtree(folder)
    return code


if __name__ == "__main__":
    sys.exit(main())
