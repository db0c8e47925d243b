"""How fast one caller may go: buckets of tokens that fill with time.

Knows names of callers and a clock. Must not know gRPC. A bucket that is full again is forgotten, so what is
kept is bounded by what came in the last moments, and by `most` if somebody invents names.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final

MOST: Final = 10_000
"""Callers that are remembered at once."""


class Pace:
    """`rate`: calls a second, 0 for any; as many may come at once after a quiet second."""

    def __init__(
        self, rate: float, *, clock_s: Callable[[], float] = time.monotonic, most: int = MOST
    ) -> None:
        self._rate, self._clock_s, self._most = rate, clock_s, most
        self._burst = max(1.0, rate)
        self._left: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def take(self, caller: Hashable) -> float:
        """One call of this caller: 0.0 when it may go on, else the seconds until it may come again."""
        if not self._rate:
            return 0.0
        now = self._clock_s()
        left, at = self._left.pop(caller, (self._burst, now))
        left = min(self._burst, left + (now - at) * self._rate)
        wait_s = 0.0 if left >= 1 else (1 - left) / self._rate
        self._left[caller] = (left if wait_s else left - 1, now)
        self._forget(now)
        return wait_s

    def _forget(self, now: float) -> None:
        """Whoever was quiet for longest: his bucket is full again, or there are too many."""
        caller, (left, at) = next(iter(self._left.items()))
        if len(self._left) > self._most or left + (now - at) * self._rate >= self._burst:
            del self._left[caller]

    def __len__(self) -> int:
        """Callers that are remembered."""
        return len(self._left)
