"""Business time: the clock that deadlines are counted on.

In production it is the wall clock. A rehearsal may run it faster: every node of a federation then shares one
epoch and one rate. Business time is never used for leases, retention or spans; those have wall or monotonic
time, another type.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from mmap import mmap
from pathlib import Path
from struct import Struct
from typing import Final
from zoneinfo import ZoneInfo

from typing_extensions import override

SHANGHAI = ZoneInfo("Asia/Shanghai")
HELD_POLL_S: Final = 0.1
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_CELL: Final = Struct("<q")


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


class HeldClock(BusinessClock):
    """Business time that stands until somebody moves it: for rehearsals and tests.

    All nodes of a federation share it: within a process as one object, between processes as a file of eight
    bytes (microseconds since 1970) that one of them moves and the others read.
    """

    __slots__ = ("_cell",)
    _cell: mmap

    def __init__(self, start: datetime, path: Path | None = None) -> None:
        """`start`: aware. `path`: where other processes read it; created or set back to `start`."""
        super().__init__(start, time.time(), 86_400.0)
        cell = mmap(-1, _CELL.size) if path is None else _shared(path)
        object.__setattr__(self, "_cell", cell)
        self._put(start)

    @classmethod
    def shared(cls, path: Path) -> HeldClock:
        """The clock in `path` that another process moves. Raises OSError, ValueError when it is none."""
        with path.open("r+b") as file:
            if path.stat().st_size != _CELL.size:
                raise ValueError(f"{path.name}: is no clock")
            cell = mmap(file.fileno(), _CELL.size)
        (micros,) = _CELL.unpack_from(cell)
        clock = cls(_EPOCH + timedelta(microseconds=micros))
        object.__setattr__(clock, "_cell", cell)
        return clock

    @override
    def now(self) -> datetime:
        """Business time as it stands."""
        (micros,) = _CELL.unpack_from(self._cell)
        return (_EPOCH + timedelta(microseconds=micros)).astimezone(SHANGHAI)

    @override
    def wall_seconds_until(self, at: datetime) -> float:
        """0 once it has passed; before, how soon it is worth looking again."""
        return 0.0 if at <= self.now() else HELD_POLL_S

    def move(self, at: datetime) -> None:
        """Let it be `at`. Raises ValueError when that lies behind."""
        if at < self.now():
            raise ValueError("business clock: does not go back")
        self._put(at)

    def _put(self, at: datetime) -> None:
        _CELL.pack_into(self._cell, 0, (at - _EPOCH) // timedelta(microseconds=1))


def _shared(path: Path) -> mmap:
    path.touch()
    with path.open("r+b") as file:
        file.truncate(_CELL.size)
        return mmap(file.fileno(), _CELL.size)
