"""Kinds of fields that only exchanges have: records, acknowledged versions, hashes.

Knows how they stand in exchange.proto. Must not know which message has which.
"""

from __future__ import annotations

from typing import Any, Final

from nodes.codec.errors import DecodeError
from nodes.codec.kinds import COUNT, NUMBER, Fill, Kind, Take, many
from nodes.codec.shape import Shape
from tongban.v1 import exchange_pb2 as pb

MAX_RECORDS: Final = 2_000
MAX_ACKED: Final = 5_000

Records = tuple[tuple[bytes, bytes], ...]
"""(core, private part) of events in order, as they are stored."""


def _fill_records(name: str) -> Fill:
    def fill(message: Any, records: Records) -> None:
        add = getattr(message, name).add
        for core, private in records:
            add(core=core, private_part=private)

    return fill


def _take_records(name: str) -> Take:
    def take(message: Any) -> Records:
        records = getattr(message, name)
        if not records:
            raise DecodeError("", "is missing")
        if len(records) > MAX_RECORDS:
            raise DecodeError("", f"has more than {MAX_RECORDS} items")
        return tuple((r.core, r.private_part) for r in records)

    return take


def _take_last(name: str) -> Take:
    def take(message: Any) -> tuple[bytes, bytes]:
        if not message.HasField(name):
            raise DecodeError("", "is missing")
        last = getattr(message, name)
        return last.core, last.private_part

    return take


def _bytes(*lengths: int) -> Kind:
    def take_bytes(name: str) -> Take:
        def take(message: Any) -> bytes:
            found: bytes = getattr(message, name)
            if len(found) not in lengths:
                raise DecodeError("", f"is not {lengths[-1]} bytes long")
            return found

        return take

    return Kind(take=take_bytes)


class _Acked:
    """(case number, version) as a shape."""

    _shape: Shape[dict[str, Any]] = Shape(dict, pb.AckedVersion, case_number=NUMBER, version=COUNT)

    @staticmethod
    def fill(message: Any, acked: tuple[str, int]) -> None:
        message.case_number, message.version = acked

    @classmethod
    def take(cls, message: Any) -> tuple[str, int]:
        found = cls._shape.take(message)
        return found["case_number"], found["version"]


def _fill_last(name: str) -> Fill:
    def fill(message: Any, last: tuple[bytes, bytes]) -> None:
        record = getattr(message, name)
        record.core, record.private_part = last

    return fill


RECORDS: Final = Kind(_fill_records, _take_records)
LAST: Final = Kind(_fill_last, _take_last)
TRACE: Final = _bytes(0, 16)
HASH: Final = _bytes(32)
ACKED: Final = many(_Acked(), MAX_ACKED)
