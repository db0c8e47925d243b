"""What is trimmed in time stays known, and what goes too early, in part or unseen is told."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from broker.bus import Message, TopicSpec
from broker.sqlite import SqliteBus
from tests.fault.checker.facts import Region, Restore, World
from tests.soak.keeper import Ages, Keeper

TOPIC: Final = "tongban.inbox.31"
AGES: Final = Ages(answers_s=100.0, spans_s=100.0, letters_s=100.0)
TABLES: Final = """
CREATE TABLE answer (client TEXT, request_id TEXT, answer BLOB, created_wall_s REAL);
CREATE TABLE span (
    span_id TEXT, trace_id TEXT, parent_span_id TEXT, case_number TEXT, name TEXT, start_ns INTEGER
);
CREATE TABLE parked (
    id TEXT, case_number TEXT, source TEXT, topic TEXT, partition INTEGER, log_offset INTEGER, reason TEXT,
    highest_seen INTEGER, state TEXT, parked_wall_s REAL
);
CREATE TABLE case_row (number TEXT, open BOOLEAN);
CREATE TABLE node_meta (key TEXT, value TEXT);
INSERT INTO node_meta VALUES ('incarnation', '1');
"""


class Place:
    """A database with the tables that are looked at, and an embedded bus with one topic."""

    def __init__(self, folder: Path, link: sqlite3.Connection) -> None:
        self.folder, self.link = folder, link
        self.bus = SqliteBus(folder / "bus.db")
        self.restores: list[Restore] = []
        self.keeper = Keeper(
            {"31": f"sqlite:///{folder}/31.db"}, f"sqlite:///{folder}/bus.db", AGES, self.restores
        )

    def run(self, text: str, *values: object) -> None:
        self.link.execute(text, values)

    def answer(self, name: str, age_s: float, said: bytes = b"\x01yes") -> None:
        self.run("INSERT INTO answer VALUES ('c', ?, ?, ?)", name, said, time.time() - age_s)

    def span(self, name: str, trace: str, number: str, age_s: float) -> None:
        at_ns = int((time.time() - age_s) * 1e9)
        self.run("INSERT INTO span VALUES (?, ?, '', ?, 'file', ?)", name, trace, number, at_ns)

    def letter(self, name: str, state: str, age_s: float) -> None:
        at = time.time() - age_s
        self.run("INSERT INTO parked VALUES (?, NULL, '', ?, 0, 0, 'TORN', 0, ?, ?)", name, TOPIC, state, at)

    async def published(self, count: int) -> None:
        await self.bus.start()
        await self.bus.ensure_topics([TopicSpec(TOPIC, 1, 1000)])
        await self.bus.publish([Message(TOPIC, b"k", b"\xff") for _ in range(count)])

    async def trimmed(self) -> None:
        await self.bus.trim(int(time.time() * 1000) + 60_000)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with closing(sqlite3.connect(tmp_path / "31.db", isolation_level=None)) as link:
        link.execute("PRAGMA journal_mode = WAL")
        link.executescript(TABLES)
        yield Place(tmp_path, link)


def empty(code: str) -> Region:
    """What is left of a region when everything was trimmed."""
    return Region(
        code=code, cases={}, filings=frozenset(), events={}, answers={}, asks={}, outbox=(), tails=(),
        seen=frozenset(), offsets={}, held=(), gaps=(), parked=(), resyncs=(), spans=(),
    )  # fmt: skip


async def test_what_was_trimmed_in_time_is_still_known(place: Place) -> None:
    await place.published(3)
    place.answer("old", 150)
    place.span("hop", "trace", "case", 150)
    place.run("INSERT INTO case_row VALUES ('case', false)")
    await place.keeper.look()
    await place.trimmed()
    await place.bus.publish([Message(TOPIC, b"k", b"\xff")])
    place.run("DELETE FROM answer")
    place.run("DELETE FROM span")
    await place.keeper.look()
    await place.bus.close()
    whole = place.keeper.whole(World(regions={"31": empty("31")}, partitions=()))
    assert [record.offset for record in whole.records()] == [0, 1, 2, 3]
    assert [partition.first for partition in whole.partitions or ()] == [0]
    assert list(whole.regions["31"].answers) == [("c", "old")]
    assert [span.span_id for span in whole.regions["31"].spans] == ["hop"]
    assert place.keeper.broken == []


async def test_messages_that_nobody_saw_are_told(place: Place) -> None:
    await place.published(1)
    await place.keeper.look()
    await place.bus.publish([Message(TOPIC, b"k", b"\xff") for _ in range(2)])
    await place.trimmed()
    await place.keeper.look()
    await place.bus.close()
    (said,) = place.keeper.broken
    assert said.startswith(f"{TOPIC}/0: 1 to 3 went unseen")


async def test_an_answer_that_goes_too_early_or_changes_is_told(place: Place) -> None:
    await place.published(1)
    for name, age_s in (("old", 150), ("young", 50), ("kept", 50), ("other", 50)):
        place.answer(name, age_s)
    await place.keeper.look()
    place.run("DELETE FROM answer WHERE request_id IN ('old', 'young')")
    place.run("UPDATE answer SET answer = ? WHERE request_id = 'other'", b"\x01no")
    await place.keeper.look()
    await place.bus.close()
    assert sorted(said.partition(" after")[0] for said in place.keeper.broken) == [
        "31: answer other is another",
        "31: answer young went",
    ]


async def test_a_letter_that_nobody_settled_and_goes_is_told(place: Place) -> None:
    await place.published(1)
    for name, state, age_s in (("old", "dropped", 150), ("young", "dropped", 50), ("open", "parked", 150)):
        place.letter(name, state, age_s)
    await place.keeper.look()
    place.run("DELETE FROM parked")
    await place.keeper.look()
    await place.bus.close()
    assert sorted(said.partition(" after")[0] for said in place.keeper.broken) == [
        "31: letter open went parked",
        "31: letter young went dropped",
    ]
    whole = place.keeper.whole(World(regions={"31": empty("31")}, partitions=()))
    assert {letter.id for letter in whole.regions["31"].parked} == {"old", "young", "open"}


async def test_a_trace_goes_whole_in_time_and_after_its_case(place: Place) -> None:
    await place.published(1)
    place.run("INSERT INTO case_row VALUES ('open', true)")
    for name, trace, number, age_s in (
        ("a1", "ended", "ended", 200), ("a2", "ended", "ended", 150),
        ("b1", "young", "young", 200), ("b2", "young", "young", 50),
        ("c1", "cut", "cut", 200), ("c2", "cut", "cut", 150),
        ("d1", "open", "open", 200),
    ):  # fmt: skip
        place.span(name, trace, number, age_s)
    await place.keeper.look()
    place.run("DELETE FROM span WHERE span_id <> 'c2'")
    await place.keeper.look()
    await place.bus.close()
    assert sorted(said.partition(" after")[0] for said in place.keeper.broken) == [
        "31: the trace of open open went",
        "31: trace cut was cut in two",
        "31: trace young went before its time",
    ]


async def test_what_a_restored_backup_undoes_is_no_loss(place: Place) -> None:
    """Of what was written just before it some is there when the node is back, some is never seen again."""
    await place.published(1)
    place.run("INSERT INTO case_row VALUES ('case', true)")
    place.span("first", "trace", "case", 50)
    for name, age_s in (("undone", 0.5), ("there", 0.5), ("before", 50)):
        place.answer(name, age_s)
    place.span("second", "trace", "case", 0.5)
    backup_ns = time.time_ns()
    await place.keeper.look()
    place.run("DELETE FROM answer WHERE request_id <> 'there'")
    place.run("DELETE FROM span WHERE span_id = 'second'")
    place.run("INSERT INTO node_meta VALUES ('restoring', '1')")
    await place.keeper.look()
    assert place.keeper.broken == []
    place.run("DELETE FROM node_meta WHERE key = 'restoring'")
    place.run("UPDATE node_meta SET value = '2'")
    await place.keeper.look()
    assert len(place.keeper.broken) == 5
    place.restores.append(Restore("31", backup_ns, time.time_ns()))
    place.run("UPDATE answer SET created_wall_s = created_wall_s - 150")
    place.run("DELETE FROM span")
    place.run("UPDATE case_row SET open = false")
    await place.keeper.look()
    await place.bus.close()
    assert [said.partition(" after")[0] for said in place.keeper.broken] == [
        "31: answer before went",
        "31: trace trace went before its time",
    ]
    whole = place.keeper.whole(World(regions={"31": empty("31")}))
    assert {name for _, name in whole.regions["31"].answers} == {"there", "before"}
    assert [span.span_id for span in whole.regions["31"].spans] == ["first"]
