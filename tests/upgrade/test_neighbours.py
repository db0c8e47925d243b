"""A region whose contract is newer than this one's sends what this one does not know; nothing of it is lost.

The newer contract is made of bytes: fields, an event, a kind of message that no descriptor of ours has.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from broker.topics import inbox
from nodes.cases.case import State
from nodes.cases.events import Unknown
from nodes.codec.carry import TYPE_PREFIX, carry
from nodes.codec.exchange import EventBatch, encode_exchange
from nodes.codec.record import decode_record, encode_event
from tests.integration.desk.federation import Node, federation, filing

NEW_FIELD = b"\xa2\x3e\x05later"
"""Field 1000, a text."""


def newer(core: bytes, private: bytes, case_number: str, *, must: bool) -> bytes:
    """The event behind that one, of a type and with a field that this contract does not have."""
    last = decode_record(core, private)
    event = replace(last.event, version=last.version + 1, body=Unknown("Stamped"), caused_by="")
    after = replace(event.after, state=State.IN_REVIEW)
    event_id = bytes([*last.event_id[:15], last.event_id[15] ^ event.version])
    made = encode_event(
        replace(event, after=after), case_number, event_id=event_id, prev_hash=last.hash,
        recipients=("32",), salt=bytes(16), must_understand=must,
    )  # fmt: skip
    return made.core + NEW_FIELD


async def say(node: Node, kind: str, data: bytes, subject: str, name: str) -> None:
    """As region 31 sends it; a message of an unknown kind is named as such."""
    known = kind if kind != "greeting" else "events"
    message = carry(
        data, kind=known, topic=inbox("32"), subject=subject, source="31", message_id=name, wall_s=time.time()
    )
    headers = tuple(
        (key, f"{TYPE_PREFIX}{kind}".encode() if key == "ce_type" else value)
        for key, value in message.headers
    )
    await node.parts.bus.publish([replace(message, headers=headers)])


def parked(folder: Path) -> list[tuple[str | None, str, bytes]]:
    with closing(sqlite3.connect(folder / "32.db")) as link:
        return link.execute("SELECT case_number, reason, value FROM parked ORDER BY parked_wall_s").fetchall()


async def test_what_a_newer_contract_says_is_kept_applied_or_put_aside(tmp_path: Path) -> None:
    async with federation(tmp_path, "32", "31") as (origin, competent):
        kept, stopped, other = [await origin.filed(filing()) for _ in range(3)]
        for number in (kept, stopped, other):
            await origin.until(number, lambda c: not c.awaiting_receipt)
        # A kind of message that this contract lacks is put aside whole, and holds up nothing.
        greeting = b"\x08\x02" + NEW_FIELD
        await say(origin, "greeting", greeting, other, "n-1")

        async def letters() -> int:
            return len(parked(tmp_path))

        await origin.eventually(letters, 1)
        assert parked(tmp_path)[0][2] == greeting
        # An event that it lacks: what holds after it is applied, its bytes are kept.
        said = {}
        for number, must in ((kept, False), (stopped, True)):
            last = (await origin.parts.reader.history(number))[-1]
            core = said[number] = newer(last.core, last.private, number, must=must)
            data = encode_exchange(EventBatch(number, last.version + 1, ((core, b""),))) + NEW_FIELD
            await say(origin, "events", data, number, f"n-{number}")
        case = await origin.until(kept, lambda c: c.state is State.IN_REVIEW)
        assert (await origin.parts.reader.history(kept))[-1].core == said[kept]
        assert (await origin.parts.reader.history(kept))[-1].version == case.version
        # One that must be understood parks its case, whole, and no other.
        await origin.eventually(letters, 2)
        about, reason, value = parked(tmp_path)[1]
        assert (about, reason) == (stopped, "MUST_UNDERSTAND")
        assert said[stopped] in value
        await competent.settle(other)
        await origin.until(other, lambda c: c.state is State.CLOSED)
