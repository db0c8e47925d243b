"""Between an exchange and the bus's Message: the envelope's attributes, and that header and body agree.

Knows how regions stand in a CloudEvent. Must not know offsets, topics' names or what follows from a message.

- source "/regions/32", type "cn.tongban.v1.events", key and subject the case number;
- an acknowledgement is of many cases: its subject is "ack-31-32", from 31 to 32; so is what follows a
  restoration: "recall-31-32-7", the last a number that spreads it over the partitions, and "recalled-32-31";
- the time is that of the outbox row, so that a message sent again is the same message;
- what wants an answer says so: extension `answer`, "wanted". Who does not know a kind that says so refuses it
  to its sender (AskRefused, its ask the message's id); of other unknown kinds nothing is said. A refusal
  wants no answer and is of a kind that every contract has: so nobody, of whatever contract, answers one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from broker.bus import Message
from broker.envelope import Envelope, wrap
from nodes.cases.errors import Code
from nodes.codec.errors import DecodeError
from nodes.codec.exchange import (
    KIND_OF,
    SHAPES,
    Ack,
    Ask,
    AskRefused,
    Exchange,
    Recall,
    Recalled,
    UnreadAsk,
    decode_exchange,
)

TYPE_PREFIX: Final = "cn.tongban.v1."
DATASCHEMA: Final = "proto:tongban.v1.Exchange"
QUESTIONS: Final = frozenset({"ask", "gap_request", "recall"})
"""Kinds that want an answer. One that is itself an answer must never be among them."""
WANTED: Final = ("answer", "wanted")
"""The extension of the envelope by which a message wants an answer."""
SOURCE: Final = re.compile(r"/regions/([0-9]{2})", re.ASCII)


class CarryError(ValueError):
    """A message from the bus that is not one of this contract. `field`: a header, or a path into the body."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class UnknownKind(CarryError):
    """A message of a kind that this contract does not have. (`source`, `message_id`) names it; `refused`:
    what its sender is told who wants an answer.
    """

    def __init__(self, envelope: Envelope, source: str) -> None:
        super().__init__("ce_type", "is none of this contract")
        self.source = source
        self.message_id = envelope.id
        self.refused: AskRefused | None = None
        if WANTED in envelope.extensions:
            code, field = str(Code.NOT_UNDERSTOOD), "ce_type"
            self.refused = AskRefused(envelope.id, envelope.subject, code, field)


@dataclass(frozen=True, slots=True)
class Opened:
    """A message whose header and body agree. `source`: the region that sent it; `subject`: its key."""

    source: str
    message_id: str
    content: Exchange
    subject: str
    sent_at: datetime
    traceparent: str | None


def ack_subject(source: str, destination: str) -> str:
    """Key and subject of the acknowledgements from one region to another."""
    return f"ack-{source}-{destination}"


def recall_subject(source: str, destination: str, number: int) -> str:
    """Key and subject of what a restored region asks another; each number may lie in another partition."""
    return f"recall-{source}-{destination}-{number}"


def recalled_subject(source: str, destination: str) -> str:
    """Key and subject of the answers to it."""
    return f"recalled-{source}-{destination}"


def carry(
    data: bytes,
    *,
    kind: str,
    topic: str,
    subject: str,
    source: str,
    message_id: str,
    wall_s: float,
    traceparent: str | None = None,
) -> Message:
    """The message that takes `data` (see `encode_exchange`) to `topic`. Raises EnvelopeError.

    `kind`: the name of the content in Exchange; `source`: the region that sends; `wall_s`: wall time of the
    outbox row, seconds since 1970; (source, message_id) is unique.
    """
    if kind not in SHAPES:
        raise CarryError("ce_type", "is none of this contract")
    envelope = Envelope(
        id=message_id,
        source=f"/regions/{source}",
        type=TYPE_PREFIX + kind,
        subject=subject,
        time=datetime.fromtimestamp(wall_s, UTC),
        dataschema=DATASCHEMA,
        data=data,
        traceparent=traceparent,
        extensions=(WANTED,) if kind in QUESTIONS else (),
    )
    return wrap(envelope, topic)


def read_message(envelope: Envelope, region: str) -> Opened:
    """What a message to `region` says. Raises CarryError naming the header or the field of the body;
    UnknownKind for a kind that there is not.
    """
    found = SOURCE.fullmatch(envelope.source)
    if found is None:
        raise CarryError("ce_source", "is not a region")
    source = found.group(1)
    if source == region:
        raise CarryError("ce_source", "is this region itself")
    if envelope.dataschema != DATASCHEMA:
        raise CarryError("ce_dataschema", "is not the schema of this contract")
    kind = envelope.type.removeprefix(TYPE_PREFIX)
    if kind == envelope.type:
        raise CarryError("ce_type", "is none of this contract")
    if kind not in SHAPES:
        raise UnknownKind(envelope, source)
    try:
        content = decode_exchange(envelope.data)
    except DecodeError as error:
        raise CarryError(error.field or "value", error.reason) from None
    if KIND_OF[type(content)] != kind:
        raise CarryError("ce_type", "is not the type of the body")
    if not _is_about(envelope.subject, content, source, region):
        raise CarryError("ce_subject", "is not what the body is about")
    if isinstance(content, (Ask, UnreadAsk)):
        _check_ask(content, source)
    return Opened(source, envelope.id, content, envelope.subject, envelope.time, envelope.traceparent)


def subject_of(content: Exchange, source: str, destination: str) -> str:
    """Key and subject of what `source` says to `destination`."""
    match content:
        case Ack():
            return ack_subject(source, destination)
        case Recall():
            return recall_subject(source, destination, content.mark)
        case Recalled():
            return recalled_subject(source, destination)
        case _:
            return content.case_number


def _is_about(subject: str, content: Exchange, source: str, region: str) -> bool:
    if isinstance(content, Recall):
        number = subject.removeprefix(f"recall-{source}-{region}-")
        return number != subject and number.isascii() and number.isdigit() and len(number) < 20
    return subject == subject_of(content, source, region)


def _check_ask(ask: Ask | UnreadAsk, source: str) -> None:
    """An ask comes from its asker, or from the former owner that forwards it."""
    if source != (ask.forwarded_by or ask.asker):
        raise CarryError("ask.forwarded_by" if ask.forwarded_by else "ask.asker", "is not who sent it")
    if isinstance(ask, Ask) and ask.actor.region != ask.asker:
        raise CarryError("ask.actor.region", "is not the asker's")
