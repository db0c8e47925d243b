"""A region whose contract is newer than this one's sends what this one does not know; nothing of it is lost.

The newer contract is made of bytes: fields, an event, a kind of message that no descriptor of ours has.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from broker.bus import EARLIEST
from broker.envelope import open_
from broker.topics import inbox
from nodes.business_time import SHANGHAI
from nodes.cases.case import Actor, Role, State
from nodes.cases.commands import Withdraw
from nodes.cases.events import Unknown
from nodes.codec.carry import TYPE_PREFIX, carry
from nodes.codec.exchange import (
    Ask,
    AskKind,
    AskRefused,
    EventBatch,
    decode_exchange,
    encode_exchange,
)
from nodes.codec.record import decode_record, encode_event
from tests.integration.desk.federation import PATIENCE_S, Node, federation, filing
from tongban.v1 import exchange_pb2

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


def wanted(number: str, place: int, *, newer: bool) -> bytes:
    """What the applicant wants of the owner; of the newer contract it is something that this one lacks."""
    asked = Ask(
        f"ask-{number}-{place}", number, "32", place, 1, datetime.now(SHANGHAI), AskKind.REQUEST,
        Actor(Role.APPLICANT, "32", "a1"), Withdraw("no longer wanted"),
    )  # fmt: skip
    said = exchange_pb2.Exchange.FromString(encode_exchange(asked))
    if newer:
        said.ask.command.ParseFromString(NEW_FIELD)
    return said.SerializeToString()


async def test_an_ask_that_a_newer_contract_has_is_refused_and_the_next_one_has_its_turn(
    tmp_path: Path,
) -> None:
    async with federation(tmp_path, "32", "31") as (origin, competent):
        number = await origin.filed(filing())
        await competent.until(number, lambda c: not c.awaiting_receipt)
        for place, newer_one in ((1, True), (2, False)):
            message = carry(
                wanted(number, place, newer=newer_one), kind="ask", topic=inbox("31"), subject=number,
                source="32", message_id=f"m-{place}", wall_s=time.time(),
            )  # fmt: skip
            await origin.parts.bus.publish([message])
        await competent.until(number, lambda c: c.state is State.WITHDRAWN)
        with closing(sqlite3.connect(tmp_path / "31.db")) as link:
            asks = link.execute("SELECT state, refusal_code FROM ask ORDER BY ask_seq").fetchall()
            letters = link.execute("SELECT count(*) FROM parked").fetchone()
        assert asks == [("refused", "BAD_VALUE"), ("applied", "")]
        assert letters == (0,)
        told = [refused.ask_id for refused in await said_to(origin, AskRefused)]
        assert told == [f"ask-{number}-1"]


async def _first(_topic: str, _partition: int, _incarnation: str) -> int | None:
    return EARLIEST


async def said_to(node: Node, kind: type[Any]) -> list[Any]:
    """What the bus has brought to a node, of that kind, as soon as there is any."""
    reading = node.parts.bus.subscribe([inbox(node.region)], "test", member="test", start=_first)
    found: list[Any] = []
    async with asyncio.timeout(PATIENCE_S):
        while not found:
            contents = [decode_exchange(open_(d.message).data) for d in await reading.poll(500)]
            found = [content for content in contents if isinstance(content, kind)]
    await reading.close()
    return found


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
