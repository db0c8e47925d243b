"""The most that something carries: the rate is doubled until it no longer keeps up, then halved in between.

Knows steps of load. Must not know what carries them.
"""

from __future__ import annotations

import statistics
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from benchmarks.figures import HEAD, Step

Try = Callable[[float], Awaitable[Step]]


@dataclass(frozen=True, slots=True)
class Peak:
    """The highest rate that was kept up with, and every step on the way."""

    per_s: float
    rate: float
    steps: tuple[Step, ...]


async def find(attempt: Try, *, start: float, halvings: int, runs: int) -> Peak:
    """Doubles from `start`, then halves the gap `halvings` times; at the end `runs` at the rate found.

    The figure is the median of those runs, or the best step when there are none. A rate that is missed once
    is tried a second time, since a machine has moods.
    """
    steps: list[Step] = []

    async def kept(rate: float) -> bool:
        for _ in range(2):
            steps.append(await attempt(rate))
            print(steps[-1].row(), flush=True)
            if steps[-1].keeps_up:
                return True
            if steps[-1].per_s < 0.75 * rate:
                return False
        return False

    print(HEAD, flush=True)
    low, high = 0.0, start
    while await kept(high):
        low, high = high, high * 2
    while low == 0.0 and high > 1:
        high /= 2
        if await kept(high):
            low, high = high, high * 2
    for _ in range(halvings):
        middle = (low + high) / 2
        if await kept(middle):
            low = middle
        else:
            high = middle
    again = []
    for _ in range(runs):
        steps.append(await attempt(low))
        print(steps[-1].row(), flush=True)
        again.append(steps[-1].per_s)
    best = statistics.median(again) if again else max((s.per_s for s in steps if s.keeps_up), default=0.0)
    return Peak(best, low, tuple(steps))
