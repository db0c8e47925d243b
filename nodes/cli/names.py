"""The codes of the contract as the command line writes them: enum values, roles, places, times.

Knows enums of the messages and the facts of regions. Must not know any screen. An enum value is written in
lower case without its prefix: CASE_STATE_IN_REVIEW is in_review.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from google.protobuf.timestamp_pb2 import Timestamp

from nodes.business_time import SHANGHAI
from nodes.cli.exits import Exit
from nodes.cli.failures import Problem, failure
from nodes.cli.words import Words, both
from regions.authorities import authority_of
from regions.catalog import catalogue
from regions.errors import RegionsError
from regions.region import atlas
from tongban.v1.case_pb2 import (
    CaseKind,
    CaseRole,
    CaseState,
    ClockKind,
    HandlingMode,
    JointRule,
    Light,
    LimitBasis,
    LimitUnit,
    Role,
)

Enum = Any
"""The wrapper class of a protobuf enum; its generated types differ from class to class."""

_PREFIXES: Final[dict[Enum, str]] = {
    CaseKind: "CASE_KIND_",
    CaseRole: "CASE_ROLE_",
    CaseState: "CASE_STATE_",
    ClockKind: "CLOCK_KIND_",
    HandlingMode: "HANDLING_MODE_",
    JointRule: "JOINT_RULE_",
    Light: "LIGHT_",
    LimitBasis: "LIMIT_BASIS_",
    LimitUnit: "LIMIT_UNIT_",
    Role: "ROLE_",
}


def code(enum: Enum, value: int) -> str:
    """The short code of a value: "in_review"; "" for unspecified, the number for one not known here."""
    try:
        name: str = enum.Name(value)
    except ValueError:
        return str(int(value))
    short = name.removeprefix(_PREFIXES[enum]).lower()
    return "" if short == "unspecified" else short


def codes(enum: Enum) -> list[str]:
    """All short codes of an enum, unspecified left out, in its order."""
    return [found for found in (code(enum, value) for value in enum.values()) if found]


def value(enum: Enum, text: str, flag: str) -> Any:
    """The value of a short code. Raises Failure naming the flag and what it takes."""
    short = text.strip().lower().replace("-", "_")
    if short not in codes(enum):
        raise wrong(flag, "one_of", given=text, known=", ".join(codes(enum)))
    return enum.Value(_PREFIXES[enum] + short.upper())


def wrong(flag: str, reason: str, **values: object) -> Exception:
    """A failure of usage: this flag, for this reason (`wrong.REASON` of the table)."""
    said = both(f"wrong.{reason}", **values)
    return failure(Exit.USAGE, "bad_flag", problems=[Problem(flag, reason.upper(), said)])


def region_name(region: str, words: Words) -> str:
    """Name and code of a region: "Shanghai 31"."""
    found = atlas().regions.get(region)
    return f"{words.pick((found.name_zh, found.name_en))} {region}" if found else region


def area_name(area: str, words: Words) -> str:
    """Name and code of an area; the code alone where it is not known."""
    try:
        place = atlas().place(area)
    except RegionsError:
        return area
    return f"{words.pick((place.name_zh, place.name_en))} {area}"


def authority_name(authority: str, words: Words) -> str:
    """Derived name and code of an authority; the code alone where it is not known."""
    try:
        found = authority_of(authority)
    except (RegionsError, KeyError, ValueError):
        return authority
    return f"{words.pick((found.name_zh, found.name_en))} ({authority})"


def matter_name(matter: str, words: Words) -> str:
    """Code and name of a matter; the code alone where it is not known."""
    found = catalogue().matters.get(matter)
    return f"{matter} {words.pick((found.name_zh, found.name_en))}" if found else matter


def moment(stamp: Timestamp) -> datetime | None:
    """A time of the contract in Asia/Shanghai; None when it is not set."""
    if not stamp.seconds and not stamp.nanos:
        return None
    at = datetime.fromtimestamp(stamp.seconds, UTC) + timedelta(microseconds=stamp.nanos // 1000)
    return at.astimezone(SHANGHAI)


def when(stamp: Timestamp) -> str:
    """Date and minute in Asia/Shanghai, "" when not set."""
    at = moment(stamp)
    return f"{at:%Y-%m-%d %H:%M}" if at else ""


def due(stamp: Timestamp) -> str:
    """A due time: the end of a day is written 24:00 of that day, not 00:00 of the next."""
    at = moment(stamp)
    if at is None:
        return ""
    if (at.hour, at.minute, at.second) == (0, 0, 0):
        return f"{at - timedelta(days=1):%Y-%m-%d} 24:00"
    return f"{at:%Y-%m-%d %H:%M}"


def stamp(text: str, flag: str) -> Timestamp:
    """A time given as ISO 8601; without a zone it is Asia/Shanghai. Raises Failure."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise wrong(flag, "time", given=text) from None
    if at.tzinfo is None:
        at = at.replace(tzinfo=SHANGHAI)
    found = Timestamp()
    found.FromDatetime(at.astimezone(UTC).replace(tzinfo=None))
    return found
