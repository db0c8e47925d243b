"""One clock with any stops, against days counted one by one over the official calendar."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from functools import cache

import chinese_calendar
from hypothesis import given
from hypothesis import strategies as st

from nodes.cases.case import Clock, ClockKind, Stop
from nodes.cases.clock import ended, grown, resumed, start, stopped, timed
from regions.calendar import SHANGHAI, work_calendar
from regions.limits import Unit
from tests.unit.cases.world import TERMS, days

CALENDAR = work_calendar()
DAY = timedelta(days=1)
starts = st.datetimes(datetime(2024, 1, 1), datetime(2026, 6, 30), timezones=st.just(SHANGHAI))  # noqa: DTZ001
values = st.integers(1, 30)
units = st.sampled_from(Unit)
gaps = st.lists(st.tuples(st.integers(0, 15), st.integers(0, 12)), max_size=4)
"""Days that it runs before it stands, and days that it stands."""


@cache
def works(day: date) -> bool:
    return bool(chinese_calendar.is_workday(day))


def counts(day: date, unit: Unit) -> bool:
    return unit is not Unit.WORKING_DAY or works(day)


def naive_last_day(begun: date, value: int, unit: Unit, stood: list[tuple[date, date]]) -> date:
    """Day after day: does it run on this one, does it count, is anything left?"""
    day, left, to_come = begun, value, list(stood)
    while True:
        while left:
            day += DAY
            standing = any(since < day <= until for since, until in to_come)
            left -= counts(day, unit) and not standing
        end = day
        while unit is Unit.DAY and not works(end):
            end += DAY
        late = next((s for s in to_come if day <= s[0] <= end), None)
        if late is None:
            return end
        to_come = to_come[to_come.index(late) + 1 :]
        day, left = late[1], 0 if counts(late[1], unit) else 1


def stops_of(begun: datetime, plan: list[tuple[int, int]]) -> tuple[Stop, ...]:
    found, at = [], begun
    for run, stand in plan:
        since = at + run * DAY
        at = since + stand * DAY
        found.append(Stop("court_order", since, at))
    return tuple(found)


def clock_of(begun: datetime, value: int, unit: Unit, stops: tuple[Stop, ...] = ()) -> Clock:
    return start(ClockKind.DECISION, days(value, unit), begun, "31", TERMS, CALENDAR, stops=stops)


def end_of(day: date) -> datetime:
    return datetime.combine(day + DAY, time(0), SHANGHAI)


@given(starts, values, units, gaps)
def test_the_end_of_a_clock_that_stood(
    begun: datetime, value: int, unit: Unit, plan: list[tuple[int, int]]
) -> None:
    stops = stops_of(begun, plan)
    stood = [(s.since.date(), s.until.date()) for s in stops if s.until]
    expected = naive_last_day(begun.date(), value, unit, stood)
    clock = clock_of(begun, value, unit, stops)
    assert clock.due_at == end_of(expected)
    assert clock.provisional == (unit is not Unit.CALENDAR_DAY and expected.year > 2026)


@given(starts, values, units, gaps)
def test_stopping_and_resuming_step_by_step_is_the_same(
    begun: datetime, value: int, unit: Unit, plan: list[tuple[int, int]]
) -> None:
    clock = clock_of(begun, value, unit)
    stops = stops_of(begun, plan)
    for stop in stops:
        assert stop.until is not None
        standing = stopped(clock, "court_order", stop.since)
        assert standing.stopped
        assert not standing.running
        assert standing.due_at == clock.due_at  # until it runs again
        assert stopped(standing, "special_procedure", stop.until) == standing
        assert resumed(standing, "special_procedure", stop.until, TERMS, CALENDAR) == standing
        clock = resumed(standing, "court_order", stop.until, TERMS, CALENDAR)
    assert clock == clock_of(begun, value, unit, stops)


@given(starts, values, units, gaps)
def test_a_stop_never_brings_the_end_forward_and_none_ends_within_it(
    begun: datetime, value: int, unit: Unit, plan: list[tuple[int, int]]
) -> None:
    clock = clock_of(begun, value, unit)
    for stop in stops_of(begun, plan):
        before = clock
        clock = timed(replace(clock, stops=(*clock.stops, stop)), TERMS, CALENDAR)
        assert clock.due_at >= before.due_at
        if stop.since < before.due_at:
            assert stop.until is not None
            assert clock.due_at > stop.until
        else:
            assert clock.due_at == before.due_at


@given(starts, values, units, st.integers(1, 20), gaps)
def test_an_extension_is_a_longer_limit(
    begun: datetime, value: int, unit: Unit, more: int, plan: list[tuple[int, int]]
) -> None:
    stops = stops_of(begun, plan)
    longer = grown(clock_of(begun, value, unit, stops), days(more, unit), TERMS, CALENDAR)
    assert longer.due_at == clock_of(begun, value + more, unit, stops).due_at
    assert longer.limit.basis_zh.count(";") == 1


@given(starts, values, units, gaps)
def test_an_ended_clock_is_kept_as_it_was(
    begun: datetime, value: int, unit: Unit, plan: list[tuple[int, int]]
) -> None:
    clock = clock_of(begun, value, unit, stops_of(begun, plan))
    over = ended(clock, clock.due_at)
    assert replace(over, ended_at=None) == clock
    assert not over.running
