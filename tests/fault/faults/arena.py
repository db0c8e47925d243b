"""Where a fault happens: the cluster, the seed's choices, and how long things last.

Knows the registry of faults. Contains no fault.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from traceback import format_exception

from tests.fault.checker.history import read_history
from tests.fault.cluster.cluster import Cluster
from tests.fault.cluster.node import NodeProcess
from tests.fault.gauge import received
from tests.fault.proxy.net import Net
from tests.fault.servers import Servers

EMBEDDED, SERVERS = "embedded", "servers"
FILES_WITHIN_S = 15.0
"""How much longer a fault lasts under which filing goes on, when nobody has come to file by then."""
LOOK_S = 0.25


@dataclass
class Arena:
    """`net`: the proxies between the nodes, and before the servers where those are wired; `servers`: None on
    the embedded backend; `long`: the durations of the promise instead of short ones.

    `files_on`: filing goes on meanwhile. `began` and `ended`: wall ns between which the fault lasted.
    `broken`: what did not hold while it did.
    """

    cluster: Cluster
    net: Net
    rng: random.Random
    long: bool = False
    servers: Servers | None = None
    files_on: bool = False
    began: int = 0
    ended: int = 0
    notes: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def some(self, count: int = 1) -> list[NodeProcess]:
        """Different nodes, chosen by the seed."""
        return self.rng.sample(list(self.cluster.nodes.values()), count)

    async def lasts(self, short_s: float, long_s: float) -> None:
        """While the fault lasts; where filing goes on, until somebody has filed: people come at random."""
        await asyncio.sleep(long_s if self.long else short_s)
        for _ in range(round(FILES_WITHIN_S / LOOK_S) if self.files_on else 0):
            if self.filed(self.began, time.time_ns()):
                return
            await asyncio.sleep(LOOK_S)

    def note(self, text: str) -> None:
        """Something worth telling of this run."""
        self.notes.append(text)

    def holds(self, claim: bool, otherwise: str) -> None:
        """What must be so in the midst of the fault."""
        if not claim:
            self.broken.append(otherwise)

    def mend(self) -> None:
        """After a fault that stopped half-way: servers serve, every node starts anew."""
        if self.servers is not None:
            self.servers.heal()
        self.cluster.kill()
        self.cluster.start()

    def filed(self, since_ns: int, until_ns: int) -> list[float]:
        """Seconds that each filing took which was acknowledged in between, by the load generator's word."""
        return [
            (call.end_ns - call.start_ns) / 1e9
            for call in read_history(self.cluster.history)
            if call.verb == "file" and call.outcome == "acknowledged" and since_ns <= call.end_ns <= until_ns
        ]

    async def received(self, since: float, until: float) -> int:
        """Messages that regions took in between two wall times in seconds."""
        return await received(self.cluster.databases, since, until)


Act = Callable[[Arena], Awaitable[None]]


@dataclass(frozen=True)
class Fault:
    """A fault by name. `on`: where it has a meaning; `may_park`: poison is sent, so copies may be parked;
    `only`: the kinds of journeys that run into it, () for all; `files_on`: filing goes on meanwhile;
    `wired`: nodes reach their servers through proxies; `brokers`: how many there are; `fills_disk`: it needs
    a small disk of its own; `long_only`: it has no short form; `settings`: of the cluster.
    """

    name: str
    act: Act
    on: frozenset[str]
    may_park: bool = False
    only: tuple[str, ...] = ()
    files_on: bool = False
    wired: bool = False
    brokers: int = 1
    fills_disk: bool = False
    long_only: bool = False
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def said(self) -> str:
        """What it is, in a line."""
        return (self.act.__doc__ or self.name).split("\n")[0]

    def ground(self, backend: str) -> tuple[object, ...]:
        """Faults of one ground may happen to one federation, one after the other."""
        wired = self.wired and backend == SERVERS  # nodes reach each other through proxies everywhere
        return self.may_park, self.only, wired, self.brokers, tuple(sorted(self.settings.items()))


FAULTS: dict[str, Fault] = {}


def fault(
    *on: str, may_park: bool = False, only: tuple[str, ...] = (), files_on: bool = False, wired: bool = False,
    brokers: int = 1, fills_disk: bool = False, long_only: bool = False, **settings: str,
) -> Callable[[Act], Act]:  # fmt: skip
    """Registers a fault under the name of its function."""

    def keep(act: Act) -> Act:
        name, where = act.__name__, frozenset(on or (EMBEDDED, SERVERS))
        FAULTS[name] = Fault(
            name, act, where, may_park, only, files_on, wired, brokers, fills_disk, long_only, settings
        )
        return act

    return keep


async def happens(arena: Arena, chosen: Fault) -> None:
    """The fault, from its beginning until it is undone. One that could not be done is broken; the word on the
    others is not lost with it.
    """
    arena.began, arena.files_on = time.time_ns(), chosen.files_on
    try:
        await chosen.act(arena)
    except Exception as error:  # noqa: BLE001  # whatever it is, it is told
        arena.holds(False, "could not be done: " + "".join(format_exception(error, limit=-3)))
        await asyncio.to_thread(arena.mend)
    finally:
        arena.ended = time.time_ns()
    if chosen.files_on:
        took = arena.filed(arena.began, arena.ended)
        arena.holds(bool(took), "nothing was filed meanwhile")
        arena.note(f"{len(took)} filed meanwhile, the slowest in {max(took, default=0.0):.2f} s")
