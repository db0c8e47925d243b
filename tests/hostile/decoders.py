"""Everything that reads bytes from outside, each called so that it answers, or refuses by its own error.

Any other error is a find. Used by the tests with mutated bytes and by the fuzzer with bytes of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from google.protobuf.message import DecodeError as ProtobufError

from broker.bus import Delivery, Message
from nodes.codec.errors import DecodeError
from nodes.codec.exchange import decode_exchange
from nodes.codec.letters import delivery_of, headers_text, shown_headers
from nodes.codec.record import decode_record
from nodes.codec.requests import ACT_REQUEST, FILE_REQUEST, fingerprint
from nodes.codec.snapshot import decode_case, decode_filing
from nodes.codec.spans import take_spans
from nodes.inbox import open_delivery
from nodes.rpc.faults import Fault
from nodes.rpc.looking import checked_size
from nodes.rpc.pages import wanted_of
from tongban.v1 import case_service_pb2, peer_service_pb2

Read = Callable[[bytes], object]


def _asked(kind: Any, shape: Any, data: bytes) -> None:
    message = kind.FromString(data)
    checked_size(message)
    shape.take(message)
    fingerprint(message)


def _delivered(data: bytes) -> None:
    """The first byte says how many headers there are; then name, value by turns, what is left is the body."""
    count, at = (data[0] % 12 if data else 0), 1
    headers = []
    for _ in range(count):
        size = data[at] if at < len(data) else 0
        part = data[at + 1 : at + 1 + size]
        name, _, value = part.partition(b"=")
        headers.append((name.decode("latin-1") or "x", value))
        at += 1 + size
    subject = dict(headers).get("ce_subject", b"k")
    delivery = Delivery(Message("tongban.inbox.32", subject, data[at:] or None, tuple(headers)), 0, 0, 0, "i")
    assert_opened(delivery)


def assert_opened(delivery: Delivery) -> str:
    """It is opened, or there is a reason; and as a letter it comes back as it was. The reason."""
    found = open_delivery(delivery, "32")
    assert (found.content is None) == bool(found.reason)
    assert len(found.detail) < 400, found.detail
    text = headers_text(delivery)
    message = delivery.message
    assert delivery_of(message.topic, 0, delivery.offset, text, message.value or b"") == delivery
    assert all(value.isprintable() for value in shown_headers(text).values())
    return found.reason


def _spans(data: bytes) -> None:
    take_spans(peer_service_pb2.GetTraceSliceResponse.FromString(data).spans, "31")


def _filter(data: bytes) -> None:
    wanted_of(case_service_pb2.CaseFilter.FromString(data))


DECODERS: Final[Mapping[str, Read]] = MappingProxyType(
    {
        "exchange": decode_exchange,
        "record": lambda data: decode_record(data, b""),
        "private": lambda data: decode_record(data[: len(data) // 2], data[len(data) // 2 :]),
        "case": decode_case,
        "filing": lambda data: decode_filing(data, b""),
        "file": partial(_asked, case_service_pb2.FileRequest, FILE_REQUEST),
        "act": partial(_asked, case_service_pb2.ActRequest, ACT_REQUEST),
        "spans": _spans,
        "filter": _filter,
        "delivery": _delivered,
    }
)


def read(name: str, data: bytes) -> None:
    """Raises for anything but an answer or a typed refusal, which must not repeat what was sent."""
    with suppress(Fault, ProtobufError):
        try:
            DECODERS[name](data)
        except DecodeError as error:
            assert len(str(error)) < 300, error  # noqa: PT017  # the words are ours, whatever was sent
