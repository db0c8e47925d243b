"""A node is put back to an older state, and a region of an older contract lacks the question that it asks."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from broker.envelope import Envelope
from nodes.cases.case import State
from nodes.cases.commands import Accept, PreCheck
from nodes.codec.carry import TYPE_PREFIX, Opened, UnknownKind, read_message
from nodes.store import note_restored
from tests.integration.desk.federation import filing
from tests.integration.desk.test_restored import caught_up, copy, four, received, same
from tests.integration.operations.console import consoles, refusal

OLDER = "33"


def older(envelope: Envelope, region: str) -> Opened:
    """How messages are read where one region's contract lacks what a restored region asks."""
    if region == OLDER and envelope.type == f"{TYPE_PREFIX}recall":
        raise UnknownKind(envelope, envelope.source.removeprefix("/regions/"))
    return read_message(envelope, region)


def on_the_bus(folder: Path, kind: str) -> int:
    with closing(sqlite3.connect(folder / "bus.db")) as link:
        count = "SELECT count(*) FROM record WHERE instr(headers, ?) > 0"
        found: int = link.execute(count, (TYPE_PREFIX + kind,)).fetchone()[0]
        return found


async def test_who_does_not_know_the_question_says_so_and_is_asked_again_after_its_upgrade(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = tmp_path / "31.backup"
    monkeypatch.setattr("nodes.inbox.read_message", older)
    async with four(tmp_path, "31", OLDER, "32") as (competent, other, origin, _):
        with_older = await other.filed(filing(origin="330100"))
        await other.until(with_older, lambda c: not c.awaiting_receipt)
        with_newer = await received(origin, competent)
        copy(tmp_path / "31.db", backup)
        for number, at in ((with_older, other), (with_newer, origin)):
            await competent.applied(number, PreCheck())
            await at.until(number, lambda c: c.state is State.PRE_CHECKED)
    copy(backup, tmp_path / "31.db")
    await note_restored(f"sqlite:///{tmp_path}/31.db")
    async with four(tmp_path, "31", OLDER, "32", recovery_s=3_600.0) as nodes:
        competent, other, origin, _ = nodes
        found = await caught_up(competent)
        # It is not waited for: it counts as missing, by name, with the cases that it may know more of.
        assert (found.answered, found.missing, found.unread) == (("32", "34"), (OLDER,), (OLDER,))
        assert found.unsure == 1
        told = competent.parts.recovery.told
        assert "33 cannot answer, of an older contract; they may know more of 1 open cases" in told
        assert (await same(with_newer, origin, competent)).state is State.PRE_CHECKED
        lacking = await competent.case(with_older)
        assert lacking is not None
        assert lacking.state is State.FILED
        # What it could not read it keeps, the question that came after the others too.
        console, elsewhere = consoles(other, competent)

        async def late() -> int:
            return sum(b"late-" in letter.value for letter in await console.parked())

        await other.eventually(late, 1)
        letters = await console.parked()
        assert {(x.reason, x.detail) for x in letters} == {
            ("BAD_MESSAGE", "ce_type: is none of this contract")
        }
        state, detail = await console.replayed(letters[0].id)
        assert (state, "ce_type" in detail) == ("parked", True)
        # Upgraded, it is told by its operator to read them again: what it knows comes back.
        monkeypatch.undo()
        for letter in letters:
            assert await console.replayed(letter.id) == ("replayed", "")
            assert refusal(await console.replay(letter.id)) == {"id": "LETTER_SETTLED"}
        await competent.until(with_older, lambda c: c.state is State.PRE_CHECKED)
        await same(with_older, other, competent)
        await competent.applied(with_older, Accept())
        await other.until(with_older, lambda c: c.state is State.ACCEPTED)
        assert not await console.parked()
        assert not await elsewhere.parked()
    # Each question had one answer, and no answer had any.
    assert on_the_bus(tmp_path, "ask_refused") == len(letters)
