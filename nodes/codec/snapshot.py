"""A case as stored bytes: the document written once, and the narrow state that changes.

Knows how a Case splits into filing (document and private part) and state. The state holds the private texts
of the case as it stands (file names, reasons, rating texts): it is stored where its events' private parts
are, and goes when they go. Must not know tables.
"""

from __future__ import annotations

from typing import Any, Final

from google.protobuf.message import DecodeError as ProtobufError

from nodes.cases.case import Case, Filing
from nodes.codec.errors import DecodeError
from nodes.codec.kinds import (
    BOOL,
    COUNT,
    MAYBE_NUMBER,
    MAYBE_TIME,
    PAIRS,
    POSITIVE,
    REGION,
    TEXT,
    WORDS,
    Kind,
    many,
    maybe,
)
from nodes.codec.private import parse_part, put_back, take_out
from nodes.codec.shape import Shape
from nodes.codec.values import (
    CASE_PARTIES,
    CLOCKS,
    CUSTODY,
    DECISION,
    DEFECT,
    FILING,
    JOINT_PART,
    MATERIAL,
    MAYBE_STATE,
    PROCEDURE,
    RATING,
    SHIPMENT,
    STATE,
    SUSPENSION,
)
from tongban.v1 import case_pb2, event_pb2

MAX_CASE_BYTES: Final = 512 * 1024

_STATE_KINDS: Final[dict[str, Kind]] = {
    "state": STATE,
    "version": POSITIVE,
    "epoch": POSITIVE,
    "owner": REGION,
    "clocks": many(CLOCKS),
    "parties": many(CASE_PARTIES),
    "calendar_version": TEXT,
    "materials": many(MATERIAL),
    "correction": many(DEFECT),
    "corrections_told": COUNT,
    "told_at": MAYBE_TIME,
    "lacks": WORDS,
    "step": COUNT,
    "procedure": maybe(PROCEDURE),
    "suspension": maybe(SUSPENSION),
    "decision": maybe(DECISION),
    "joined": BOOL,
    "custody": many(CUSTODY),
    "shipments": many(SHIPMENT),
    "ratings": many(RATING),
    "parts": many(JOINT_PART),
    "handover_id": MAYBE_NUMBER,
    "spent_handovers": WORDS,
    "extended": BOOL,
    "deemed": TEXT,
    "accepted_at": MAYBE_TIME,
    "decided_at": MAYBE_TIME,
    "closed_at": MAYBE_TIME,
    "reason": TEXT,
    "authority": TEXT,
    "awaiting_receipt": BOOL,
    "values": PAIRS,
    "told_later": WORDS,
    "deemed_at": MAYBE_TIME,
    "before_deemed": MAYBE_STATE,
    "resumed_at": MAYBE_TIME,
    "withdrawing": BOOL,
}


def _state(**fields: Any) -> Any:
    return fields


STATE_OF_CASE: Final[Shape[Any]] = Shape(_state, case_pb2.Case, **_STATE_KINDS)
"""Everything of a Case but its filing; `take` gives the keyword arguments of Case."""


def fill_case(message: case_pb2.Case, case: Case) -> None:
    """Writes the case with its filing, private fields included. Raises EncodeError."""
    STATE_OF_CASE.fill(message, case)
    FILING.fill(message.filing, case.filing)


def put_case(case: Case) -> case_pb2.Case:
    """The message of a case, private fields included. Raises EncodeError."""
    message = case_pb2.Case()
    fill_case(message, case)
    return message


def take_case(message: case_pb2.Case) -> Case:
    """The inverse of `put_case`. Raises DecodeError."""
    if not message.HasField("filing"):
        raise DecodeError("filing", "is missing")
    try:
        filing = FILING.take(message.filing)
    except DecodeError as error:
        raise error.under("filing") from None
    return Case(filing=filing, **STATE_OF_CASE.take(message))


def encode_case(case: Case) -> bytes:
    """The whole case, private fields included. Raises EncodeError."""
    return put_case(case).SerializeToString(deterministic=True)


def decode_case(data: bytes) -> Case:
    """The inverse of `encode_case`. Raises DecodeError."""
    return take_case(_parse(case_pb2.Case, data))


def encode_case_state(case: Case) -> bytes:
    """The case without its filing: the row that changes. Raises EncodeError."""
    data: bytes = STATE_OF_CASE.put(case).SerializeToString(deterministic=True)
    return data


def decode_case_state(data: bytes, filing: Filing) -> Case:
    """The case of a stored state and its filing. Raises DecodeError."""
    return Case(filing=filing, **STATE_OF_CASE.take(_parse(case_pb2.Case, data)))


def encode_filing(filing: Filing) -> tuple[bytes, bytes]:
    """(document, private part), split as in the Filed event. Raises EncodeError.

    The part has no salt: nothing names it by its hash, it lies beside its document.
    """
    body = event_pb2.Filed()
    FILING.fill(body.filing, filing)
    part = take_out("filed", body)
    return body.filing.SerializeToString(deterministic=True), part.SerializeToString(deterministic=True)


def decode_filing(document: bytes, private: bytes) -> Filing:
    """The filing; with an empty `private` (erased) its private fields are empty. Raises DecodeError."""
    body = event_pb2.Filed()
    if len(document) > MAX_CASE_BYTES:
        raise DecodeError("", f"is longer than {MAX_CASE_BYTES} bytes")
    try:
        body.filing.MergeFromString(document)
    except ProtobufError:
        raise DecodeError("", "is not a protobuf message of this contract") from None
    put_back("filed", body, parse_part(private) if private else None)
    try:
        return FILING.take(body.filing)
    except DecodeError as error:
        raise error.under("filing") from None


def _parse(kind: Any, data: bytes) -> Any:
    if len(data) > MAX_CASE_BYTES:
        raise DecodeError("", f"is longer than {MAX_CASE_BYTES} bytes")
    try:
        return kind.FromString(data)
    except ProtobufError:
        raise DecodeError("", "is not a protobuf message of this contract") from None
