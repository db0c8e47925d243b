"""What a span may say: the only attribute keys there are, and the shape of each one's value.

Knows the OpenTelemetry conventions for messaging and RPC as far as they are used here, and our own keys. What
is not in the table is dropped and counted, so nothing personal gets into a trace by way of a key that
somebody added, nor by way of an allowed key: no value here can hold a name, an address or a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, cast

from nodes.telemetry.spans import AttributeValue

CASE_NUMBER: Final = "messaging.message.conversation_id"
REGION: Final = "tongban.region"
RECOVERED: Final = "tongban.recovered"
LINK_KIND: Final = "tongban.link.kind"
ERROR_TYPE: Final = "error.type"

SYSTEM: Final = "messaging.system"
DESTINATION: Final = "messaging.destination.name"
MESSAGE_ID: Final = "messaging.message.id"
OPERATION_NAME: Final = "messaging.operation.name"
OPERATION_TYPE: Final = "messaging.operation.type"

_WORD = re.compile(r"[A-Za-z_][A-Za-z_.]{0,63}")
_CODE = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]{0,63}")
_TOPIC = re.compile(r"tongban(\.[a-z_]{1,20}){1,3}(\.[0-9]{2,6})?")
_REGION = re.compile(r"[0-9]{2}|[0-9]{6}")
_CASE = re.compile(r"[0-9]{25}[0-9A-Z]")
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}|[0-9a-f]{64}")
_MESSAGE_ID = re.compile(
    rf"([0-9]{{2}}[:/])?({_ID.pattern})|[0-9]{{2}}(-[0-9]{{1,10}}){{1,3}}|{_CASE.pattern}([:/][0-9]{{1,9}}){{0,2}}"
)
_METHOD = re.compile(r"([a-z0-9_]+\.)*[A-Za-z]+/[A-Za-z]+|_OTHER")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9:.]{5,15}(Z|[+\-][0-9]{2}:[0-9]{2})?)?")

Shape = re.Pattern[str] | type[int] | type[bool]

ATTRIBUTES: Final[Mapping[str, Shape]] = {
    SYSTEM: _WORD,
    DESTINATION: _TOPIC,
    "messaging.destination.partition.id": re.compile(r"[0-9]{1,6}"),
    "messaging.consumer.group.name": _CODE,
    "messaging.kafka.offset": int,
    MESSAGE_ID: _MESSAGE_ID,
    CASE_NUMBER: _CASE,
    "messaging.message.body.size": int,
    "messaging.message.envelope.size": int,
    "messaging.batch.message_count": int,
    OPERATION_NAME: _WORD,
    OPERATION_TYPE: _WORD,
    "rpc.system.name": _WORD,
    "rpc.method": _METHOD,
    "rpc.response.status_code": _WORD,
    ERROR_TYPE: _CODE,
    REGION: _REGION,
    "tongban.peer_region": _REGION,
    RECOVERED: bool,
    LINK_KIND: _WORD,
    "tongban.command": _WORD,
    "tongban.event": _WORD,
    "tongban.role": _WORD,
    "tongban.state": _WORD,
    "tongban.mode": _WORD,
    "tongban.outcome": _WORD,
    "tongban.reason": _CODE,
    "tongban.matter": re.compile(r"[A-Z]{1,8}-[0-9]{1,5}"),
    "tongban.lead": _CASE,
    "tongban.request_type": _WORD,
    "tongban.ask_id": _ID,
    "tongban.event_id": _ID,
    "tongban.handover_id": _ID,
    "tongban.version": int,
    "tongban.version_from": int,
    "tongban.version_to": int,
    "tongban.epoch": int,
    "tongban.attempt": int,
    "tongban.lane": int,
    "tongban.batch": int,
    "tongban.bytes": int,
    "tongban.duplicate": bool,
    "tongban.automatic": bool,
    "tongban.effective_at": _TIME,
}
"""Key -> what its value must match as a whole, or the type it must have."""

_NAME = re.compile(rf"[A-Za-z_]{{1,48}}( ({_TOPIC.pattern}))?|{_METHOD.pattern}")
UNNAMED: Final = "unnamed"


_FITS: Final[Mapping[str, Callable[[str], object]]] = {
    key: shape.fullmatch for key, shape in ATTRIBUTES.items() if isinstance(shape, re.Pattern)
}
_TYPES: Final = {key: shape for key, shape in ATTRIBUTES.items() if not isinstance(shape, re.Pattern)}


def permitted(key: str, value: object) -> bool:
    """Whether this attribute may be kept."""
    if isinstance(value, str):
        fits = _FITS.get(key)
        return fits is not None and fits(value) is not None
    return _TYPES.get(key) is type(value)


def sift(attributes: Mapping[str, object]) -> tuple[dict[str, AttributeValue], int]:
    """The permitted attributes, and how many were dropped."""
    kept = {key: value for key, value in attributes.items() if permitted(key, value)}
    return cast("dict[str, AttributeValue]", kept), len(attributes) - len(kept)


def plain_name(name: str) -> str:
    """The span's name, or UNNAMED when it is not a verb, a verb and a topic, or a method."""
    return name if _NAME.fullmatch(name) else UNNAMED


def case_number_or_empty(text: object) -> str:
    """The text when it has the shape of a case number, else ""."""
    return text if isinstance(text, str) and _CASE.fullmatch(text) else ""
