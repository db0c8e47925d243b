"""The generator's own arithmetic of working days and limits.

Knows the published calendar and three units. Written from 民法典 art. 201 and 203 and 行政许可法 art. 82;
shares no code with the service, so that each checks the other.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import chinese_calendar

SHANGHAI = ZoneInfo("Asia/Shanghai")
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Limit:
    """So many units; unit: working_day, day (rolls to a working day) or calendar_day (does not)."""

    value: int
    unit: str


@cache
def works(day: date) -> bool:
    """Whether that day is worked, by the published calendar."""
    return bool(chinese_calendar.is_workday(day))


@cache
def later(day: date, count: int) -> date:
    """The working day so many after `day` (0: the day itself, or the next that is worked)."""
    while count == 0 and not works(day):
        day += ONE_DAY
    while count > 0:
        day += ONE_DAY
        count -= works(day)
    return day


def earlier(day: date, count: int) -> date:
    """The working day so many before `day`."""
    while count > 0:
        day -= ONE_DAY
        count -= works(day)
    return day


def last_day(begun: date, limit: Limit, more: int = 0) -> date:
    """The last day of a limit that an event on `begun` started; more: units by which stops lengthen it."""
    units = limit.value + more
    if limit.unit == "working_day":
        return later(begun, units)
    end = begun + timedelta(days=units)
    return later(end, 0) if limit.unit == "day" else end


def due_at(day: date, close: time | None) -> datetime:
    """The first moment that is too late: close of business of the last day, or the midnight after it."""
    if close is None:
        return datetime.combine(day + ONE_DAY, time(0), SHANGHAI)
    return datetime.combine(day, close, SHANGHAI)


def yellow_at(begun: date, last: date, limit: Limit, units: int) -> datetime:
    """00:00 of the first of the last `units` days, never before the day after the event."""
    working = limit.unit == "working_day"
    first = earlier(last, units - 1) if working else last - timedelta(days=units - 1)
    return datetime.combine(max(first, begun + ONE_DAY), time(0), SHANGHAI)


def stood(since: date, until: date, unit: str) -> int:
    """How many units a stop from one day to another keeps out of the count."""
    if unit != "working_day":
        return (until - since).days
    days = (until - since).days
    return sum(works(since + timedelta(days=n)) for n in range(1, days + 1))
