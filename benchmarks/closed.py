"""The closed loop: so many filings in all, so many of them under way at a time, until the last is back.

The other way to ask what something carries. In the open loop a queue, and with it every group that is
committed at once, may grow as long as the step lasts; here neither can grow beyond what is under way. Who is
refused comes again a moment later. Must not know how a case is filed or found.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from dataclasses import dataclass

from benchmarks.figures import Spread
from benchmarks.grounds import Ground
from benchmarks.meter import Meter
from benchmarks.pace import ALLOWANCE_S, Call
from benchmarks.plan import Plan
from benchmarks.trial import Ends

UNDER_WAY = 200
AGAIN_S = 0.6
"""When who was refused comes again: what an overloaded node says at least, for it lets wait for 0.5 s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """per_s: cases found whole, a second from the first filing until the last of them was back. ack: of a
    filing, from its first try on. refused: tries. cpu_ms: by process, per whole case.
    """

    filings: int
    acked: int
    refused: int
    whole: int
    per_s: float
    ack: Spread
    cpu_ms: dict[str, float]

    def row(self) -> str:
        """In a line."""
        cpu = " ".join(f"{name} {value:.2f}" for name, value in self.cpu_ms.items())
        return (
            f"closed loop, {UNDER_WAY} under way: {self.per_s:.0f}/s, {self.whole} of {self.filings} whole,"
            f" {self.refused} refused for the moment, ack p50 {self.ack.p50:.0f} ms,"
            f" p99 {self.ack.p99:.0f} ms,"
            f" {sum(self.cpu_ms.values()):.2f} CPU ms = {cpu}"
        )


@dataclass(frozen=True, slots=True)
class Closed:
    """per_s: the median of the rounds."""

    per_s: float
    rounds: tuple[Round, ...]


async def measure(place: Ground, plan: Plan, call: Call, ends: Ends) -> Closed:
    """As many rounds as the plan says, printed as well."""
    rounds = []
    for _ in range(plan.rounds):
        rounds.append(await _round(place, call, ends, plan.filings))
        print(rounds[-1].row(), flush=True)
    return Closed(statistics.median(each.per_s for each in rounds), tuple(rounds))


async def _round(place: Ground, call: Call, ends: Ends, filings: int) -> Round:
    meter = Meter(place.processes())
    before, began = meter.cpu_s(), time.time()
    numbers = iter(range(filings))
    answers: dict[str, float] = {}
    refused = 0

    async def one_after_the_other() -> None:
        nonlocal refused
        for number in numbers:
            asked = time.perf_counter()
            while True:
                outcome, said = await asyncio.wait_for(call(number), ALLOWANCE_S)
                if outcome != "refused":
                    break
                refused += 1
                await asyncio.sleep(AGAIN_S)
            if outcome == "acked":
                answers[said] = time.perf_counter() - asked

    async with asyncio.TaskGroup() as group:
        for _ in range(UNDER_WAY):
            group.create_task(one_after_the_other())
    ended = await ends(list(answers))
    used = {name: used - before.get(name, 0.0) for name, used in meter.cpu_s().items()}
    return Round(
        filings=filings, acked=len(answers), refused=refused, whole=len(ended),
        per_s=len(ended) / (max(ended.values(), default=began + 1) - began),
        ack=Spread.of(list(answers.values())),
        cpu_ms={name: value * 1e3 / max(1, len(ended)) for name, value in used.items()},
    )  # fmt: skip
