"""One step of load, whatever is loaded: offer a rate, wait for the ends, work out the figures.

Knows the open loop, the meter and the plan. Must not know how a case is filed or found.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress

from benchmarks.figures import Spread, Step
from benchmarks.grounds import Ground
from benchmarks.meter import Meter
from benchmarks.pace import Call, Shot, offer, times
from benchmarks.plan import Plan

Ends = Callable[[Sequence[str]], Awaitable[Mapping[str, float]]]
"""The cases found whole, of those named, and the wall time of each one's end. Waits for them, in bounds."""


class Trial:
    """Steps of load on one ground."""

    def __init__(self, ground: Ground, plan: Plan, call: Call, ends: Ends) -> None:
        self._ground, self._plan, self._call, self._ends = ground, plan, call, ends
        self._meter = Meter(ground.processes())
        self._seed = plan.seed
        self.whole = 0
        """Lifecycles found whole, of all steps."""

    async def step(self, rate: float) -> Step:
        """Offers the rate for as long as the plan says."""
        return await self.step_of(rate, self._plan.step_s, self._plan.drop_s)

    async def step_of(self, rate: float, seconds: float, drop_s: float) -> Step:
        """Offers the rate for so long, and looks for what was filed until nothing more comes."""
        self._seed += 1
        due = times(rate, seconds, self._seed)
        before, watching = self._meter.cpu_s(), asyncio.create_task(self._meter.watch())
        began = time.time()
        shots = await offer(self._call, due)
        acked = {shot.said: shot for shot in shots if shot.outcome == "acked"}
        ended = await self._ends(list(acked))
        took_s = time.time() - began
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        used = {name: used - before.get(name, 0.0) for name, used in self._meter.cpu_s().items()}
        self._ground.check()
        self.whole += len(ended)
        first, last = began + drop_s, began + seconds - drop_s
        steady = [name for name, at in ended.items() if first <= at < last]
        said = Counter(f"said {shot.said}" for shot in shots if shot.outcome != "acked")
        return Step(
            rate=rate, window_s=last - first, offered=len(due), acked=len(acked),
            refused=_count(shots, "refused"), failed=_count(shots, "failed"),
            whole=len(ended), per_s=len(steady) / (last - first),
            ack=Spread.of([shot.ended_s - shot.due_s for shot in acked.values()]),
            through=Spread.of([ended[name] - acked[name].due_s for name in steady]),
            cpu_ms={name: value * 1e3 / max(1, len(ended)) for name, value in used.items()},
            rss_mb=self._meter.most_rss_mb(),
            more={"took_s": took_s, "cpu_share": sum(used.values()) / took_s, **said},
        )  # fmt: skip

    async def idle(self, seconds: float) -> dict[str, float]:
        """The share of one core that each process uses while nothing is asked of it."""
        before = self._meter.cpu_s()
        await asyncio.sleep(seconds)
        return {name: (used - before[name]) / seconds for name, used in self._meter.cpu_s().items()}

    def rss_mb(self) -> dict[str, float]:
        """Memory of each process now."""
        return self._meter.rss_mb()


def _count(shots: Sequence[Shot], outcome: str) -> int:
    return sum(shot.outcome == outcome for shot in shots)
