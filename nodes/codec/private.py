"""Personal data out of a core and back: what is private leaves the body before it is hashed.

Knows where in a body personal data stands. The core names the private part by the SHA-256 of its bytes,
which begin with a random salt; so the part can be sealed and erased while the evidence stays.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any, Final

from google.protobuf.message import DecodeError as ProtobufError

from nodes.codec.bodies import PRIVATE
from nodes.codec.errors import DecodeError, EncodeError
from nodes.codec.kinds import MAX_ITEMS
from tongban.v1 import case_pb2, event_pb2

SALT_BYTES: Final = 16
MAX_PART_BYTES: Final = 256 * 1024
VALUED: Final = frozenset({"corrected", "reinstated"})
"""Bodies with private values of fields."""
NO_PARTY: Final = case_pb2.Party()


def _places(message: Any, steps: tuple[str, ...], path: str = "") -> Iterator[tuple[Any, str, str]]:
    """(holder, field, path) of every private text that `steps` leads to; absent messages are passed over."""
    step, rest = steps[0], steps[1:]
    if not rest:
        yield message, step, f"{path}{step}"
    elif rest[0] == "*":
        for at, item in enumerate(getattr(message, step)):
            yield from _places(item, rest[1:], f"{path}{step}.{at}.")
    elif message.HasField(step):
        yield from _places(getattr(message, step), rest, f"{path}{step}.")


_STEPS: Final = {field: tuple(tuple(p.split(".")) for p in paths) for field, paths in PRIVATE.items()}
_HAVE_SOME: Final = frozenset({"filed", *VALUED, *_STEPS})
"""The bodies that have a place for personal data; most events of a case have none."""


def private_places(field: str, body: Any) -> Iterator[tuple[Any, str, str]]:
    """Where the private texts of this body stand, filled or not."""
    for steps in _STEPS.get(field, ()):
        yield from _places(body, steps)


def take_out(field: str, body: Any) -> event_pb2.PrivatePart:
    """Takes what is private out of `body`; without a salt, empty when there was nothing."""
    texts: dict[str, str] = {}
    for holder, name, path in private_places(field, body):
        if text := getattr(holder, name):
            texts[path] = text
            holder.ClearField(name)
    part = event_pb2.PrivatePart(texts=texts)
    if field == "filed":
        filing = body.filing
        part.applicant.CopyFrom(filing.applicant)
        if filing.HasField("agent"):
            part.agent.CopyFrom(filing.agent)
        part.facts.update(filing.facts)
        for name in ("applicant", "agent", "facts"):
            filing.ClearField(name)
    elif field in VALUED:
        part.values.update(body.values)
        body.ClearField("values")
    return part


def move_out(field: str, body: Any, salt: bytes) -> bytes:
    """The bytes of what `take_out` takes, led by `salt`; empty when there was nothing. Raises EncodeError."""
    if field not in _HAVE_SOME:
        return b""
    part = take_out(field, body)
    if not part.ByteSize():
        return b""
    if len(salt) != SALT_BYTES:
        raise EncodeError("salt", f"is not {SALT_BYTES} bytes long")
    part.salt = salt
    return part.SerializeToString(deterministic=True)


def open_part(data: bytes, private_hash: bytes) -> event_pb2.PrivatePart | None:
    """The private part that a core names; None when there is none or it was erased. Raises DecodeError."""
    if not data:
        return None
    if hashlib.sha256(data).digest() != private_hash:
        raise DecodeError("private_part", "is not the part that the core names")
    part = parse_part(data)
    if len(part.salt) != SALT_BYTES:
        raise DecodeError("private_part.salt", f"is not {SALT_BYTES} bytes long")
    return part


def parse_part(data: bytes) -> event_pb2.PrivatePart:
    """A private part from its bytes; its texts are checked once they are back in place. Raises
    DecodeError.
    """
    if len(data) > MAX_PART_BYTES:
        raise DecodeError("private_part", f"is longer than {MAX_PART_BYTES} bytes")
    try:
        part = event_pb2.PrivatePart.FromString(data)
    except ProtobufError:
        raise DecodeError("private_part", "is not a protobuf message of this contract") from None
    if len(part.texts) > 2 * MAX_ITEMS:
        raise DecodeError("private_part.texts", f"has more than {2 * MAX_ITEMS} items")
    return part


def put_back(field: str, body: Any, part: event_pb2.PrivatePart | None) -> None:
    """Puts the private part's fields where the body has its place for them. Raises DecodeError.

    Personal data that stands in the core itself is refused: it could never be erased.
    """
    if field not in _HAVE_SOME:
        return
    for holder, name, path in private_places(field, body):
        if getattr(holder, name):
            raise DecodeError(path, "is private and must not stand in the core")
        if part is not None and path in part.texts:
            setattr(holder, name, part.texts[path])
    if field == "filed":
        filing = body.filing
        if filing.HasField("applicant") or filing.HasField("agent") or filing.facts:
            raise DecodeError("filing", "has private data in the core")
        filing.applicant.CopyFrom(NO_PARTY if part is None else part.applicant)
        if part is not None:
            if part.HasField("agent"):
                filing.agent.CopyFrom(part.agent)
            filing.facts.update(part.facts)
    elif field in VALUED:
        if body.values:
            raise DecodeError("values", "is private and must not stand in the core")
        if part is not None:
            body.values.update(part.values)
