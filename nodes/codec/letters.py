"""A bus message as it is kept when it could not be applied, and back: nothing of it is lost.

Knows key, headers and value. Must not know why it could not be applied, nor tables.
"""

from __future__ import annotations

import json
from typing import Final

from broker.bus import Delivery, Message

_ANY: Final = "surrogateescape"


def headers_text(delivery: Delivery) -> str:
    """Everything of a delivery but topic, partition, offset and value, as JSON in ASCII."""
    message = delivery.message
    said = {
        "key": message.key.decode(errors=_ANY),
        "headers": [[name, value.decode(errors=_ANY)] for name, value in message.headers],
        "tombstone": message.value is None,
        "timestamp_ms": delivery.timestamp_ms,
        "incarnation": delivery.incarnation,
    }
    return json.dumps(said)  # in ASCII: a database takes no NUL and no half a character in a text


def delivery_of(topic: str, partition: int, offset: int, headers: str, value: bytes) -> Delivery:
    """The inverse of `headers_text`."""
    said = json.loads(headers)
    found = tuple((name, text.encode(errors=_ANY)) for name, text in said["headers"])
    body = None if said["tombstone"] else value
    message = Message(topic, said["key"].encode(errors=_ANY), body, found)
    return Delivery(message, partition, offset, said["timestamp_ms"], said["incarnation"])


def shown_headers(headers: str) -> dict[str, str]:
    """The headers of a kept message for a person to read: control characters and broken text as "?"."""
    found = json.loads(headers)["headers"]
    return {_printable(name): _printable(text) for name, text in found}


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() and c.isascii() else "?" for c in text[:512])
