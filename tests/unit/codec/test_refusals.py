"""What is malformed is refused with its field named, and its value is not repeated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from nodes.cases import case as c
from nodes.cases import events as e
from nodes.codec import (
    DecodeError,
    EncodeError,
    bodies,
    decode_record,
    encode_event,
    exchange,
    requests,
    snapshot,
    values,
    verbs,
)
from nodes.codec.requests import ACT_REQUEST, FILE_REQUEST, fingerprint
from nodes.codec.shape import Shape
from tongban.v1 import case_pb2, case_service_pb2, event_pb2

NOW = datetime(2026, 9, 30, 2, tzinfo=UTC)
EVENT_ID = bytes.fromhex("0199a0000000700080000000000000ab")


def event(body: e.Body, version: int = 1) -> e.Event:
    after = e.After(
        c.State.FILED, "31", 1, (), "2026", (c.CaseParty("31", c.CaseRole.COMPETENT, 1),), "police-310115"
    )
    return e.Event(
        version, 1, "31", c.Role.OFFICER, NOW, NOW, body, after, actor="officer-1", caused_by="r-1"
    )


def encoded(body: e.Body, version: int = 1) -> Any:
    return encode_event(
        event(body, version),
        "C1",
        event_id=EVENT_ID,
        prev_hash=b"" if version == 1 else bytes(32),
        recipients=("32",),
        salt=bytes(16),
    )


def changed(**given: Any) -> bytes:
    core = event_pb2.EventCore.FromString(encoded(e.Closed("done")).core)
    for name, value in given.items():
        if value is None:
            core.ClearField(name)  # type: ignore[arg-type]  # any field
        elif isinstance(value, (Timestamp, event_pb2.After)):
            getattr(core, name).CopyFrom(value)
        elif name == "recipients":
            core.recipients[:] = value
        else:
            setattr(core, name, value)
    return core.SerializeToString()


@pytest.mark.parametrize(
    ("core", "field"),
    [
        (b"", "core"),
        (b"\xff\xff", "core"),
        (b"\x12\x02\xc0\x80", "core"),  # overlong UTF-8 of NUL
        (bytes(300 * 1024), "core"),
        (changed(event_id=b"short"), "event_id"),
        (changed(event_id=bytes(16)), "event_id"),
        (changed(case_number=""), "case_number"),
        (changed(case_number="../../etc"), "case_number"),
        (changed(version=0), "version"),
        (changed(version=2**63), "version"),
        (changed(version=2), "prev_hash"),
        (changed(epoch=0), "epoch"),
        (changed(schema=0), "schema"),
        (changed(author="3"), "author"),
        (changed(author="３２"), "author"),
        (changed(prev_hash=bytes(32)), "prev_hash"),
        (changed(private_hash=bytes(31)), "private_hash"),
        (changed(type=""), "type"),
        (changed(type="Accepted"), "type"),
        (changed(type="Clo\u202esed"), "type"),
        (changed(closed=None), "body"),
        (changed(recipients=["xx"]), "recipients"),
        (changed(recipients=["32"] * 65), "recipients"),
        (changed(recorded_at=None), "recorded_at"),
        (changed(recorded_at=Timestamp(seconds=-1)), "recorded_at"),
        (changed(recorded_at=Timestamp(seconds=2**60)), "recorded_at"),
        (changed(effective_at=Timestamp(seconds=1_790_000_000, nanos=-5)), "effective_at"),
        (changed(effective_at=Timestamp(seconds=1_790_000_000, nanos=7)), "effective_at"),
        (changed(by=0), "by"),
        (changed(by=99), "by"),
        (changed(actor="a b"), "actor"),
        (changed(after=None), "after"),
        (
            changed(after=event_pb2.After.FromString(bytes.fromhex("084d1801"))),
            "after.state",
        ),  # a newer state
        (changed(after=event_pb2.After.FromString(bytes.fromhex("0801"))), "after.epoch"),
    ],
)
def test_a_malformed_core_names_its_field(core: bytes, field: str) -> None:
    with pytest.raises(DecodeError) as raised:
        decode_record(core, b"")
    assert raised.value.field == field


@pytest.mark.parametrize("text", ["a\0b", "a\u202eb", "a\u200bb", "a\x1bb", "a\u2028b", "x" * 4001])
def test_text_that_may_not_be_shown_is_refused(text: str) -> None:
    with pytest.raises(DecodeError) as raised:
        decode_record(encoded(e.Closed(text)).core, b"")
    assert raised.value.field == "closed.summary"
    assert text not in str(raised.value)


@pytest.mark.parametrize("text", ["第一行\n第二行", "全角\u3000空格", "𠮷野家", "a" * 4000])
def test_text_that_people_write_is_taken(text: str) -> None:
    assert decode_record(encoded(e.Closed(text)).core, b"").event.body == e.Closed(text)


def test_private_data_in_a_core_is_refused() -> None:
    core = event_pb2.EventCore.FromString(encoded(e.Refused("R1", "")).core)
    core.refused.text = "Zhang San"
    with pytest.raises(DecodeError, match=r"^refused\.text: is private") as raised:
        decode_record(core.SerializeToString(), b"")
    assert "Zhang" not in str(raised.value)


def test_a_private_part_must_be_the_one_named() -> None:
    record = encoded(e.Refused("R1", "because of you"))
    assert b"because" not in record.core
    for core, private in (
        (record.core, record.private + b"\0"),
        (record.core, encoded(e.Refused("R1", "other")).private),
        (encoded(e.Accepted()).core, record.private),
    ):
        with pytest.raises(DecodeError) as raised:
            decode_record(core, private)
        assert raised.value.field == "private_part"


def test_equal_private_data_never_have_equal_names() -> None:
    body = e.Refused("R1", "same")
    first, second = (
        encode_event(event(body), "C1", event_id=EVENT_ID, prev_hash=b"", recipients=(), salt=bytes([n] * 16))
        for n in (1, 2)
    )
    assert first.hash != second.hash
    assert first.private[:2] == b"\x0a\x10"  # the salt leads


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"event_id": bytes(16)}, "event_id"),
        ({"prev_hash": bytes(32)}, "prev_hash"),
        ({"salt": b"short"}, "salt"),
    ],
)
def test_what_may_not_be_written_is_refused(wrong: dict[str, Any], field: str) -> None:
    right = {"event_id": EVENT_ID, "prev_hash": b"", "recipients": (), "salt": bytes(16)}
    with pytest.raises(EncodeError) as raised:
        encode_event(event(e.Refused("R1", "text")), "C1", **(right | wrong))
    assert raised.value.field == field


@pytest.mark.parametrize(
    "at", [NOW.replace(tzinfo=None), NOW - timedelta(days=10_000), NOW + timedelta(days=90_000)]
)
def test_naive_and_absurd_times_are_not_written(at: datetime) -> None:
    with pytest.raises(EncodeError) as raised:
        encoded(e.OriginalReturned("M1", at))
    assert raised.value.field == "at"


def test_a_draft_never_leaves_the_node() -> None:
    after = e.After(c.State.DRAFT, "31", 1, (), "", (), "")
    with pytest.raises(EncodeError) as raised:
        bodies.AFTER.put(after)
    assert raised.value.field == "state"


ROOMS = (bodies, exchange, requests, snapshot, values, verbs)
UNSENT = {"PreCheck.handover_id", "Withdraw.deemed"}


def shapes() -> list[Shape[Any]]:
    found: list[Shape[Any]] = []
    for room in ROOMS:
        for value in vars(room).values():
            found += [value] if isinstance(value, Shape) else []
            if hasattr(value, "values") and not isinstance(value, type):
                found += [v for v in value.values() if isinstance(v, Shape)]
    return found


def test_no_field_is_forgotten() -> None:
    assert len(shapes()) > 100
    for shape in shapes():
        wire = {f.name for f in shape.message.DESCRIPTOR.fields}
        named = {kind.name or name for name, kind in shape.kinds.items()}
        assert named <= wire
        if isinstance(shape.domain, type):
            own = {f.name for f in fields(shape.domain)}
            left = {f"{shape.domain.__name__}.{name}" for name in own - set(shape.kinds)} - UNSENT
            assert not left, f"{shape.domain.__name__}: {left} have no form"
            assert not wire - named, f"{shape.domain.__name__}: {wire - named} stand for nothing"
    state = {f.name for f in fields(c.Case)} - {"filing"}
    assert state == set(snapshot.STATE_OF_CASE.kinds)


def file_request(change: Callable[[case_service_pb2.FileRequest], object]) -> case_service_pb2.FileRequest:
    message = case_service_pb2.FileRequest(
        request_id="r-1",
        client="portal",
        actor=case_pb2.Actor(role=case_pb2.ROLE_APPLICANT, region="32"),
        filing=case_service_pb2.NewFiling(
            matter="HF-006", origin_area="320500", applicant=case_pb2.Party(kind="person", name="王 伟")
        ),
    )
    change(message)
    return message


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda m: m.ClearField("request_id"), "request_id"),
        (lambda m: setattr(m, "request_id", "x" * 65), "request_id"),
        (lambda m: setattr(m, "client", "a b"), "client"),
        (lambda m: m.ClearField("actor"), "actor"),
        (lambda m: m.actor.ClearField("role"), "actor.role"),
        (lambda m: setattr(m.actor, "region", "3２"), "actor.region"),
        (lambda m: m.filing.ClearField("applicant"), "filing.applicant"),
        (lambda m: setattr(m.filing.applicant, "name", "a\0"), "filing.applicant.name"),
        (lambda m: setattr(m.filing.places, "insured", "1\u202e"), "filing.places.insured"),
        (lambda m: m.filing.facts.update({"a": "\x07"}), "filing.facts"),
        (lambda m: m.filing.materials.add(code="M", sha256=b"short"), "filing.materials.0.sha256"),
        (lambda m: m.filing.materials.add(sha256=bytes(32)), "filing.materials.0.code"),
        (lambda m: [m.filing.materials.add() for _ in range(501)], "filing.materials"),
    ],
)
def test_a_malformed_filing_names_its_field(change: Callable[[Any], object], field: str) -> None:
    with pytest.raises(DecodeError) as raised:
        FILE_REQUEST.take(file_request(change))
    assert raised.value.field == field


def test_a_filing_is_taken_as_stated() -> None:
    request = FILE_REQUEST.take(file_request(lambda m: setattr(m.filing.places, "household", "310000")))
    assert request.filing.places == (("household", "310000"),)
    assert request.filing.delivery == c.Delivery("electronic")
    assert request.filing.agent is None


def test_the_same_request_has_the_same_fingerprint_whatever_its_id() -> None:
    first = file_request(lambda m: m.filing.facts.update({"a": "1", "b": "2"}))
    again = file_request(lambda m: m.filing.facts.update({"b": "2", "a": "1"}))
    again.request_id = "r-2"
    other = file_request(lambda m: m.filing.facts.update({"a": "1", "b": "3"}))
    assert fingerprint(first) == fingerprint(again) != fingerprint(other)


def test_a_verb_is_needed() -> None:
    message = case_service_pb2.ActRequest(
        request_id="r",
        client="c",
        actor=case_pb2.Actor(role=case_pb2.ROLE_OFFICER, region="31"),
        case_number="C1",
    )
    with pytest.raises(DecodeError) as raised:
        ACT_REQUEST.take(message)
    assert raised.value.field == "command"
    message.command.SetInParent()
    with pytest.raises(DecodeError) as raised:
        ACT_REQUEST.take(message)
    assert raised.value.field == "command.verb"
