"""Limits: how many days, of which unit, on what basis. Values only, no arithmetic.

Knows the words for a time limit and for the yellow light. Must not know dates
(`calendar` counts them) nor which matter has which limit (`guide` says so).
"""

from dataclasses import dataclass
from enum import StrEnum


class Unit(StrEnum):
    """How a limit is counted.

    working_day: the n-th working day after the day of the event.
    day: n days on; an end on a day off rolls to the next working day (民法典 art. 203).
    calendar_day: n days on, where it falls.
    """

    WORKING_DAY = "working_day"
    DAY = "day"
    CALENDAR_DAY = "calendar_day"


class BasisKind(StrEnum):
    """On what a limit rests; the screen must say which."""

    STATUTORY = "statutory"
    PROMISED = "promised"
    HANDLING_BODY = "handling_body"
    FEDERATION_RULE = "federation_rule"


@dataclass(frozen=True, slots=True)
class Limit:
    """A time limit. value >= 1, in `unit`s.

    official: True only when this very figure was published for this matter or is
    the law that binds it; False for what the handling body or the federation set.
    """

    value: int
    unit: Unit
    basis_kind: BasisKind
    basis_zh: str
    basis_en: str
    official: bool

    def __post_init__(self) -> None:
        if self.value < 1:
            raise ValueError("a limit is at least one day")

    @property
    def strictness(self) -> tuple[float, int]:
        """Sort key, smallest is strictest: nominal days (a working day is 7/5 day), then unit.

        n `day`s rolled to a working day never end after n working days, so of equal
        values the `day` is the stricter.
        """
        order = (Unit.CALENDAR_DAY, Unit.DAY, Unit.WORKING_DAY)
        nominal = self.value * 1.4 if self.unit is Unit.WORKING_DAY else float(self.value)
        return (nominal, order.index(self.unit))


class YellowKind(StrEnum):
    """How the start of the yellow light is set."""

    SHARE = "share"
    LAST_UNITS = "last_units"


@dataclass(frozen=True, slots=True)
class YellowRule:
    """When a running clock turns yellow.

    share: value percent of the limit remain, rounded up to whole units, at least one.
    last_units: value units of the limit remain. Yellow starts at 00:00 (Asia/Shanghai)
    of the first of these remaining days; the due day is the last of them.
    """

    kind: YellowKind
    value: int

    def units(self, limit: Limit) -> int:
        """How many units before the end the yellow light burns, 1 <= n <= limit.value."""
        share = self.kind is YellowKind.SHARE
        wanted = -(-limit.value * self.value // 100) if share else self.value
        return max(1, min(wanted, limit.value))
