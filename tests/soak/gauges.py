"""What a process holds and what a database has grown to, read from outside: /proc, files and tables.

Knows how it is read and what flat means. Must not know what loads the federation.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import linear_regression, mean
from typing import Final

WARM_UP: Final = 0.25
"""Share of the samples that is left out."""
FEWEST: Final = 4
"""So many samples behind the warm-up say something about a slope."""
MAY_GROW: Final = {"rss_mb": 0.15, "handles": 0.15, "threads": 0.15}
"""Share of its mean by which each may grow over the run; for a case's rows and bytes see PER_CASE."""
PER_CASE: Final = 0.3
"""Share by which rows and bytes of one case may grow between the first and the last half."""
WAITING: Final = ("outbox", "held", "gap_request", "parked")
TABLES: Final = (
    *WAITING, "inbox", "answer", "span", "sent_tail", "case_row", "case_event", "filing", "ask",
)  # fmt: skip


@dataclass(frozen=True)
class Sample:
    """One look. `minute`: since the beginning; `process`: mean over the nodes of each of MAY_GROW; `rows`: by
    table, all regions; `bus_kb`: the bus file in use; `cases`: in all databases.
    """

    minute: float
    process: Mapping[str, float]
    rows: Mapping[str, int]
    bus_kb: int

    @property
    def cases(self) -> int:
        """Copies of cases in all databases."""
        return self.rows["case_row"]


def process(pid: int) -> dict[str, float]:
    """Memory in MB, open files and threads of a process. Raises OSError when it is gone."""
    place = Path("/proc") / str(pid)
    status = dict(line.split(":", 1) for line in (place / "status").read_text().splitlines() if ":" in line)
    return {
        "rss_mb": int(status["VmRSS"].split()[0]) / 1024,
        "handles": float(len(list((place / "fd").iterdir()))),
        "threads": float(status["Threads"]),
    }


def rows(path: Path) -> dict[str, int]:
    """Rows of each of TABLES in a database file."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)) as link:
        return {name: int(link.execute(f"SELECT count(*) FROM {name}").fetchone()[0]) for name in TABLES}


def in_use_kb(path: Path) -> int:
    """How much of a database file is in use."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)) as link:
        pages, free, size = (
            link.execute(f"PRAGMA {what}").fetchone()[0]
            for what in ("page_count", "freelist_count", "page_size")
        )
    return int((pages - free) * size) // 1024


def judged(samples: Sequence[Sample]) -> list[str]:
    """What was not flat behind the warm-up, in words."""
    seen = samples[int(len(samples) * WARM_UP) :]
    if len(seen) < FEWEST:
        return [f"{len(seen)} samples behind the warm-up say nothing: run for longer"]
    said = []
    minutes = [s.minute for s in seen]
    for name, share in MAY_GROW.items():
        values = [s.process[name] for s in seen]
        grown = linear_regression(minutes, values).slope * (minutes[-1] - minutes[0])
        if grown > share * mean(values):
            said.append(f"{name} grew by {grown:.1f} from {values[0]:.1f} to {values[-1]:.1f}")
    most = max(50, seen[-1].cases // 10)
    said += [f"{name} has {seen[-1].rows[name]} rows" for name in WAITING if seen[-1].rows[name] > most]
    half = len(seen) // 2
    for name in ("inbox", "answer", "span", "sent_tail", "case_event", "bus_kb"):
        early, late = _per_case(seen[0], seen[half], name), _per_case(seen[half], seen[-1], name)
        if late > early * (1 + PER_CASE):
            said.append(f"{name} grew by {early:.2f} a case, later by {late:.2f}")
    return said


def _per_case(one: Sample, other: Sample, name: str) -> float:
    """By how much it grew for each copy of a case that was added in between."""
    grown = other.bus_kb - one.bus_kb if name == "bus_kb" else other.rows[name] - one.rows[name]
    return grown / max(1, other.cases - one.cases)
