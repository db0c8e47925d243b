"""What a process holds and what a database has grown to, read from outside: /proc, metrics, files and tables.

Knows how it is read and what flat means. Must not know what loads the federation.
"""

from __future__ import annotations

import sqlite3
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import linear_regression, mean, median
from typing import Final

from tests.fault.checker.database import read_rows

WARM_UP: Final = 0.25
"""Share of the samples that is left out."""
FEWEST: Final = 4
"""So many samples behind the warm-up say something about a slope."""
MAY_GROW: Final = {"rss_mb": 0.15, "handles": 0.15, "threads": 0.15, "tasks": 0.25}
"""Share of its mean by which each may grow over the run."""
TRIMMED_BY: Final = 0.25
"""Share by which a trimmed table, and the bus, may be larger in the second half of the run than in the first,
by the middle of each: a fault makes a heap for a while."""
PER_CASE: Final = 0.3
"""Share by which rows and bytes of one case may grow between the first and the last half."""
SPARE: Final = 20
"""Rows more or less say nothing."""
RUBBISH: Final = 60
"""Dead letters more or less say nothing: one fault of the mix brings 40, and they go by their age."""
OF_OPEN: Final = (
    "EXISTS (SELECT 1 FROM span m JOIN case_row c ON c.number = m.case_number"
    " WHERE m.trace_id = span.trace_id AND c.open)"
)
WAITING: Final = {
    "outbox": "outbox",
    "held": "held",
    "gap_request": "gap_request",
    "parked cases": "parked WHERE state = 'parked' AND coalesce(case_number, '') <> ''",
}
"""What empties by itself: name -> what is counted."""
TRIMMED: Final = {
    "inbox": "inbox",
    "answer": "answer",
    "sent_tail": "sent_tail",
    "span": f"span WHERE NOT {OF_OPEN}",
    "letters": "parked WHERE coalesce(case_number, '') = ''",
}
"""What is forgotten in time; letters, once an operator has settled them."""
FIXED: Final = {name: name for name in ("bus_offset", "lease", "node_meta")}
"""What a node has so many of, and no more."""
RECORD: Final = {
    "case_row": "case_row",
    "open": "case_row WHERE open",
    "span of open": f"span WHERE {OF_OPEN}",
    **{
        name: name
        for name in (
            *("case_event", "filing", "ask", "resync", "serial"),
            *("material", "material_use", "material_fetch"),
        )
    },
}
"""What stays: the cases' own record, and the traces of those under way."""
TABLES: Final = {**WAITING, **TRIMMED, **FIXED, **RECORD}


@dataclass(frozen=True)
class Sample:
    """One look. `minute`: since the beginning; `process`: mean over the nodes of each of MAY_GROW; `rows`: by
    name of TABLES, all regions; `bus_kb`: what the bus has in use; `base_kb`: what the databases have.
    """

    minute: float
    process: Mapping[str, float]
    rows: Mapping[str, int]
    bus_kb: int
    base_kb: int = 0

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


def tasks(port: int) -> float:
    """Tasks of a node's event loop, by its metrics on that port. Raises OSError when it is away."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        for line in answer.read().decode().splitlines():
            if line.startswith("tongban_tasks "):
                return float(line.split()[1])
    raise OSError(f"port {port} shows no tasks")


async def rows(url: str) -> dict[str, int]:
    """How many of each of TABLES a database has."""
    found = await read_rows(url, {name: f"SELECT count(*) FROM {what}" for name, what in TABLES.items()})
    return {name: int(counted[0][0]) for name, counted in found.items()}


async def base_kb(url: str) -> int:
    """How much of a database is in use."""
    if url.startswith("sqlite:///"):
        return in_use_kb(Path(url.removeprefix("sqlite:///")))
    found = await read_rows(url, {"size": "SELECT pg_database_size(current_database())"})
    return int(found["size"][0][0]) // 1024


def in_use_kb(path: Path) -> int:
    """How much of a database file is in use."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)) as link:
        pages, free, size = (
            link.execute(f"PRAGMA {what}").fetchone()[0]
            for what in ("page_count", "freelist_count", "page_size")
        )
    return int((pages - free) * size) // 1024


def logs_kb(folder: Path) -> int:
    """What the files of our topics take in a broker's folder, those left out that it has given up."""
    found = 0
    for file in folder.glob("data/tongban.*/*.log"):
        try:
            found += file.stat().st_size
        except FileNotFoundError:  # given up at this moment
            continue
    return found // 1024


def judged(samples: Sequence[Sample], *, flat_from: float = 0.0) -> list[str]:
    """What was not flat behind the warm-up, in words. `flat_from`: the minute from which on as much is
    trimmed as comes in.
    """
    seen = [s for s in samples[int(len(samples) * WARM_UP) :] if s.minute >= flat_from]
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
    for name in (*TRIMMED, *FIXED, "bus_kb"):
        early, late = (median(_size(s, name) for s in part) for part in (seen[:half], seen[half:]))
        spare = RUBBISH if name == "letters" else SPARE
        if late > early * (1 + TRIMMED_BY) + spare:
            said.append(f"{name} is not trimmed: {early:.0f} in the first half, {late:.0f} in the second")
    for name in ("case_event", "base_kb"):
        early, late = _per_case(seen[0], seen[half], name), _per_case(seen[half], seen[-1], name)
        if late > early * (1 + PER_CASE):
            said.append(f"{name} grew by {early:.2f} a case, later by {late:.2f}")
    first, last = ((s.rows["span of open"] + SPARE) / (s.rows["open"] + SPARE) for s in (seen[0], seen[-1]))
    if last > first * (1 + PER_CASE):
        said.append(f"an open case had {first:.1f} spans, later {last:.1f}")
    return said


def _size(sample: Sample, name: str) -> int:
    sizes = {"bus_kb": sample.bus_kb, "base_kb": sample.base_kb}
    return sizes[name] if name in sizes else sample.rows[name]


def _per_case(one: Sample, other: Sample, name: str) -> float:
    """By how much it grew for each copy of a case that was added in between."""
    return (_size(other, name) - _size(one, name)) / max(1, other.cases - one.cases)
