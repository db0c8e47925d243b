"""What every backend refuses before it writes anything, so that a message taken embedded is taken by Kafka
too.

Knows the shape of messages and topics; must not know a backend or what a message means.
"""

import re
from collections.abc import Sequence
from typing import Final

from broker.bus import Message, MessageRefused, MessageTooLarge, TopicSpec

MAX_MESSAGE_BYTES: Final = 1_000_000
"""Key, value and headers together. Kafka's own default for a batch is 1,048,588; the rest is its framing."""

TOPIC_NAME: Final = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}", re.ASCII)
"""Kafka's rule for topic names."""


def message_bytes(message: Message) -> int:
    """The size that counts against the limit."""
    headers = sum(len(name.encode()) + len(value) for name, value in message.headers)
    return len(message.key) + len(message.value or b"") + headers


def check_messages(messages: Sequence[Message], limit: int = MAX_MESSAGE_BYTES) -> None:
    """Raises MessageRefused (field: topic, key or headers) or MessageTooLarge for the first one at fault."""
    for message in messages:
        if not TOPIC_NAME.fullmatch(message.topic):
            raise MessageRefused("topic", f"{message.topic[:60]!r} is not a topic name")
        if not message.key:
            raise MessageRefused("key", "is empty; the key decides the order")
        if not all(name for name, _ in message.headers):
            raise MessageRefused("headers", "a header has an empty name")
        if (size := message_bytes(message)) > limit:
            raise MessageTooLarge(size, limit)


def check_reader(group: str, member: str) -> None:
    """Raises MessageRefused (field: group or member); both are names by Kafka's rule for topics."""
    for field, name in (("group", group), ("member", member)):
        if not TOPIC_NAME.fullmatch(name):
            raise MessageRefused(field, f"{name[:60]!r} is not 1 to 249 of letters, digits, '.', '_' and '-'")


def check_specs(specs: Sequence[TopicSpec]) -> None:
    """Raises MessageRefused naming the field of the first spec that no broker could make."""
    for spec in specs:
        if not TOPIC_NAME.fullmatch(spec.name):
            raise MessageRefused("name", f"{spec.name[:60]!r} is not a topic name")
        if spec.partitions < 1:
            raise MessageRefused("partitions", f"{spec.partitions} of topic {spec.name}; at least 1")
        if spec.retention_ms is not None and spec.retention_ms < 1:
            raise MessageRefused(
                "retention_ms", f"{spec.retention_ms} of topic {spec.name}; at least 1, or None"
            )
        if not 1 <= spec.min_insync <= spec.replication:
            raise MessageRefused(
                "min_insync", f"{spec.min_insync} of topic {spec.name}; 1 to {spec.replication}"
            )
