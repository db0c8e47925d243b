"""An event as bytes: written once, hashed, never encoded again.

Knows EventCore and PrivatePart. `hash` is the SHA-256 of the core's bytes and stands in the next event as
`prev_hash`. Must not know where the bytes are stored or sent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf.message import DecodeError as ProtobufError

from nodes.cases.events import Event, Unknown
from nodes.cases.frozen import quick
from nodes.codec.bodies import AFTER, BODIES, FIELD_OF, TYPES
from nodes.codec.errors import DecodeError, EncodeError
from nodes.codec.kinds import MAX_COUNT, MAYBE_NUMBER, NUMBER, REGION, TIME, Fill, Kind, Take, one
from nodes.codec.private import move_out, open_part, put_back
from nodes.codec.texts import check_text
from nodes.codec.times import decode_time
from nodes.codec.values import ROLE
from tongban.v1 import event_pb2 as pb

SCHEMA: Final = 1
"""The contract version that this code writes, and the highest whose bodies it knows."""
MAX_CORE_BYTES: Final = 256 * 1024
MAX_RECIPIENTS: Final = 64


@quick
@dataclass(frozen=True, slots=True)
class Record:
    """The stored bytes of one event. `hash`: SHA-256 of `core`; `event_id`: 16 bytes, UUIDv7."""

    core: bytes
    private: bytes
    hash: bytes
    event_id: bytes
    version: int


@quick
@dataclass(frozen=True, slots=True)
class DecodedEvent:
    """An event read from bytes, with the facts of its core.

    `erased`: the core names a private part that is not there. `event.body` is `Unknown` for a type of a newer
    contract; with `must_understand` the case is parked then, else `event.after` is applied.
    """

    case_number: str
    event_id: bytes
    version: int
    prev_hash: bytes
    hash: bytes
    schema: int
    type: str
    recipients: tuple[str, ...]
    must_understand: bool
    erased: bool
    event: Event

    @property
    def understood(self) -> bool:
        """Whether this contract knows the body."""
        return not isinstance(self.event.body, Unknown)


def is_uuid7(data: bytes) -> bool:
    """Whether these are the 16 bytes of a UUIDv7 (RFC 9562)."""
    return len(data) == 16 and data[6] >> 4 == 7 and data[8] >> 6 == 2


def encode_event(
    event: Event,
    case_number: str,
    *,
    event_id: bytes,
    prev_hash: bytes,
    recipients: Sequence[str],
    salt: bytes,
    must_understand: bool = False,
) -> Record:
    """The record of an event. Raises EncodeError.

    `event_id`: UUIDv7; `prev_hash`: the hash of the event before, empty for version 1; `recipients`: regions;
    `salt`: 16 fresh random bytes.
    """
    if not is_uuid7(event_id):
        raise EncodeError("event_id", "is not a UUIDv7")
    if len(prev_hash) != (0 if event.version == 1 else 32):
        raise EncodeError("prev_hash", "is not the hash of the event before")
    body = event.body
    try:
        message = pb.EventCore(
            event_id=event_id,
            case_number=case_number,
            version=event.version,
            epoch=event.epoch,
            author=event.author,
            prev_hash=prev_hash,
            schema=SCHEMA + 1 if isinstance(body, Unknown) else SCHEMA,
            type=body.type if isinstance(body, Unknown) else type(body).__name__,
            caused_by=event.caused_by,
            must_understand=must_understand,
            recipients=recipients,
            actor=event.actor,
        )
    except (TypeError, ValueError) as error:
        raise EncodeError("", f"the core cannot hold it: {type(error).__name__}") from None
    for name, fill, value in (
        ("recorded_at", _fill_recorded_at, event.recorded_at),
        ("effective_at", _fill_effective_at, event.effective_at),
        ("by", _fill_by, event.by),
        ("after", _fill_after, event.after),
    ):
        try:
            fill(message, value)
        except EncodeError as error:
            raise error.under(name) from None
    private = b""
    if not isinstance(body, Unknown):
        field = FIELD_OF[type(body)]
        inner = getattr(message, field)
        inner.SetInParent()
        BODIES[field].fill(inner, body)
        if private := move_out(field, inner, salt):
            message.private_hash = hashlib.sha256(private).digest()
    core = message.SerializeToString(deterministic=True)
    if len(core) > MAX_CORE_BYTES:
        raise EncodeError("", f"is longer than {MAX_CORE_BYTES} bytes")
    return Record(core, private, hashlib.sha256(core).digest(), event_id, event.version)


def decode_record(core: bytes, private: bytes) -> DecodedEvent:
    """The event of a record; with an empty `private` its private texts are empty. Raises DecodeError."""
    message = parse_core(core)
    field = message.WhichOneof("body")
    _check_type(message.type, field)
    if private and not message.private_hash:
        raise DecodeError("private_part", "is there, but the core names none")
    part = open_part(private, message.private_hash)
    body: Any
    if field is None:
        body = Unknown(message.type)
    else:
        inner = getattr(message, field)
        try:
            put_back(field, inner, part)
            body = BODIES[field].take(inner)
        except DecodeError as error:
            raise error.under(field) from None
    return DecodedEvent(
        case_number=message.case_number,
        event_id=message.event_id,
        version=message.version,
        prev_hash=message.prev_hash,
        hash=hashlib.sha256(core).digest(),
        schema=message.schema,
        type=message.type,
        recipients=tuple(message.recipients),
        must_understand=message.must_understand,
        erased=bool(message.private_hash) and not private,
        event=Event(
            version=message.version,
            epoch=message.epoch,
            author=message.author,
            by=_at("by", _take_role, message),
            effective_at=_at("effective_at", decode_time, message.effective_at),
            recorded_at=_at("recorded_at", decode_time, message.recorded_at),
            body=body,
            after=_at("after", AFTER.take, message.after),
            actor=message.actor,
            caused_by=message.caused_by,
        ),
    )


def parse_core(core: bytes) -> pb.EventCore:
    """The core with everything checked but body, times and `after`. Raises DecodeError."""
    if not core:
        raise DecodeError("core", "is missing")
    if len(core) > MAX_CORE_BYTES:
        raise DecodeError("core", f"is longer than {MAX_CORE_BYTES} bytes")
    try:
        message = pb.EventCore.FromString(core)
    except ProtobufError:
        raise DecodeError("core", "is not a protobuf message of this contract") from None
    _check_names(message)
    for name in ("version", "epoch", "schema"):
        if not 1 <= getattr(message, name) <= MAX_COUNT:
            raise DecodeError(name, "is not 1 or more")
    for name, there in (
        ("recorded_at", message.HasField("recorded_at")),
        ("effective_at", message.HasField("effective_at")),
        ("after", message.HasField("after")),
    ):
        if not there:
            raise DecodeError(name, "is missing")
    if len(message.prev_hash) != (0 if message.version == 1 else 32):
        raise DecodeError("prev_hash", "is not the hash of the event before")
    if len(message.private_hash) not in (0, 32):
        raise DecodeError("private_hash", "is not 32 bytes long")
    return message


def _check_names(message: pb.EventCore) -> None:
    if not is_uuid7(message.event_id):
        raise DecodeError("event_id", "is not a UUIDv7")
    for name, take in _NAMES:
        _at(name, take, message)
    _at("type", check_text, message.type)
    if len(message.recipients) > MAX_RECIPIENTS:
        raise DecodeError("recipients", f"has more than {MAX_RECIPIENTS} items")
    for region in message.recipients:
        if not (len(region) == 2 and region.isascii() and region.isdigit()):
            raise DecodeError("recipients", "has an item that is not a region")


def _check_type(kind: str, field: str | None) -> None:
    if not kind:
        raise DecodeError("type", "is missing")
    if field is None:
        if kind in TYPES:
            raise DecodeError("body", "is missing")
    elif getattr(BODIES[field].domain, "__name__", "") != kind:
        raise DecodeError("type", "is not the type of the body")


def _at(name: str, take: Any, value: Any) -> Any:
    try:
        return take(value)
    except DecodeError as error:
        raise error.under(name) from None


def _filler(kind: Kind, name: str) -> Fill:
    assert kind.fill is not None
    return kind.fill(name)


_fill_recorded_at: Final = _filler(TIME, "recorded_at")
_fill_effective_at: Final = _filler(TIME, "effective_at")
_fill_by: Final = _filler(ROLE, "by")
_fill_after: Final = _filler(one(AFTER), "after")


def _taker(kind: Kind, name: str) -> Take:
    assert kind.take is not None
    return kind.take(name)


_take_role: Final = _taker(ROLE, "by")
_NAMES: Final = tuple(
    (name, _taker(kind, name))
    for name, kind in (
        ("case_number", NUMBER),
        ("author", REGION),
        ("caused_by", MAYBE_NUMBER),
        ("actor", MAYBE_NUMBER),
    )
)
