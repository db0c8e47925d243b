"""Working days: which days count, and when a limit ends.

Knows the official calendar (chinesecalendar, to 2026, or a year entered in
calendar.toml) and a provisional one after it: weekends and the fixed-date statutory
holidays, always flagged. Must not know cases, clocks that stop, or the time now.
Sources: 民法典 art. 201 (the day of the event does not count), art. 203 (an end on a
day off rolls on, and falls at close of business), 行政许可法 art. 82 (working days).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import chinese_calendar

from regions.datafiles import DATA, Record, read_table
from regions.errors import CalendarError
from regions.limits import Limit, Unit, YellowRule

SHANGHAI = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True)
class Due:
    """When a limit ends. at: aware, Asia/Shanghai, the first moment that is too late for
    24:00 ends (00:00 of the next day), else close of business of `day`, the last day.
    provisional: True when the answer rests on a year without a published calendar.
    """

    at: datetime
    day: date
    provisional: bool


@dataclass(frozen=True, slots=True, eq=False)
class WorkCalendar:
    """A frozen calendar, compared by identity (its content is long; `version` names it).
    Days outside [first, last] raise CalendarError(day, out_of_range).

       version names the data (an event records it; a new one means deadlines are
       recomputed); published_until is the last day of the last published year.
    """

    version: str
    first: date
    last: date
    published_until: date
    # counts[i]: working days in [first, first + i]; ordinals: each working day's ordinal.
    _counts: tuple[int, ...] = field(repr=False)
    _ordinals: tuple[int, ...] = field(repr=False)

    def provisional(self, day: date) -> bool:
        """Whether `day` lies in a year whose calendar is not published."""
        return day > self.published_until

    def is_working_day(self, day: date) -> bool:
        """Whether `day` is worked: adjusted weekends are, statutory holidays are not."""
        offset = self._offset(day)
        before = self._counts[offset - 1] if offset else 0
        return self._counts[offset] > before

    def working_days_between(self, after: date, until: date) -> int:
        """Working days in (after, until]; negative when until < after."""
        return self._counts[self._offset(until)] - self._counts[self._offset(after)]

    def add_working_days(self, day: date, n: int) -> date:
        """The n-th working day after `day` (n >= 1), the -n-th before it (n <= -1);
        n = 0: `day` itself, rolled on to the next working day if it is off.
        """
        offset = self._offset(day)
        done = self._counts[offset]
        index = done + n - 1
        worked = self.is_working_day(day)
        if n == 0:
            index = done - 1 if worked else done
        elif n < 0 and not worked:
            index += 1
        if not 0 <= index < len(self._ordinals):
            raise CalendarError("day", "out_of_range")
        return date.fromordinal(self._ordinals[index])

    def due(self, start: datetime, limit: Limit, close_of_business: time | None = None) -> Due:
        """When `limit`, started by an event at `start` (aware), ends.

        The day of the event, as it is in Shanghai, does not count. close_of_business
        None: the end is 24:00. Raises CalendarError.
        """
        return self.ending(self.due_day(local_day(start), limit), limit.unit, close_of_business)

    def ending(self, day: date, unit: Unit, close_of_business: time | None = None) -> Due:
        """The end of a limit of that unit whose last day is `day`."""
        if close_of_business is None:
            at = datetime.combine(day + timedelta(days=1), time(0), SHANGHAI)
        else:
            at = datetime.combine(day, close_of_business, SHANGHAI)
        rolls = unit is not Unit.CALENDAR_DAY
        return Due(at, day, rolls and self.provisional(day))

    def due_day(self, day: date, limit: Limit) -> date:
        """The last day of a limit whose event fell on `day`."""
        if limit.unit is Unit.WORKING_DAY:
            return self.add_working_days(day, limit.value)
        end = day + timedelta(days=limit.value)
        return self.add_working_days(end, 0) if limit.unit is Unit.DAY else end

    def yellow_at(self, start: datetime, limit: Limit, rule: YellowRule) -> datetime:
        """When the yellow light starts: 00:00 of the first of the last `rule.units(limit)`
        days of the limit, never before the day after the event.
        """
        begun = local_day(start)
        return self.yellow_before(begun, self.due_day(begun, limit), limit, rule)

    def yellow_before(self, begun: date, due: date, limit: Limit, rule: YellowRule) -> datetime:
        """The same for a due day that stops or an extension have moved."""
        back = rule.units(limit) - 1
        if limit.unit is Unit.WORKING_DAY:
            first = self.add_working_days(due, -back) if back else due
        else:
            first = due - timedelta(days=back)
        return datetime.combine(max(first, begun + timedelta(days=1)), time(0), SHANGHAI)

    def _offset(self, day: date) -> int:
        if not self.first <= day <= self.last:
            raise CalendarError("day", "out_of_range")
        return day.toordinal() - self.first.toordinal()


def local_day(moment: datetime) -> date:
    """The date in Shanghai of an aware moment; CalendarError(start, no_time_zone) if naive."""
    if moment.tzinfo is None:
        raise CalendarError("start", "no_time_zone")
    return moment.astimezone(SHANGHAI).date()


def load_calendar(directory: Path = DATA) -> WorkCalendar:
    """Build the calendar from the package and calendar.toml. Raises DataError."""
    top = read_table(directory, "calendar.toml")
    top.only("published", "provisional")
    entered = {row.required_number("year"): _published_year(row) for row in top.records("published")}
    rules = top.table("provisional")
    rules.only("status", "fixed_holidays", "years")
    fixed = frozenset(_month_day(rules, text) for text in rules.words("fixed_holidays"))
    official = {day.year for day in chinese_calendar.holidays}
    last_year = max(official)
    while last_year + 1 in entered:
        last_year += 1
    for year in entered:
        if year > last_year or year in official:
            raise top.error("published", f"{year} leaves a gap, or is in the package already")
    return _build(min(official), last_year, rules.required_number("years"), entered, fixed)


def _build(
    first_year: int,
    last_year: int,
    more: int,
    entered: Mapping[int, Mapping[date, bool]],
    fixed: frozenset[tuple[int, int]],
) -> WorkCalendar:
    first, last = date(first_year, 1, 1), date(last_year + more, 12, 31)
    counts: list[int] = []
    ordinals: list[int] = []
    for ordinal in range(first.toordinal(), last.toordinal() + 1):
        day = date.fromordinal(ordinal)
        worked = day.weekday() < 5
        if day.year > last_year:
            worked = worked and (day.month, day.day) not in fixed
        elif day.year in entered:
            worked = entered[day.year].get(day, worked)
        else:
            worked = day in chinese_calendar.workdays or (worked and day not in chinese_calendar.holidays)
        if worked:
            ordinals.append(ordinal)
        counts.append(len(ordinals))
    digest = hashlib.sha256(repr(ordinals).encode()).hexdigest()[:8]
    return WorkCalendar(
        f"cn-{last_year}-{digest}",
        first,
        last,
        date(last_year, 12, 31),
        tuple(counts),
        tuple(ordinals),
    )


def _published_year(row: Record) -> dict[date, bool]:
    row.only("year", "source", "days_off", "working_weekends")
    row.text("source")
    days: dict[date, bool] = {}
    for name, worked in (("days_off", False), ("working_weekends", True)):
        for text in row.words(name):
            try:
                day = date.fromisoformat(text)
            except ValueError:
                raise row.error(name, f"{text} is not a date YYYY-MM-DD") from None
            if day.year != row.required_number("year"):
                raise row.error(name, f"{text} is not in the year of this table")
            if worked and day.weekday() < 5:
                raise row.error(name, f"{text} is not a weekend")
            days[day] = worked
    return days


def _month_day(row: Record, text: str) -> tuple[int, int]:
    try:
        found = date.fromisoformat(f"2028-{text}")
    except ValueError:
        raise row.error("fixed_holidays", f"{text} is not a day MM-DD") from None
    return found.month, found.day


@cache
def work_calendar() -> WorkCalendar:
    """The shipped calendar, built once."""
    return load_calendar()
