"""All promises at once: read everything, try everything, say what is broken.

Knows the order of the checks and where things lie. Contains no rule of a promise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tests.fault.checker.answers import answered
from tests.fault.checker.clocks import timed
from tests.fault.checker.database import read_region
from tests.fault.checker.facts import Restore, Violation, World
from tests.fault.checker.flow import counts, flowed
from tests.fault.checker.history import read_history
from tests.fault.checker.legal import legal
from tests.fault.checker.lost import doubled, lost
from tests.fault.checker.mirrors import converged
from tests.fault.checker.order import ordered
from tests.fault.checker.phantoms import phantoms
from tests.fault.checker.restored import counted
from tests.fault.checker.topics import read_topics
from tests.fault.checker.traces import traced
from tests.fault.checker.workdays import SHIPPED, Workdays, shipped
from tongban.v1.case_pb2 import Role
from tongban.v1.event_pb2 import EventCore


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where a run left its traces. `databases`: region -> URL. What is None is not looked at."""

    databases: Mapping[str, str]
    bus: str | None = None
    history: Path | None = None
    calendar: Path = SHIPPED
    business_now: datetime | None = None
    restores: Sequence[Restore] = ()
    may_park: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found. `whole`: the cases without a violation; `counts`: what was looked at."""

    violations: Sequence[Violation]
    counts: Mapping[str, int]
    whole: frozenset[str]


async def read_world(places: Places) -> World:
    """Everything, database by database, then the bus and the history."""
    cores: dict[bytes, EventCore] = {}
    return World(
        regions={code: await read_region(code, url, cores) for code, url in places.databases.items()},
        partitions=None if places.bus is None else await read_topics(places.bus),
        history=None if places.history is None else read_history(places.history),
        business_now=places.business_now,
        restores=places.restores,
        may_park=places.may_park,
    )


def judge(world: World, workdays: Workdays | None = None) -> Verdict:
    """Every promise, tried on what was read."""
    found = sorted(
        {
            *lost(world),
            *doubled(world),
            *legal(world),
            *converged(world),
            *ordered(world),
            *answered(world),
            *phantoms(world),
            *flowed(world),
            *traced(world),
            *timed(world, workdays or shipped()),
        }
    )
    numbers = frozenset(world.numbers())
    said = {
        "cases": len(numbers),
        "events": sum(1 for _ in world.events()),
        "by timers": sum(e.core.by == Role.ROLE_TIMER for n in numbers for e in world.path(n)),
        "calls": len(world.history or ()),
        **(counts(world) if world.partitions is not None else {}),
        **(counted(world) if world.restores else {}),
    }
    return Verdict(found, said, numbers - {v.case for v in found})


async def check(places: Places) -> Verdict:
    """Read and judge. Raises what reading raises."""
    own = None if places.calendar == SHIPPED else Workdays(places.calendar)
    return judge(await read_world(places), own)


__all__ = ["Places", "Verdict", "check", "judge", "read_world"]
