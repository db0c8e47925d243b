"""What holds for every limit, against a count of days one by one."""

from datetime import UTC, date, datetime, time, timedelta

from hypothesis import given
from hypothesis import strategies as st

from regions.calendar import SHANGHAI, work_calendar
from regions.limits import BasisKind, Limit, Unit, YellowKind, YellowRule

CALENDAR = work_calendar()
days = st.dates(date(2024, 1, 1), date(2028, 12, 31))
values = st.integers(1, 90)
moments = st.datetimes(datetime(2024, 1, 1), datetime(2028, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
units = st.sampled_from(Unit)
rules = st.one_of(
    st.builds(YellowRule, st.just(YellowKind.SHARE), st.integers(1, 100)),
    st.builds(YellowRule, st.just(YellowKind.LAST_UNITS), st.integers(1, 30)),
)
hours = st.one_of(st.none(), st.just(time(17)), st.just(time(17, 30)))


def limit(value: int, unit: Unit) -> Limit:
    return Limit(value, unit, BasisKind.HANDLING_BODY, "依据", "basis", official=False)


def step(day: date, count: int) -> date:
    """The count-th working day after `day`, one day at a time."""
    while count:
        day += timedelta(days=1)
        count -= CALENDAR.is_working_day(day)
    return day


@given(days, values)
def test_adding_working_days_is_counting_them(day: date, value: int) -> None:
    assert CALENDAR.add_working_days(day, value) == step(day, value)


@given(days, st.integers(-60, 60))
def test_between_undoes_adding(day: date, value: int) -> None:
    end = CALENDAR.add_working_days(day, value)
    if value > 0:
        assert CALENDAR.working_days_between(day, end) == value
    assert value == 0 or CALENDAR.is_working_day(end)
    assert value == 0 or (end > day) == (value > 0)


@given(days, values, values)
def test_two_stretches_are_one(day: date, first: int, second: int) -> None:
    one = CALENDAR.add_working_days(CALENDAR.add_working_days(day, first), second)
    assert one == CALENDAR.add_working_days(day, first + second)


@given(moments, values, units, hours)
def test_the_end_of_a_limit(start: datetime, value: int, unit: Unit, close: time | None) -> None:
    due = CALENDAR.due(start, limit(value, unit), close)
    begun = start.astimezone(SHANGHAI).date()
    if unit is Unit.WORKING_DAY:
        assert due.day == step(begun, value)
    elif unit is Unit.CALENDAR_DAY:
        assert due.day == begun + timedelta(days=value)
    else:
        end = begun + timedelta(days=value)
        assert due.day == (end if CALENDAR.is_working_day(end) else step(end, 1))
    assert due.at.tzinfo is SHANGHAI
    assert due.at > start
    assert due.provisional == (unit is not Unit.CALENDAR_DAY and due.day.year > 2026)
    expected = datetime.combine(due.day, close, SHANGHAI) if close else None
    assert due.at == (expected or datetime.combine(due.day + timedelta(days=1), time(0), SHANGHAI))


@given(moments, st.integers(1, 60), rules, st.sampled_from([Unit.WORKING_DAY, Unit.CALENDAR_DAY]))
def test_yellow_comes_after_the_start_and_before_the_end(
    start: datetime, value: int, rule: YellowRule, unit: Unit
) -> None:
    given_limit = limit(value, unit)
    due = CALENDAR.due(start, given_limit)
    yellow = CALENDAR.yellow_at(start, given_limit, rule)
    assert start < yellow < due.at
    burning = range(yellow.date().toordinal(), due.day.toordinal() + 1)
    counted = [
        day
        for day in map(date.fromordinal, burning)
        if unit is Unit.CALENDAR_DAY or CALENDAR.is_working_day(day)
    ]
    assert len(counted) == rule.units(given_limit)


@given(moments, st.integers(1, 89), units)
def test_a_longer_limit_never_ends_earlier(start: datetime, value: int, unit: Unit) -> None:
    shorter, longer = limit(value, unit), limit(value + 1, unit)
    assert CALENDAR.due(start, shorter).at <= CALENDAR.due(start, longer).at


@given(moments, st.integers(1, 60))
def test_of_equal_values_a_day_limit_is_the_stricter(start: datetime, value: int) -> None:
    by_day, by_working_day = limit(value, Unit.DAY), limit(value, Unit.WORKING_DAY)
    assert by_day.strictness < by_working_day.strictness
    assert CALENDAR.due(start, by_day).at <= CALENDAR.due(start, by_working_day).at
