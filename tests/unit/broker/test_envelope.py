"""The envelope takes what is of its form and names the header of what is not."""

import contextlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.bus import Message
from broker.envelope import MAX_DATA_BYTES, Envelope, EnvelopeError, open_, wrap

GOOD = Envelope(
    id="0199b7a4-7e2c-7cc2-8d5d-6f6f6f6f6f6f",
    source="//tongban/32",
    type="tongban.v1.EventBatch",
    subject="3205052026092400000017",
    time=datetime(2026, 9, 24, 8, 30, 15, 123456, tzinfo=UTC),
    dataschema="https://tongban.example/v1#EventBatch",
    data=b"\x0a\x02hi",
    traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    tracestate="vendor=1",
    extensions=(("recipient", "31"),),
)


def with_header(name: str, value: bytes | None) -> Message:
    """A good message with one header replaced, or left out."""
    message = wrap(GOOD, "t")
    headers = tuple((n, v) for n, v in message.headers if n != name)
    return replace(message, headers=headers if value is None else (*headers, (name, value)))


def test_what_is_wrapped_is_opened() -> None:
    message = wrap(GOOD, "tongban.inbox.31")
    assert (message.topic, message.key, message.value) == (
        "tongban.inbox.31",
        GOOD.subject.encode(),
        GOOD.data,
    )
    assert dict(message.headers)["ce_time"] == b"2026-09-24T08:30:15.123456Z"
    assert open_(message) == GOOD


def test_optional_attributes_may_be_absent() -> None:
    bare = replace(GOOD, traceparent=None, tracestate=None, extensions=())
    assert open_(wrap(bare, "t")) == bare


def test_time_is_one_instant_in_any_zone() -> None:
    shanghai = GOOD.time.astimezone(timezone(timedelta(hours=8)))
    assert open_(wrap(replace(GOOD, time=shanghai), "t")).time == GOOD.time


def test_headers_of_others_are_left_alone() -> None:
    message = wrap(GOOD, "t")
    assert open_(replace(message, headers=(*message.headers, ("traceparent", b"\xff"), ("x", b"")))) == GOOD


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("ce_specversion", b"0.3"),
        ("ce_specversion", None),
        ("ce_id", None),
        ("ce_id", b""),
        ("ce_id", b"a" * 65),
        ("ce_id", b"a\x00b"),
        ("ce_id", b"a\nb"),
        ("ce_id", b"\xc0\xaf"),
        ("ce_id", b"\xed\xa0\x80"),
        ("ce_id", "a\u202eb".encode()),
        ("ce_id", "\u0661\u0662".encode()),
        ("ce_source", "//tongban/\uff13\uff12".encode()),
        ("ce_source", b"//tongban/32 "),
        ("ce_type", b"tongban.v1.EventBatch'--"),
        ("ce_type", None),
        ("ce_subject", b"../../etc/passwd"),
        ("ce_time", b"2026-09-24"),
        ("ce_time", b"2026-13-24T08:30:15Z"),
        ("ce_time", b"2026-09-24T08:30:15"),
        ("ce_dataschema", b"no schema"),
        ("content-type", b"application/cloudevents+json"),
        ("content-type", None),
        ("ce_traceparent", b"00-00000000000000000000000000000000-b7ad6b7169203331-01"),
        ("ce_traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-extra"),
        ("ce_tracestate", b"v=\x7f"),
        ("ce_recipient", "\u200b31".encode()),
        ("ce_recipient", b"x" * 513),
    ],
)
def test_a_bad_header_is_named_and_not_repeated(header: str, value: bytes | None) -> None:
    with pytest.raises(EnvelopeError) as error:
        open_(with_header(header, value))
    assert error.value.header == header
    assert not value or value.decode(errors="replace") not in str(error.value)


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("ce_id", lambda m: replace(m, headers=(*m.headers, ("ce_id", b"2")))),
        ("headers", lambda m: replace(m, headers=(*m.headers, ("CE_ID", b"2")))),
        ("headers", lambda m: replace(m, headers=(*m.headers, ("ce_id ", b"2")))),
        ("headers", lambda m: replace(m, headers=(*m.headers, ("Content-Type", b"text/html")))),
        ("headers", lambda m: replace(m, headers=(*m.headers, ("ce_not-a-name", b"2")))),
        ("headers", lambda m: replace(m, headers=m.headers + (("x", b""),) * 40)),
        ("headers", lambda m: replace(m, headers=(*m.headers, ("x", bytes(8192))))),
        ("key", lambda m: replace(m, key=b"another case")),
        ("value", lambda m: replace(m, value=None)),
        ("value", lambda m: replace(m, value=bytes(MAX_DATA_BYTES + 1))),
    ],
)
def test_a_bad_whole_is_named(part: str, change: Callable[[Message], Message]) -> None:
    with pytest.raises(EnvelopeError) as error:
        open_(change(wrap(GOOD, "t")))
    assert error.value.header == part


@pytest.mark.parametrize(
    ("header", "bad"),
    [
        ("ce_id", replace(GOOD, id="")),
        ("ce_id", replace(GOOD, id="\ud800")),
        ("ce_subject", replace(GOOD, subject="通办")),
        ("ce_time", replace(GOOD, time=datetime(2026, 1, 1))),  # noqa: DTZ001 - the fault under test
        ("value", replace(GOOD, data=bytes(MAX_DATA_BYTES + 1))),
        ("ce_id", replace(GOOD, extensions=(("id", "2"),))),
        ("headers", replace(GOOD, extensions=(("Bad Name", "2"),))),
    ],
)
def test_wrap_makes_nothing_that_would_not_open(header: str, bad: Envelope) -> None:
    with pytest.raises(EnvelopeError) as error:
        wrap(bad, "t")
    assert error.value.header == header


@given(
    st.lists(st.tuples(st.sampled_from([n for n, _ in wrap(GOOD, "t").headers]) | st.text(), st.binary())),
    st.binary(),
    st.none() | st.binary(),
)
def test_any_message_opens_or_gives_an_envelope_error(
    headers: list[tuple[str, bytes]], key: bytes, value: bytes | None
) -> None:
    base = {} if len(headers) % 2 else dict(wrap(GOOD, "t").headers)
    message = Message("t", key, value, tuple((base | dict(headers)).items()))
    with contextlib.suppress(EnvelopeError):  # nothing else may come out
        assert open_(message).data == value
