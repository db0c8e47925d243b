"""What is encoded comes back the same, whatever it is; mutated bytes raise DecodeError and nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nodes.cases import events
from nodes.codec import (
    DecodeError,
    decode_case,
    decode_case_state,
    decode_filing,
    decode_record,
    encode_case,
    encode_case_state,
    encode_event,
    encode_filing,
)
from nodes.codec.private import private_places
from tests.property.codec import strategies as some
from tongban.v1 import event_pb2

EVENT_ID = bytes.fromhex("0199a0000000700080000000000000ab")
SALT = bytes(range(16))
quick = settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))


def record_of(event: events.Event) -> Any:
    return encode_event(
        event,
        "32050020260930000100001231",
        event_id=EVENT_ID,
        prev_hash=b"" if event.version == 1 else bytes(32),
        recipients=("31", "32"),
        salt=SALT,
    )


@pytest.mark.parametrize("body", some.BODIES, ids=lambda kind: kind.__name__)
@quick
@given(data=st.data())
def test_every_event_comes_back_the_same(body: type[Any], data: st.DataObject) -> None:
    event = data.draw(some.event_with(some.value(body)))
    record = record_of(event)
    read = decode_record(record.core, record.private)
    assert read.event == event
    assert read.hash == record.hash == hashlib.sha256(record.core).digest()
    assert (read.case_number, read.recipients) == ("32050020260930000100001231", ("31", "32"))
    assert read.understood
    assert not read.erased
    assert record_of(read.event) == record


@pytest.mark.parametrize("body", some.BODIES, ids=lambda kind: kind.__name__)
@settings(parent=quick, max_examples=3)
@given(data=st.data())
def test_core_holds_nothing_private_and_reads_without_it(body: type[Any], data: st.DataObject) -> None:
    event = data.draw(some.event_with(some.value(body)))
    record = record_of(event)
    core = event_pb2.EventCore.FromString(record.core)
    field = core.WhichOneof("body")
    assert field is not None
    assert not [
        path for holder, name, path in private_places(field, getattr(core, field)) if getattr(holder, name)
    ]
    read = decode_record(record.core, b"")
    assert read.erased == bool(record.private)
    assert read.event.after == event.after


@quick
@given(some.event_with(st.just(events.Unknown("FeeAsked"))), st.booleans())
def test_a_newer_body_is_projected_by_after(event: events.Event, must: bool) -> None:
    record = encode_event(
        event,
        "C1",
        event_id=EVENT_ID,
        prev_hash=b"" if event.version == 1 else bytes(32),
        recipients=(),
        salt=SALT,
        must_understand=must,
    )
    core = (
        record.core + bytes.fromhex("a23f") + bytes([3]) + b"\x0a\x01x"
    )  # field 1012, as a later contract has it
    read = decode_record(core, b"")
    assert read.event == event
    assert not read.understood
    assert read.must_understand == must


@quick
@given(some.cases)
def test_a_case_comes_back_the_same(case: Any) -> None:
    assert decode_case(encode_case(case)) == case
    assert decode_case_state(encode_case_state(case), case.filing) == case


@quick
@given(some.filings)
def test_a_filing_comes_back_and_can_be_erased(filing: Any) -> None:
    document, private = encode_filing(filing)
    assert decode_filing(document, private) == filing
    left = decode_filing(document, b"")
    assert left.applicant.name == left.applicant.id_no == left.delivery.address == ""
    assert left.agent is None
    assert left.facts == ()
    assert left.terms == filing.terms


def refused_or_read(decode: Callable[[], object]) -> None:
    """Anything but a value or a DecodeError fails."""
    with suppress(DecodeError):
        decode()


@settings(parent=quick, max_examples=120)
@given(st.data())
def test_mutated_bytes_raise_decode_error_only(data: st.DataObject) -> None:
    body = data.draw(st.sampled_from(some.BODIES))
    record = record_of(data.draw(some.event_with(some.value(body))))
    core, private = mutated(data, record.core), mutated(data, record.private)
    refused_or_read(lambda: decode_record(core, record.private))
    refused_or_read(lambda: decode_record(record.core, private))


def mutated(data: st.DataObject, good: bytes) -> bytes:
    """A few bytes changed, perhaps cut off."""
    bad = bytearray(good)
    for at, byte in data.draw(st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=4)):
        if bad:
            bad[at % len(bad)] = byte
    return bytes(bad[: data.draw(st.none() | st.integers(0, len(bad)))])


@settings(parent=quick, max_examples=120)
@given(st.binary(max_size=300))
def test_any_bytes_raise_decode_error_only(data: bytes) -> None:
    refused_or_read(lambda: decode_record(data, b""))
    refused_or_read(lambda: decode_case(data))
    refused_or_read(lambda: decode_filing(data, data))
