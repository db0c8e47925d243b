"""Databases and a bus file that an earlier release wrote are opened by this one, and it goes on with them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from nodes.cases.case import Actor, Decision, Role, State
from nodes.cases.commands import Decide, FinishStep
from nodes.codec.requests import FileRequest
from nodes.store.migrate import current, head
from tests.integration.desk.federation import Node, federation, filing
from tests.upgrade.legacy import REGIONS, clock, put, said

OFFSET_BITS = 40
FINGERPRINT = bytes(range(32))


def asked(path: Path, text: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as link:
        return link.execute(text).fetchall()


def spoil_what_was_read(folder: Path) -> int:
    """Nobody could read again what its node has read: it would be put aside. Gives how many messages."""
    spoiled = 0
    with closing(sqlite3.connect(folder / "bus.db")) as bus:
        for region in REGIONS:
            places = asked(folder / f"{region}.db", 'SELECT topic, "partition", next_offset FROM bus_offset')
            for topic, number, offset in places:
                row = bus.execute(
                    "SELECT p.id FROM partition p JOIN topic t ON t.id = p.topic_id"
                    " WHERE t.name = ? AND p.number = ?",
                    (topic, number),
                ).fetchone()
                first = row[0] << OFFSET_BITS
                done = bus.execute(
                    "UPDATE record SET value = x'ff' WHERE id >= ? AND id < ?", (first, first + offset)
                )
                spoiled += done.rowcount
        bus.commit()
    return spoiled


def incarnations(folder: Path) -> list[tuple[object, ...]]:
    return asked(
        folder / "bus.db", "SELECT name, incarnation FROM topic WHERE name LIKE '%inbox%' ORDER BY 1"
    )


async def both_closed(number: str, origin: Node, competent: Node) -> None:
    closed = await origin.until(number, lambda c: c.state is State.CLOSED)
    assert await competent.until(number, lambda c: c.version == closed.version) == closed


async def test_its_data_are_gone_on_with(tmp_path: Path) -> None:
    put(tmp_path, *REGIONS, "bus")
    left, files = said(), {region: tmp_path / f"{region}.db" for region in REGIONS}
    events = "SELECT number, version, event_id, core, private FROM case_event ORDER BY number, version"
    before = {region: asked(path, events) for region, path in files.items()}
    logs = incarnations(tmp_path)
    assert len(logs) >= len(REGIONS)
    assert spoil_what_was_read(tmp_path) > 10
    async with federation(tmp_path, *REGIONS, clock=clock()) as (competent, origin, third):
        # What was settled, and what was on its way to the origin.
        await both_closed(left["closed"], origin, competent)
        await both_closed(left["decided_unread"], third, competent)
        # A case in the midst of its review is taken to its end.
        for _ in range(3):
            await competent.applied(left["in_review"], FinishStep("ok"))
        await competent.applied(left["in_review"], Decide(Decision(True, "依据充分", "")))
        await both_closed(left["in_review"], origin, competent)
        # Filings that lay unread on the bus, or had not left.
        for name in ("filed_unread", "unsent"):
            await competent.until(left[name], lambda c: not c.awaiting_receipt)
            await competent.settle(left[name])
            await both_closed(left[name], origin, competent)
        # A request that is repeated has its first answer, and a new case gets a number that nobody has.
        request = FileRequest("test", "once", Actor(Role.APPLICANT, "32", "a1"), filing())
        assert (await origin.parts.desk.file(request, FINGERPRINT)).body.hex() == left["answer"]
        new = await origin.filed(filing())
        assert new not in {number for number, *_ in before["32"]}
        await competent.until(new, lambda c: not c.awaiting_receipt)
    for region, path in files.items():
        assert await current(f"sqlite:///{path}") == head()
        assert set(before[region]) <= set(asked(path, events))
        assert asked(path, "SELECT reason, detail FROM parked") == []
    assert incarnations(tmp_path) == logs
