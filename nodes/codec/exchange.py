"""What regions say to each other, as frozen values, and as the data of a message (exchange.proto).

Knows the nine kinds of message. Records inside are bytes: they were written once and are read by `record`.
Must not know topics, headers (carry) or what follows from a message (the desk).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from google.protobuf.message import DecodeError as ProtobufError

from nodes.cases.case import Actor, Case
from nodes.cases.commands import Command
from nodes.codec.errors import DecodeError
from nodes.codec.exchange_kinds import ACKED, HASH, LAST, RECORDS, TRACE, Records
from nodes.codec.kinds import (
    BOOL,
    COUNT,
    MAYBE_NUMBER,
    MAYBE_REGION,
    MAYBE_TIME,
    NUMBER,
    POSITIVE,
    PROSE,
    REGION,
    TEXT,
    TIME,
    WORDS,
    choice,
    many,
    one,
)
from nodes.codec.record import SCHEMA
from nodes.codec.shape import Shape
from nodes.codec.snapshot import fill_case, take_case
from nodes.codec.values import ACTOR
from nodes.codec.verbs import COMMAND
from tongban.v1 import exchange_pb2 as pb


class AskKind(StrEnum):
    """A request may be refused by rule; an attestation only if it is not authentic."""

    REQUEST = "request"
    ATTESTATION = "attestation"


@dataclass(frozen=True, slots=True)
class ServiceRequest:
    """A handover with the whole history; the last record is HandedOver."""

    case_number: str
    records: Records
    handover_id: str = ""
    from_version: int = 1
    trace_id: bytes = b""


@dataclass(frozen=True, slots=True)
class EventBatch:
    """Events n to m of one case."""

    case_number: str
    from_version: int
    records: Records


@dataclass(frozen=True, slots=True)
class Ask:
    """A non-owner asks the owner to apply a command; see exchange.proto for each field."""

    ask_id: str
    case_number: str
    asker: str
    ask_seq: int
    based_on_version: int
    submitted_at: datetime
    kind: AskKind
    actor: Actor
    command: Command
    forwarded_by: str = ""


@dataclass(frozen=True, slots=True)
class UnreadAsk:
    """An ask of which this contract cannot read what is to be done, by whom or when: a newer one may have it.

    It is never sent. `flaw`: the field that cannot be read, `reason`: why.
    """

    ask_id: str
    case_number: str
    asker: str
    ask_seq: int
    based_on_version: int
    forwarded_by: str
    flaw: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class AskRefused:
    """The owner refuses an ask."""

    ask_id: str
    case_number: str
    code: str
    field: str = ""
    detail: str = ""
    at_version: int = 0


@dataclass(frozen=True, slots=True)
class Ack:
    """What arrived: (case number, version), ids of asks, ids of refused asks."""

    versions: tuple[tuple[str, int], ...] = ()
    ask_ids: tuple[str, ...] = ()
    refused_ask_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GapRequest:
    """Events from one version to another are missing; `to_version` 0: all there are.

    `snapshot`: the state is wanted in their place; `asker`: who wants it when a former owner passes this on.
    """

    case_number: str
    from_version: int
    to_version: int = 0
    snapshot: bool = False
    asker: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state of a case without its history. `last`: (core, private part) of the last event."""

    case: Case
    last_hash: bytes
    last: tuple[bytes, bytes]
    trace_id: bytes = b""

    @property
    def case_number(self) -> str:
        """The federation case number."""
        return self.case.number


@dataclass(frozen=True, slots=True)
class Recall:
    """What is known of the sender's cases is wanted, after a restoration; see exchange.proto.

    `mark`: 0 asks for the page behind `after`; `since`: business time, None for everything.
    """

    attempt: str
    mark: int = 0
    since: datetime | None = None
    after: str = ""


@dataclass(frozen=True, slots=True)
class KeptAsk:
    """An ask of the region that recalls, and its outcome where it was kept; version 0: not applied."""

    ask: Ask
    applied_version: int = 0
    refusal_code: str = ""
    refusal_detail: str = ""


@dataclass(frozen=True, slots=True)
class CaseHead:
    """How far a region knows a case."""

    case_number: str
    version: int
    last_hash: bytes
    asks: tuple[KeptAsk, ...] = ()


@dataclass(frozen=True, slots=True)
class Recalled:
    """A mark that comes back, or (`mark` 0) the page behind `after`; `next` "" after the last."""

    attempt: str
    mark: int = 0
    heads: tuple[CaseHead, ...] = ()
    after: str = ""
    next: str = ""
    since: datetime | None = None


Exchange = (
    ServiceRequest
    | EventBatch
    | Ask
    | UnreadAsk
    | AskRefused
    | Ack
    | GapRequest
    | Snapshot
    | Recall
    | Recalled
)
MANY_CASES: Final = (Ack, Recall, Recalled)
"""What is of no one case."""


class _CaseShape:
    @staticmethod
    def fill(message: Any, case: Case) -> None:
        fill_case(message, case)

    @staticmethod
    def take(message: Any) -> Case:
        return take_case(message)


ASK: Final = Shape(
    Ask,
    pb.Ask,
    ask_id=NUMBER,
    case_number=NUMBER,
    asker=REGION,
    ask_seq=POSITIVE,
    based_on_version=COUNT,
    submitted_at=TIME,
    kind=choice(AskKind, pb.AskKind, "ASK_KIND"),
    actor=one(ACTOR),
    command=one(COMMAND),
    forwarded_by=MAYBE_REGION,
)


def _unread(**read: Any) -> UnreadAsk:
    return UnreadAsk(**read)


UNREAD_ASK: Final = Shape(
    _unread,
    pb.Ask,
    ask_id=NUMBER,
    case_number=NUMBER,
    asker=REGION,
    ask_seq=POSITIVE,
    based_on_version=COUNT,
    forwarded_by=MAYBE_REGION,
)
KEPT_ASK: Final = Shape(
    KeptAsk,
    pb.KeptAsk,
    ask=one(ASK),
    applied_version=COUNT,
    refusal_code=MAYBE_NUMBER,
    refusal_detail=PROSE,
)
HEAD: Final = Shape(
    CaseHead, pb.CaseHead, case_number=NUMBER, version=POSITIVE, last_hash=HASH, asks=many(KEPT_ASK)
)

SHAPES: Final[Mapping[str, Shape[Any]]] = MappingProxyType(
    {
        "service_request": Shape(
            ServiceRequest,
            pb.ServiceRequest,
            case_number=NUMBER,
            records=RECORDS,
            handover_id=MAYBE_NUMBER,
            from_version=POSITIVE,
            trace_id=TRACE,
        ),
        "events": Shape(
            EventBatch, pb.EventBatch, case_number=NUMBER, from_version=POSITIVE, records=RECORDS
        ),
        "ask": ASK,
        "ask_refused": Shape(
            AskRefused,
            pb.AskRefused,
            ask_id=NUMBER,
            case_number=NUMBER,
            code=NUMBER,
            field=TEXT,
            detail=PROSE,
            at_version=COUNT,
        ),
        "ack": Shape(
            Ack,
            pb.Ack,
            versions=ACKED,
            ask_ids=WORDS,
            refused_ask_ids=WORDS,
        ),
        "gap_request": Shape(
            GapRequest,
            pb.GapRequest,
            case_number=NUMBER,
            from_version=POSITIVE,
            to_version=COUNT,
            snapshot=BOOL,
            asker=MAYBE_REGION,
        ),
        "snapshot": Shape(
            Snapshot,
            pb.CaseSnapshot,
            case=one(_CaseShape()),
            last_hash=HASH,
            last=LAST,
            trace_id=TRACE,
        ),
        "recall": Shape(Recall, pb.Recall, attempt=NUMBER, mark=COUNT, since=MAYBE_TIME, after=MAYBE_NUMBER),
        "recalled": Shape(
            Recalled,
            pb.Recalled,
            attempt=NUMBER,
            mark=COUNT,
            heads=many(HEAD),
            after=MAYBE_NUMBER,
            next=MAYBE_NUMBER,
            since=MAYBE_TIME,
        ),
    }
)
"""Every kind of message by its field in the one-of of Exchange."""

KIND_OF: Final[Mapping[type[Any], str]] = MappingProxyType(
    {
        UnreadAsk: "ask",
        **{shape.domain: kind for kind, shape in SHAPES.items() if isinstance(shape.domain, type)},
    }
)


def encode_exchange(content: Exchange) -> bytes:
    """The data of a message. Raises EncodeError."""
    kind = KIND_OF[type(content)]
    message = pb.Exchange(schema=SCHEMA)
    inner = getattr(message, kind)
    inner.SetInParent()
    SHAPES[kind].fill(inner, content)
    return message.SerializeToString(deterministic=True)


def decode_exchange(data: bytes) -> Exchange:
    """The inverse of `encode_exchange`. Raises DecodeError."""
    try:
        message = pb.Exchange.FromString(data)
    except ProtobufError:
        raise DecodeError("", "is not a protobuf message of this contract") from None
    if message.schema < 1:
        raise DecodeError("schema", "is not 1 or more")
    kind = message.WhichOneof("content")
    if kind is None:
        raise DecodeError("content", "is missing, or one that this contract does not have")
    try:
        content: Exchange = SHAPES[kind].take(getattr(message, kind))
    except DecodeError as error:
        if kind == "ask":
            return _as_far_as_read(message.ask, error)
        raise error.under(kind) from None
    return content


def _as_far_as_read(message: Any, error: DecodeError) -> UnreadAsk:
    """An ask that can at least be answered. Raises the error where it cannot."""
    try:
        return replace(UNREAD_ASK.take(message), flaw=f"ask.{error.field}", reason=error.reason)
    except DecodeError:
        raise error.under("ask") from None
