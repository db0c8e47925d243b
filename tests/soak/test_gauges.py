"""What grows is told, what is flat is not, and figures of a living process and database are read."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from nodes.store import migrate
from tests.soak.gauges import TABLES, Sample, in_use_kb, judged, process, rows
from tests.soak.run import faults


def flat(count: int = 12) -> list[Sample]:
    """A run in which nothing grows but what cases bring."""
    return [
        Sample(
            float(n),
            {"rss_mb": 120.0 + n % 2, "handles": 37.0, "threads": 14.0},
            {**dict.fromkeys(TABLES, 0), "case_row": 100 * n, "case_event": 900 * n, "span": 1500 * n},
            1200 * n,
        )
        for n in range(1, count + 1)
    ]


def test_a_flat_run_is_flat() -> None:
    assert judged(flat()) == []


@pytest.mark.parametrize("name", ["rss_mb", "handles", "threads"])
def test_a_process_that_grows_is_told(name: str) -> None:
    leaking = [replace(s, process={**s.process, name: s.process[name] * (1 + s.minute / 20)}) for s in flat()]
    (said,) = judged(leaking)
    assert said.startswith(f"{name} grew")


def test_a_queue_that_does_not_empty_is_told() -> None:
    (said,) = judged([replace(s, rows={**s.rows, "outbox": int(40 * s.minute)}) for s in flat()])
    assert said == "outbox has 480 rows"


def test_what_grows_faster_than_its_cases_is_told() -> None:
    (said,) = judged([replace(s, bus_kb=int(100 * s.minute**2)) for s in flat()])
    assert said.startswith("bus_kb grew")


def test_too_short_a_run_says_nothing() -> None:
    assert "run for longer" in judged(flat(3))[0]


async def test_figures_are_read(tmp_path: Path) -> None:
    await migrate(f"sqlite:///{tmp_path}/node.db")
    assert rows(tmp_path / "node.db") == dict.fromkeys(TABLES, 0)
    assert in_use_kb(tmp_path / "node.db") > 50
    assert all(value > 0 for value in process(os.getpid()).values())
    assert len(faults()) > 5
