"""Good handovers by the thousand, as 32 would send them, and poison of every kind to put among them."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

import uuid_utils

from broker.bus import Message
from broker.topics import inbox
from nodes.cases.events import Filed
from nodes.codec.carry import carry
from nodes.codec.exchange import ServiceRequest, encode_exchange
from nodes.codec.record import DecodedEvent, decode_record, encode_event
from regions.casenumber import case_number
from tests.hostile.texts import SQL
from tests.integration.desk.federation import Node, filing

DAY = date(2026, 11, 23)
TO = inbox("31")
Spoil = Callable[[Message], Message]


@dataclass(frozen=True, slots=True)
class Good:
    """A handover from 32 to 31 and its case."""

    number: str
    message: Message


async def filed_once(origin: Node) -> Sequence[DecodedEvent]:
    """What the region of filing writes before it hands a case over: the model of all that follow."""
    number = await origin.filed(filing())
    return [decode_record(e.core, e.private) for e in (await origin.parts.reader.history(number))[:2]]


def handovers(model: Sequence[DecodedEvent]) -> Iterator[Good]:
    """One case after the other, each with a number, events and a message of its own."""
    for serial in itertools.count(1):
        number = str(case_number("320100", DAY, 77, serial))
        records, before = [], b""
        for found in model:
            event = found.event
            if isinstance(event.body, Filed):
                filed = replace(event.body.filing, case_number=number)
                event = replace(event, body=replace(event.body, filing=filed))
            record = encode_event(
                event, number, event_id=uuid_utils.uuid7().bytes, prev_hash=before,
                recipients=found.recipients, salt=b"s" * 16,
            )  # fmt: skip
            records.append((record.core, record.private))
            before = record.hash
        content = ServiceRequest(number, tuple(records), trace_id=serial.to_bytes(16, "big"))
        message = carry(
            encode_exchange(content), kind="service_request", topic=TO, subject=number, source="32",
            message_id=f"32-77-{serial}", wall_s=1_790_000_000.0,
        )  # fmt: skip
        yield Good(number, message)


def _headers(message: Message, name: str, value: bytes) -> Message:
    return replace(message, headers=tuple((n, value if n == name else v) for n, v in message.headers))


SPOILED: tuple[tuple[str, Spoil], ...] = (
    ("BAD_ENVELOPE", lambda m: replace(m, headers=())),
    ("BAD_ENVELOPE", lambda m: replace(m, value=None)),
    ("BAD_ENVELOPE", lambda m: replace(m, key=m.key + b"x")),
    ("BAD_ENVELOPE", lambda m: _headers(m, "ce_id", b"a\x00b")),
    ("BAD_ENVELOPE", lambda m: _headers(m, "ce_subject", SQL.encode())),
    ("BAD_ENVELOPE", lambda m: _headers(m, "ce_specversion", b"0.3")),
    ("BAD_MESSAGE", lambda m: _headers(m, "ce_type", b"cn.tongban.v9.events")),
    ("BAD_MESSAGE", lambda m: _headers(m, "ce_source", b"/regions/31")),
    ("BAD_MESSAGE", lambda m: _headers(m, "ce_type", b"cn.tongban.v1.ask")),
    ("BAD_MESSAGE", lambda m: _headers(m, "ce_time", b"2199-01-01T00:00:00Z")),
    ("BAD_MESSAGE", lambda m: replace(m, value=b"\xff" + (m.value or b""))),
    ("BAD_MESSAGE", lambda m: replace(m, value=(m.value or b"")[:-9])),
)
"""Why it is put aside, and how a good handover is made so."""


def spoiled(rng: random.Random, good: Good) -> tuple[str, Message]:
    """(reason, a message that nobody can use)."""
    reason, spoil = rng.choice(SPOILED)
    return reason, spoil(good.message)
