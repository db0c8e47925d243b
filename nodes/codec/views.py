"""A case and its events as a reader may see them: private fields left out where they are not the reader's.

Knows which fields of case.proto are private. Must not know who may see them (the faces).
"""

from __future__ import annotations

from typing import Final

from google.protobuf.message import DecodeError as ProtobufError

from nodes.cases.case import Case, CaseRole, ClockKind, Kind, Role
from nodes.codec.errors import DecodeError
from nodes.codec.kinds import Fill
from nodes.codec.private import parse_part
from nodes.codec.snapshot import put_case
from nodes.codec.values import LIGHT
from tongban.v1 import case_pb2, event_pb2

_THEIRS: Final = frozenset({ClockKind.CORRECTION, ClockKind.LACK})


def _filler(name: str) -> Fill:
    assert LIGHT.fill is not None
    return LIGHT.fill(name)


_fill_light: Final = _filler("light")


def case_view(case: Case, *, private: bool) -> case_pb2.Case:
    """The case; without `private`, what belongs to the private parts of its events is empty."""
    message = put_case(case)
    message.authority = case.authority or case.filing.authority
    _fill_light(message, case.light)
    if not private:
        _hide(message)
    return message


def _hide(message: case_pb2.Case) -> None:
    filing = message.filing
    filing.ClearField("applicant")
    filing.ClearField("agent")
    filing.ClearField("facts")
    filing.delivery.ClearField("address")
    for material in (*filing.materials, *message.materials):
        material.ClearField("file_name")
    if message.HasField("decision"):
        message.decision.ClearField("reasons")
        message.decision.ClearField("remedy")
    for rating in message.ratings:
        rating.ClearField("text")
    message.ClearField("values")


def event_view(core: bytes, private: bytes, digest: bytes, *, visible: bool) -> event_pb2.CaseEvent:
    """A stored event; with `visible` and unless it was erased, with its private part. Raises DecodeError."""
    event = event_pb2.CaseEvent(hash=digest)
    try:
        event.core.MergeFromString(core)
    except ProtobufError:
        raise DecodeError("core", "is not a protobuf message of this contract") from None
    if visible and private:
        event.private_part.CopyFrom(parse_part(private))
        event.private_part.ClearField("salt")  # with it a stranger's guess could be held against the core
    return event


def holder_of(case: Case) -> str:
    """Who must act now, as "officer@31"; "" when nobody must. Read off the clock that runs out first.

    The applicant answers for a correction and a lack; before a collected case is handed over it is the
    window's turn; else it is the officer's of the region whose clock it is.
    """
    running = [clock for clock in case.clocks if clock.running and clock.kind is not ClockKind.STEP]
    if not running:
        return ""
    clock = min(running, key=lambda c: c.due_at)
    if clock.kind in _THEIRS:
        return f"{Role.APPLICANT}@{case.filing.origin}"
    handed = any(p.role is CaseRole.COMPETENT for p in case.parties)
    if case.filing.kind is Kind.COLLECT_ON_BEHALF and not handed:
        return f"{Role.WINDOW}@{case.filing.origin}"
    return f"{Role.OFFICER}@{clock.region}"
