"""One federation under traffic, and faults that happen to it one after the other; then the checker's word.

Knows the order of things. After each fault it waits until the federation has caught up, so that no fault
hides what the one before it left behind.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tests.fault.checker.facts import Violation
from tests.fault.cluster.cluster import Cluster, data_of, embedded, running
from tests.fault.disk import disk
from tests.fault.faults.arena import EMBEDDED, SERVERS, Arena, Fault, happens
from tests.fault.gauge import Gauge, Reading
from tests.fault.proxy.net import Net
from tests.fault.servers import Servers
from tests.fault.traffic.drive import Report, drive
from tests.fault.traffic.plan import planned

AT_MOST_S = 3 * 3600.0
CALM_WITHIN_S = 300.0
"""How long a federation that missed its bar is left alone before the next fault. One that has not come to
rest by then is broken, timed or not, and no further fault would tell anything.
"""
SMALL_MB = 4096


@dataclass(frozen=True)
class Pace:
    """How much traffic there is. `rate`: journeys a second; `before_s`: until the first fault; `after_s`:
    behind each; `patience_s`: of the people.
    """

    rate: float = 1.0
    before_s: float = 1.0
    after_s: float = 0.2
    patience_s: float = 45.0


SHORT, LONG = Pace(), Pace(rate=5.0, before_s=10.0, after_s=10.0, patience_s=700.0)


@dataclass(frozen=True)
class Outcome:
    """What became of one fault. `fault_s`: how long it lasted; `broken`: what did not hold meanwhile, and the
    bars that were missed, which are `notes` in a run that is not timed. `over`: nothing can follow it.
    """

    fault: Fault
    fault_s: float
    reading: Reading
    broken: Sequence[str]
    notes: Sequence[str]
    over: bool = False


@dataclass
class Campaign:
    """What became of a federation. `settle_s`: from the end of traffic until nothing was broken; `untried`:
    faults that it was in no state for.
    """

    backend: str
    outcomes: list[Outcome] = field(default_factory=list)
    report: Report = field(default_factory=Report)
    violations: Sequence[Violation] = ()
    counts: dict[str, int] = field(default_factory=dict)
    settle_s: float = 0.0
    took_s: float = 0.0
    untried: Sequence[Fault] = ()

    @property
    def held(self) -> bool:
        """Whether every promise and every bar was kept, and every journey came to its end."""
        kept = not self.violations and not self.report.ends["given up"]
        return kept and not any(outcome.broken for outcome in self.outcomes)


async def campaign(
    faults: Sequence[Fault], folder: Path, seed: int, *, long: bool = False, timed: bool = True,
    pace: Pace | None = None, on: Servers | None = None, told: Callable[[Outcome], None] = lambda _: None,
) -> Campaign:  # fmt: skip
    """Faults of one ground on one federation: embedded, or `on` servers. What it leaves lies in `folder`;
    `told` hears of each fault when it is over. `timed`: a bar that was missed breaks the run, else it is
    noted.
    """
    began = time.monotonic()
    pace = pace or (LONG if long else SHORT)
    done = Campaign(EMBEDDED if on is None else SERVERS)
    with ExitStack() as stack:
        net = stack.enter_context(Net(seed))
        if on is None and any(fault.fills_disk for fault in faults):
            stack.enter_context(disk(data_of(folder), SMALL_MB))
        cluster = await _cluster(faults, folder, net, on)
        stack.enter_context(running(cluster))
        gauge = Gauge(cluster.databases, cluster.bus)
        async with gauge.open():
            enough = asyncio.Event()
            journeys = planned(seed, rate=pace.rate, seconds=AT_MOST_S, only=faults[0].only)
            traffic = asyncio.create_task(
                drive(journeys, cluster.addresses, cluster.history, patience_s=pace.patience_s, enough=enough)
            )
            try:
                await asyncio.sleep(pace.before_s)
                for n, fault in enumerate(faults, start=1):
                    rng = random.Random(f"{seed}-{fault.name}")
                    arena = Arena(cluster, net, rng, long, on)
                    outcome = await _tried(fault, arena, gauge, timed=timed)
                    done.outcomes.append(outcome)
                    told(outcome)
                    if outcome.over:
                        done.untried = faults[n:]
                        break
                    await asyncio.sleep(pace.after_s)
                enough.set()
                done.report = await traffic
            finally:
                traffic.cancel()
        verdict, done.settle_s = await cluster.settled(may_park=faults[0].may_park)
        done.violations, done.counts = verdict.violations, dict(verdict.counts)
    done.took_s = time.monotonic() - began
    return done


async def _tried(fault: Fault, arena: Arena, gauge: Gauge, *, timed: bool) -> Outcome:
    await happens(arena, fault)
    reading = await gauge.reading(arena.began, arena.ended)
    lasted_s = (arena.ended - arena.began) / 1e9
    missed, over = reading.broken, bool(reading.blind)
    if missed and reading.lag_s is None and not over:  # what comes next must not be told of for it
        calm_s = await gauge.calm(CALM_WITHIN_S)
        over = calm_s is None
        missed += [f"the lag was under a second {'never' if calm_s is None else f'{calm_s:.0f} s later'}"]
    broken, notes = (missed, []) if timed or over else ([], missed)
    return Outcome(fault, lasted_s, reading, [*arena.broken, *broken], [*arena.notes, *notes], over)


async def _cluster(faults: Sequence[Fault], folder: Path, net: Net, on: Servers | None) -> Cluster:
    first = faults[0]
    for fault in faults:
        if (EMBEDDED if on is None else SERVERS) not in fault.on:
            raise ValueError(f"{fault.name} has no meaning here")
    if on is None:
        return embedded(folder, net, **first.settings)
    return await on.cluster(folder, net, wired=first.wired, brokers=first.brokers, **first.settings)
