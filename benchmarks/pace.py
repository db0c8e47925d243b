"""The open loop: calls go out when they are due, however the answers come.

Knows times and one kind of call. A latency counts from the moment at which the call was due, so that a
generator or a server that is late cannot hide it. Must not know what is called.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

Outcome = Literal["acked", "refused", "failed"]
Call = Callable[[int], Awaitable[tuple[Outcome, str]]]
"""The call number n: what became of it, and the name of the case or the reason."""
ALLOWANCE_S = 20.0
"""How long the last calls may take once the load has ended."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One call. due_s, ended_s: wall seconds since 1970. said: the name of the case, or why there is none."""

    due_s: float
    ended_s: float
    outcome: Outcome
    said: str


def times(rate: float, seconds: float, seed: int) -> list[float]:
    """When calls are due, seconds from the start: random arrivals, exactly rate * seconds of them."""
    draw = random.Random(seed)
    return sorted(draw.uniform(0, seconds) for _ in range(round(rate * seconds)))


async def offer(call: Call, due: list[float]) -> list[Shot]:
    """Makes the calls, each at its time, and waits for their answers."""
    began, wall = time.perf_counter(), time.time()
    shots: list[Shot] = []

    async def shoot(number: int, at: float) -> None:
        try:
            outcome, said = await asyncio.wait_for(call(number), ALLOWANCE_S)
        except TimeoutError:
            outcome, said = "failed", "no answer"
        shots.append(Shot(wall + at, wall + time.perf_counter() - began, outcome, said))

    async with asyncio.TaskGroup() as group:
        for number, at in enumerate(due):
            if (wait := began + at - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            group.create_task(shoot(number, at))
    return shots
