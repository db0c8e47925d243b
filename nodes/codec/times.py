"""Points in time between Timestamp and datetime: whole microseconds, 2000 to 2199, Asia/Shanghai.

Knows both forms. Must not know whether a time is plausible for a case.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp

from nodes.business_time import SHANGHAI
from nodes.codec.errors import DecodeError, EncodeError

_BASE: Final = datetime(2000, 1, 1, 8, tzinfo=SHANGHAI)  # Shanghai has had no change of offset since 1991
_BASE_S: Final = 946_684_800
_LAST_S: Final = 7_258_118_400  # 2200-01-01T00:00Z


def fill_time(stamp: Timestamp, at: datetime) -> None:
    """Writes `at` to the microsecond. Raises EncodeError for a naive time or one outside 2000 to 2199."""
    if at.tzinfo is None:
        raise EncodeError("", "has no time zone")
    delta = at - _BASE
    seconds = delta.days * 86_400 + delta.seconds + _BASE_S
    if not _BASE_S <= seconds < _LAST_S:
        raise EncodeError("", "is not a time between 2000 and 2200")
    stamp.seconds = seconds
    if microseconds := delta.microseconds:
        stamp.nanos = microseconds * 1_000


def encode_time(at: datetime) -> Timestamp:
    """The Timestamp of `at`; raises what `fill_time` raises."""
    stamp = Timestamp()
    fill_time(stamp, at)
    return stamp


def decode_time(stamp: Timestamp) -> datetime:
    """Aware, Asia/Shanghai. Raises DecodeError."""
    return _time_of(stamp.seconds, stamp.nanos)


@lru_cache(8192)  # the events and clocks of a case repeat a few times again and again
def _time_of(seconds: int, nanos: int) -> datetime:
    if not _BASE_S <= seconds < _LAST_S:
        raise DecodeError("", "is not a time between 2000 and 2200")
    if not 0 <= nanos < 1_000_000_000 or nanos % 1_000:
        raise DecodeError("", "is not a time in whole microseconds")
    return _BASE + timedelta(seconds=seconds - _BASE_S, microseconds=nanos // 1_000)
