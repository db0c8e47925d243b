"""Messages and bytes made wrong, at random and repeatably: a seed names them all."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from broker.bus import Delivery, Headers, Message

EDGES: Final = (
    b"\x00", b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xe2\x80\xae", b"\xff" * 9 + b"\x01",
    b"\x0a\xff\xff\x03", b"\x0b" * 120, b"\x80" * 12, b"../../", b"' OR 1=1--", b"\x1b[2J",
)  # fmt: skip
"""What decoders stumble over: NUL, overlong and half characters, endless varints, lengths, groups."""


def mutated_bytes(rng: random.Random, data: bytes) -> bytes:
    """One to four changes: a flipped bit, bytes cut, doubled, moved, or put in."""
    made = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(made) + 1)
        upto = min(len(made), at + rng.randint(1, 24))
        match rng.randrange(6):
            case 0 if at < len(made):
                made[at] ^= 1 << rng.randrange(8)
            case 1:
                del made[at:upto]
            case 2:
                made[at:at] = made[at:upto]
            case 3:
                made[at:at] = rng.choice(EDGES)
            case 4:
                made[at:upto] = rng.randbytes(upto - at)
            case _:
                del made[at:]
    return bytes(made)


def mutated(rng: random.Random, message: Message) -> Message:
    """A message of which the body, a header, the key, or several of them are wrong."""
    value, key, headers = message.value, message.key, message.headers
    kind = rng.randrange(10)
    if kind < 6:
        value = mutated_bytes(rng, value or b"")
    if kind in (5, 6, 7):
        headers = _headers(rng, headers)
    if kind == 8:
        key = mutated_bytes(rng, key) or b"-"
    if kind == 9:
        value = None if rng.random() < 0.5 else b""
    return replace(message, key=key, value=value, headers=headers)


def _headers(rng: random.Random, headers: Headers) -> Headers:
    made = list(headers)
    at = rng.randrange(len(made))
    name, value = made[at]
    match rng.randrange(5):
        case 0:
            del made[at]
        case 1:
            made.append((name, value))
        case 2:
            made[at] = (name.upper(), value)
        case 3:
            made += [(f"x{n}", b"y" * 40) for n in range(rng.randrange(60))]
        case _:
            made[at] = (name, mutated_bytes(rng, value))
    return tuple(made)


def deliveries(seed: int, good: Sequence[Message], count: int) -> list[Delivery]:
    """As many mutated messages, as they would be read."""
    rng = random.Random(seed)
    return [
        Delivery(mutated(rng, rng.choice(good)), 0, offset, 1_790_000_000_000, "i") for offset in range(count)
    ]
