"""Figures: percentiles, what a step of load gave, and how both are shown.

Knows numbers and words. Must not know nodes, servers or databases.
"""

from __future__ import annotations

import math
import os
import platform
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Spread:
    """Times in milliseconds."""

    p50: float
    p95: float
    p99: float
    most: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Spread:
        """Of times in seconds; all NaN when there are none."""
        ordered = sorted(seconds)
        if not ordered:
            return cls(math.nan, math.nan, math.nan, math.nan)

        def at(share: float) -> float:
            return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1e3

        return cls(at(0.5), at(0.95), at(0.99), at(1.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What a rate that was offered for a while gave.

    rate: offered, lifecycles/s. window_s: the steady part that is counted. offered, acked, refused, failed:
    all of the step. whole: lifecycles found whole afterwards. per_s: those that ended within the window, a
    second. cpu_ms: by process, per whole lifecycle, over the whole step. rss_mb: by process, the most that
    was seen. more: what else was counted, by name.
    """

    rate: float
    window_s: float
    offered: int
    acked: int
    refused: int
    failed: int
    whole: int
    per_s: float
    ack: Spread
    through: Spread
    cpu_ms: Mapping[str, float]
    rss_mb: Mapping[str, float] = field(default_factory=dict)
    more: Mapping[str, float] = field(default_factory=dict)

    @property
    def keeps_up(self) -> bool:
        """Whether what was offered also came out, and nothing was turned away or lost."""
        return self.whole == self.offered and self.per_s >= 0.93 * self.rate and self.through.p99 < 5_000

    def row(self) -> str:
        """One line of a table; see `HEAD`."""
        cpu = " ".join(f"{name} {value:.2f}" for name, value in self.cpu_ms.items())
        return (
            f"{self.rate:8.0f} {self.per_s:8.1f} {self.whole:7d}/{self.offered:<7d}"
            f" {self.ack.p50:7.1f} {self.ack.p99:8.1f} {self.through.p50:9.1f} {self.through.p99:9.1f}"
            f"  {sum(self.cpu_ms.values()):6.2f} = {cpu}"
        )


HEAD = (
    f"{'offered':>8} {'whole/s':>8} {'whole':>7}/{'offered':<7}"
    f" {'ack p50':>7} {'ack p99':>8} {'through50':>9} {'through99':>9}  CPU ms a lifecycle, by process"
)


def machine() -> dict[str, Any]:
    """Where this was measured."""
    cores = len(os.sched_getaffinity(0))
    return {
        "tongban": version("tongban"),
        "python": platform.python_version(),
        **{name: version(name) for name in ("grpcio", "aiokafka", "asyncpg", "sqlalchemy", "uvloop")},
        "sqlite": sqlite3.sqlite_version,
        "cores": cores,
        "processor": _processor(),
        "system": f"{platform.system()} {platform.release()}",
        "load_before": round(os.getloadavg()[0], 2),
    }


def _processor() -> str:
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8") as lines:
            return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or "unknown"
