"""Business time: the clock that deadlines are counted on.

In production it is the wall clock. A rehearsal may run it faster: every node of a federation then shares one
epoch and one rate. Business time is never used for leases, retention or spans; those have wall or monotonic
time, another type.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True)
class BusinessClock:
    """Business time = `start` + (wall - `epoch_wall_s`) x `rate`.

    `start`: aware datetime that holds at the wall time `epoch_wall_s` (seconds since 1970). `rate`: business
    seconds a wall second, > 0. The default (no start, rate 1) is the wall clock itself.
    """

    start: datetime | None = None
    epoch_wall_s: float = 0.0
    rate: float = 1.0

    def __post_init__(self) -> None:
        if self.rate <= 0:
            raise ValueError("business clock: rate must be above 0")
        if self.start is not None and self.start.tzinfo is None:
            raise ValueError("business clock: start needs a time zone")

    @property
    def real(self) -> bool:
        """Whether this is the wall clock."""
        return self.start is None and self.rate == 1.0

    def now(self) -> datetime:
        """Business time now, aware, Asia/Shanghai, to the microsecond."""
        wall = time.time()
        if self.start is None:
            return datetime.fromtimestamp(wall, UTC).astimezone(SHANGHAI)
        return (self.start + timedelta(seconds=(wall - self.epoch_wall_s) * self.rate)).astimezone(SHANGHAI)

    def wall_seconds_until(self, at: datetime) -> float:
        """Wall seconds until business time `at`, 0 when it has passed."""
        return max(0.0, (at - self.now()).total_seconds() / self.rate)
