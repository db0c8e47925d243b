"""Spans as messages (trace.proto) and back.

Knows both sides field by field. Must not know whose spans are asked for. What a peer sends is held to the
same list of permitted attributes as our own.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from nodes.codec.errors import DecodeError
from nodes.telemetry.allowed import ATTRIBUTES, CASE_NUMBER, case_number_or_empty, plain_name, sift
from nodes.telemetry.spans import KINDS, STATUSES, AttributeValue, SpanLink, SpanRow
from tongban.v1 import trace_pb2 as pb

MAX_LINKS: Final = 64


def put_span(span: SpanRow) -> pb.Span:
    """The message of a span; its case number stands among the attributes."""
    message = pb.Span(
        trace_id=bytes.fromhex(span.trace_id),
        span_id=bytes.fromhex(span.span_id),
        parent_span_id=bytes.fromhex(span.parent_span_id),
        region=span.region,
        name=span.name,
        kind=span.kind,
        start_ns=span.start_ns,
        end_ns=span.end_ns,
        status=span.status,
        attributes={key: _text(value) for key, value in span.attributes.items()},
        links=[_link(link) for link in span.links],
        recovered=span.recovered,
    )
    if span.case_number:
        message.attributes[CASE_NUMBER] = span.case_number
    return message


def take_spans(messages: Iterable[pb.Span], region: str) -> list[SpanRow]:
    """The spans that `region` recorded. Raises DecodeError naming the field."""
    return [_take(message, region) for message in messages]


def _take(message: pb.Span, region: str) -> SpanRow:
    for field, size in (("trace_id", 16), ("span_id", 8)):
        if len(getattr(message, field)) != size:
            raise DecodeError(field, f"is not {size} bytes long")
    if len(message.parent_span_id) not in (0, 8):
        raise DecodeError("parent_span_id", "is not 8 bytes long")
    if message.region != region:
        raise DecodeError("region", "is not the region that was asked")
    attributes, _ = sift({key: _value(key, text) for key, text in message.attributes.items()})
    return SpanRow(
        trace_id=message.trace_id.hex(),
        span_id=message.span_id.hex(),
        parent_span_id=message.parent_span_id.hex(),
        case_number=case_number_or_empty(attributes.get(CASE_NUMBER)),
        name=plain_name(message.name),
        kind=next((kind for kind in KINDS if kind == message.kind), "internal"),
        start_ns=message.start_ns,
        end_ns=max(message.start_ns, message.end_ns),
        status=next((status for status in STATUSES if status == message.status), "unset"),
        attributes=attributes,
        links=tuple(_link_of(link) for link in message.links[:MAX_LINKS]),
        recovered=message.recovered,
        region=region,
    )


def _link(link: SpanLink) -> pb.SpanLink:
    return pb.SpanLink(
        trace_id=bytes.fromhex(link.trace_id), span_id=bytes.fromhex(link.span_id), kind=link.kind
    )


def _link_of(link: pb.SpanLink) -> SpanLink:
    if len(link.trace_id) != 16 or len(link.span_id) != 8:
        raise DecodeError("links", "has one that names no span")
    kind = link.kind if link.kind.isascii() and link.kind.replace("_", "").isalpha() else "peer"
    return SpanLink(link.trace_id.hex(), link.span_id.hex(), kind[:32])


def _text(value: AttributeValue) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _value(key: str, text: str) -> object:
    shape = ATTRIBUTES.get(key)
    if shape is bool:
        return text == "true"
    if shape is int and len(text) < 20 and text.removeprefix("-").isdecimal() and text.isascii():
        return int(text)
    return text
