"""What the inbox hands to the desk: one opened message, or why it cannot be read.

Values only. Knows neither topics' meaning nor what a message does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from nodes.codec.exchange import AskRefused, Exchange


@dataclass(frozen=True, slots=True)
class Raw:
    """Where a message came from and its bytes, for the case that it must be parked. `headers`: writes out the
    rest of it, which hardly a message needs.
    """

    topic: str
    partition: int
    offset: int
    headers: Callable[[], str]
    value: bytes


@dataclass(frozen=True, slots=True)
class Arrived:
    """One message: from which region, its id, and what it says; or why it cannot be read (`reason`).

    `subject`: the case number; of what cannot be read only when it claims to be an owner's word on that case.
    `traceparent`: the hop that sent it, "" for none. `refused`: what its sender is told of a question that
    cannot be read.
    """

    source: str
    message_id: str
    content: Exchange | None
    raw: Raw
    reason: str = ""
    detail: str = ""
    subject: str = ""
    traceparent: str = ""
    refused: AskRefused | None = None


NOWHERE: Final = Raw("", 0, 0, str, b"")
"""Of what did not come over the bus."""


def join(core: bytes, private: bytes) -> bytes:
    """A record as it is held until the hole before it is filled."""
    return len(core).to_bytes(4, "big") + core + private


def split(held: bytes) -> tuple[bytes, bytes]:
    """The inverse of `join`."""
    size = int.from_bytes(held[:4], "big")
    return held[4 : 4 + size], held[4 + size :]
