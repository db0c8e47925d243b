"""Where a fault happens: the cluster, the seed's choices, and how long things last.

Knows the registry of faults. Contains no fault.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from tests.fault.cluster.cluster import Cluster
from tests.fault.cluster.node import NodeProcess
from tests.servers.kafka import Kafka
from tests.servers.postgres import Postgres

EMBEDDED, SERVERS = "embedded", "servers"


@dataclass
class Arena:
    """`long`: the durations of the promise instead of short ones. The servers are None where there are none.

    `began` and `ended`: wall ns between which the fault lasted.
    """

    cluster: Cluster
    rng: random.Random
    long: bool = False
    kafka: Kafka | None = None
    postgres: Postgres | None = None
    began: int = 0
    ended: int = 0
    notes: list[str] = field(default_factory=list)

    def some(self, count: int = 1) -> list[NodeProcess]:
        """Different nodes, chosen by the seed."""
        return self.rng.sample(list(self.cluster.nodes.values()), count)

    async def lasts(self, short_s: float, long_s: float) -> None:
        """While the fault lasts."""
        await asyncio.sleep(long_s if self.long else short_s)

    def note(self, text: str) -> None:
        """Something worth telling of this run."""
        self.notes.append(text)


Act = Callable[[Arena], Awaitable[None]]


@dataclass(frozen=True)
class Fault:
    """A fault by name. `on`: where it has a meaning; `may_park`: poison is sent, so copies may be parked;
    `only`: the kinds of journeys that run into it, () for all;
    `settings`: of the cluster.
    """

    name: str
    act: Act
    on: frozenset[str]
    may_park: bool = False
    only: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def said(self) -> str:
        """What it is, in a line."""
        return (self.act.__doc__ or self.name).split("\n")[0]


FAULTS: dict[str, Fault] = {}


def fault(
    *on: str, may_park: bool = False, only: tuple[str, ...] = (), **settings: str
) -> Callable[[Act], Act]:
    """Registers a fault under the name of its function."""

    def keep(act: Act) -> Act:
        name = act.__name__
        FAULTS[name] = Fault(name, act, frozenset(on or (EMBEDDED, SERVERS)), may_park, only, settings)
        return act

    return keep


async def happens(arena: Arena, chosen: Fault) -> None:
    """The fault, from its beginning until it is undone."""
    arena.began = time.time_ns()
    try:
        await chosen.act(arena)
    finally:
        arena.ended = time.time_ns()
