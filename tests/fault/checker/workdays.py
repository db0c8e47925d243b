"""Working days, counted one by one, and what a limit makes of them.

Knows the published calendar (the chinesecalendar package, and years entered in a calendar file), the
provisional one after it, and the arithmetic of a clock as the protocol writes it: the day of the event does
not count; a stop from day P to day R keeps the days after P up to R out of the count, as long as the limit is
not over on P. Must not know cases.
"""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import chinese_calendar

from tongban.v1.case_pb2 import Clock, Limit, LimitUnit, Terms

SHANGHAI: Final = ZoneInfo("Asia/Shanghai")
SHIPPED: Final = Path(__file__).parents[3] / "regions" / "data" / "calendar.toml"
DAY: Final = timedelta(days=1)


class Workdays:
    """A calendar: which days count."""

    def __init__(self, path: Path = SHIPPED) -> None:
        """`path`: the file of years entered by hand and of the rules for years not published."""
        said = tomllib.loads(path.read_text(encoding="utf-8"))
        self._fixed = {tuple(map(int, text.split("-"))) for text in said["provisional"]["fixed_holidays"]}
        self._entered = {
            row["year"]: (
                {date.fromisoformat(text) for text in row["days_off"]},
                {date.fromisoformat(text) for text in row["working_weekends"]},
            )
            for row in said.get("published", ())
        }
        self._published = max(day.year for day in chinese_calendar.holidays)
        self._known: dict[date, bool] = {}

    def provisional(self, day: date) -> bool:
        """Whether nobody has published that year."""
        return day.year > self._published and day.year not in self._entered

    def worked(self, day: date) -> bool:
        """Whether it is a working day."""
        if day not in self._known:
            self._known[day] = self._worked(day)
        return self._known[day]

    def _worked(self, day: date) -> bool:
        weekday = day.weekday() < 5
        if day.year <= self._published:
            return bool(chinese_calendar.is_workday(day))
        if day.year in self._entered:
            off, on = self._entered[day.year]
            return day in on or (weekday and day not in off)
        return weekday and (day.month, day.day) not in self._fixed

    def after(self, day: date, days: int) -> date:
        """The `days`-th working day after `day`."""
        while days:
            day += DAY
            days -= self.worked(day)
        return day

    def between(self, since: date, until: date) -> int:
        """Working days after `since` up to `until`."""
        return sum(self.worked(since + DAY * n) for n in range(1, (until - since).days + 1))

    def last_day(self, begun: date, limit: Limit, extra: int = 0) -> date:
        """The last day of a limit whose event fell on `begun`; `extra`: units in which it stood."""
        units = limit.value + extra
        if limit.unit == LimitUnit.LIMIT_UNIT_WORKING_DAY:
            return self.after(begun, units)
        day = begun + DAY * units
        while limit.unit == LimitUnit.LIMIT_UNIT_DAY and not self.worked(day):
            day += DAY
        return day

    def due(self, clock: Clock, terms: Terms) -> tuple[datetime, date]:
        """The first moment that is too late, and the last day.

        What was over is not moved by a later stop; what stood on its last day ends when it runs again.
        """
        begun, extra = day_of(clock.started_at.ToDatetime(UTC)), 0
        last = self.last_day(begun, clock.limit)
        for since, until in self._stood(clock):
            if since <= last:
                counted = clock.limit.unit == LimitUnit.LIMIT_UNIT_WORKING_DAY
                extra += self.between(since, until) if counted else (until - since).days
                last = max(self.last_day(begun, clock.limit, extra), self._rolled(until, clock.limit))
        return end_of(last, terms), last

    def _rolled(self, day: date, limit: Limit) -> date:
        while limit.unit != LimitUnit.LIMIT_UNIT_CALENDAR_DAY and not self.worked(day):
            day += DAY
        return day

    @staticmethod
    def _stood(clock: Clock) -> list[tuple[date, date]]:
        """First and last day of each stop that is over."""
        over = [stop for stop in clock.stops if stop.HasField("until")]
        return [(day_of(s.since.ToDatetime(UTC)), day_of(s.until.ToDatetime(UTC))) for s in over]

    def yellow(self, clock: Clock, terms: Terms, last: date) -> datetime:
        """00:00 of the first of the last days of the limit, by share rounded up or by a number of units."""
        limit = clock.limit
        wanted = terms.yellow_units or -(-limit.value * round(terms.yellow_share * 100) // 100)
        left = max(1, min(wanted, limit.value)) - 1
        first = last
        if limit.unit == LimitUnit.LIMIT_UNIT_WORKING_DAY:
            while left:
                first -= DAY
                left -= self.worked(first)
        else:
            first -= DAY * left
        earliest = day_of(clock.started_at.ToDatetime(UTC)) + DAY
        return datetime.combine(max(first, earliest), time(0), SHANGHAI)

    def grace_after(self, due: datetime, terms: Terms) -> datetime:
        """When a timer that hurts the citizen takes effect."""
        if not terms.HasField("grace"):
            return due
        begun = day_of(due - timedelta(microseconds=1))
        return end_of(self.last_day(begun, terms.grace), terms)


def day_of(moment: datetime) -> date:
    """The day in Shanghai."""
    return moment.astimezone(SHANGHAI).date()


def end_of(day: date, terms: Terms) -> datetime:
    """Close of business, or 24:00."""
    if not terms.close_of_business_minute:
        return datetime.combine(day + DAY, time(0), SHANGHAI)
    hour, minute = divmod(terms.close_of_business_minute, 60)
    return datetime.combine(day, time(hour, minute), SHANGHAI)


@cache
def shipped() -> Workdays:
    """The shipped calendar."""
    return Workdays()
