"""The run: every journey sets out at its moment, whether those before it have arrived or not.

Knows the loop and what is counted. Must not know what a journey does.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from typing_extensions import override

from tests.fault.checker.history import History
from tests.fault.traffic.caller import Callers, GaveUp
from tests.fault.traffic.journeys import Diverted, Traveller
from tests.fault.traffic.plan import Journey


@dataclass
class Report:
    """What became of the journeys. `calls`: changing calls, of them `passing` without an answer at once."""

    ends: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    calls: int = 0
    passing: int = 0
    seconds: float = 0.0

    @override
    def __str__(self) -> str:
        said = ", ".join(f"{count} {end}" for end, count in sorted(self.ends.items()))
        why = "".join(f"\n  {count} x {reason}" for reason, count in self.reasons.most_common(10))
        return f"{said}; {self.calls} calls, {self.passing} sent again, {self.seconds:.1f} s{why}"


async def drive(
    journeys: Sequence[Journey], nodes: Mapping[str, str], history: Path, *, patience_s: float = 60.0,
    enough: asyncio.Event | None = None,
) -> Report:  # fmt: skip
    """All journeys to their ends. `nodes`: region -> host:port; `patience_s`: for each answer and state;
    once it is `enough`, nobody sets out any more.
    """
    report = Report()
    began = time.monotonic()
    with History(history) as noted:
        async with Callers(nodes, noted, patience_s=patience_s) as callers, asyncio.TaskGroup() as group:
            for journey in journeys:
                if await _enough(enough, journey.at_s - (time.monotonic() - began)):
                    break
                group.create_task(_travel(Traveller(journey, callers, patience_s), journey, report))
        report.calls, report.passing = callers.calls, callers.passing
    report.seconds = time.monotonic() - began
    return report


async def _enough(enough: asyncio.Event | None, wait_s: float) -> bool:
    """Waits that long, or until it is enough."""
    if enough is None:
        await asyncio.sleep(max(0.0, wait_s))
        return False
    with suppress(TimeoutError):
        await asyncio.wait_for(enough.wait(), max(0.0, wait_s))
    return enough.is_set()


async def _travel(traveller: Traveller, journey: Journey, report: Report) -> None:
    end = "done"
    try:
        await traveller.travel()
    except Diverted as error:
        end = "diverted"
        report.reasons[f"{journey.kind}: {_without_number(str(error), traveller.number)}"] += 1
    except GaveUp as error:
        end = "given up"
        report.reasons[f"{journey.kind}: {str(error).rpartition(': ')[2]}"] += 1
    report.ends[end] += 1


def _without_number(text: str, number: str) -> str:
    return text.replace(number, "…") if number else text
