"""What grows is told, what is flat is not, and figures of a living process and database are read."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from nodes.store import migrate
from tests.fault.faults.arena import EMBEDDED, SERVERS
from tests.soak.gauges import (
    RECORD,
    TABLES,
    TRIMMED,
    WAITING,
    Sample,
    base_kb,
    in_use_kb,
    judged,
    logs_kb,
    process,
    rows,
)
from tests.soak.run import Deck, faults

HEAP: Final = 7
"""A minute in which a fault has made a heap on the bus."""


def flat(count: int = 12) -> list[Sample]:
    """A run in which nothing grows but what cases bring."""
    return [
        Sample(
            float(n),
            {"rss_mb": 120.0 + n % 2, "handles": 37.0, "threads": 14.0, "tasks": 30.0 + n % 3},
            {
                **dict.fromkeys(TABLES, 0),
                **dict.fromkeys(TRIMMED, 3000 + 100 * (n % 3)),
                "case_row": 100 * n,
                "case_event": 900 * n,
                "open": 10 * n,
                "span of open": 60 * n,
            },
            9000 if n == HEAP else 2500,
            4000 * n,
        )
        for n in range(1, count + 1)
    ]


def test_a_flat_run_is_flat() -> None:
    assert judged(flat()) == []


@pytest.mark.parametrize("name", ["rss_mb", "handles", "threads", "tasks"])
def test_a_process_that_grows_is_told(name: str) -> None:
    leaking = [replace(s, process={**s.process, name: s.process[name] * (1 + s.minute / 20)}) for s in flat()]
    (said,) = judged(leaking)
    assert said.startswith(f"{name} grew")


def test_a_queue_that_does_not_empty_is_told() -> None:
    (said,) = judged([replace(s, rows={**s.rows, "outbox": int(40 * s.minute)}) for s in flat()])
    assert said == "outbox has 480 rows"


@pytest.mark.parametrize("name", [*TRIMMED, "lease"])
def test_what_is_never_trimmed_is_told(name: str) -> None:
    (said,) = judged([replace(s, rows={**s.rows, name: int(300 * s.minute)}) for s in flat()])
    assert said.startswith(f"{name} is not trimmed")


def test_a_bus_that_is_not_trimmed_is_told() -> None:
    (said,) = judged([replace(s, bus_kb=int(1200 * s.minute)) for s in flat()])
    assert said.startswith("bus_kb is not trimmed")


@pytest.mark.parametrize("name", ["case_event", "base_kb"])
def test_what_grows_faster_than_its_cases_is_told(name: str) -> None:
    def planted(sample: Sample) -> Sample:
        size = int(100 * sample.minute**2)
        return (
            replace(sample, base_kb=size)
            if name == "base_kb"
            else replace(sample, rows={**sample.rows, name: size})
        )

    (said,) = judged([planted(s) for s in flat()])
    assert said.startswith(f"{name} grew")


def test_traces_that_grow_while_their_cases_stand_still_are_told() -> None:
    (said,) = judged([replace(s, rows={**s.rows, "span of open": int(60 * s.minute**2)}) for s in flat()])
    assert said.startswith("an open case had")


def test_what_was_before_the_trimming_does_not_count() -> None:
    filling = [
        replace(s, rows={**s.rows, "inbox": 3000 if s.minute > 6 else int(500 * s.minute)}) for s in flat(24)
    ]
    assert judged(filling, flat_from=6.5) == []


def test_too_short_a_run_says_nothing() -> None:
    assert "run for longer" in judged(flat(3))[0]


async def test_figures_are_read(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/node.db"
    await migrate(url)
    found = await rows(url)
    assert found.keys() == TABLES.keys()
    assert not any(found[name] for name in (*WAITING, *TRIMMED, *RECORD))
    assert in_use_kb(tmp_path / "node.db") == await base_kb(url) > 50
    assert all(value > 0 for value in process(os.getpid()).values())


async def test_every_table_has_its_rule(tmp_path: Path) -> None:
    await migrate(f"sqlite:///{tmp_path}/node.db")
    with closing(sqlite3.connect(tmp_path / "node.db")) as link:
        names = {name for (name,) in link.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert {what.split()[0] for what in TABLES.values()} == names - {"alembic_version", "sqlite_sequence"}


def test_what_a_broker_has_given_up_is_not_counted(tmp_path: Path) -> None:
    place = tmp_path / "data" / "tongban.inbox.31-0"
    place.mkdir(parents=True)
    for name in ("0.log", "0.log.deleted", "0.index"):
        (place / name).write_bytes(bytes(4096))
    assert logs_kb(tmp_path) == 4


def test_each_fault_has_its_turn_before_any_comes_again() -> None:
    count = len(faults(EMBEDDED))
    assert count > 12
    deck = Deck(1, EMBEDDED)
    assert len({deck.draw().name for _ in range(count)}) == count
    assert {"broker_killed", "database_killed"} < {fault.name for fault in faults(SERVERS)}
    assert {"poison", "restored"} < {fault.name for fault in faults(EMBEDDED)}
