"""Working days, limits and their ends."""

import shutil
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import chinese_calendar
import pytest

from regions.calendar import SHANGHAI, WorkCalendar, load_calendar, work_calendar
from regions.datafiles import DATA
from regions.errors import CalendarError, DataError
from regions.limits import BasisKind, Limit, Unit, YellowKind, YellowRule


def limit(value: int, unit: Unit = Unit.WORKING_DAY) -> Limit:
    return Limit(value, unit, BasisKind.STATUTORY, "依据", "basis", official=True)


def at(day: str, hour: int = 10) -> datetime:
    return datetime.combine(date.fromisoformat(day), time(hour), SHANGHAI)


@pytest.mark.parametrize(
    ("start", "days", "end"),
    [
        ("2026-09-30", 3, "2026-10-10"),
        ("2026-02-13", 5, "2026-02-27"),
        ("2026-01-02", 1, "2026-01-04"),
        ("2026-04-30", 3, "2026-05-08"),
        ("2025-09-30", 1, "2025-10-09"),
        ("2026-09-24", 5, "2026-10-09"),
    ],
)
def test_working_days_skip_holidays_and_count_adjusted_weekends(start: str, days: int, end: str) -> None:
    due = work_calendar().due(at(start), limit(days))
    assert due.day == date.fromisoformat(end)
    assert not due.provisional


@pytest.mark.parametrize(
    ("start", "days", "end"), [("2026-09-30", 3, "2026-10-08"), ("2026-02-13", 3, "2026-02-24")]
)
def test_a_day_limit_rolls_to_the_next_working_day(start: str, days: int, end: str) -> None:
    assert work_calendar().due(at(start), limit(days, Unit.DAY)).day == date.fromisoformat(end)


def test_a_calendar_day_limit_ends_where_it_falls() -> None:
    due = work_calendar().due(at("2026-09-30"), limit(3, Unit.CALENDAR_DAY))
    assert due.day == date(2026, 10, 3)
    far = work_calendar().due(at("2026-12-30"), limit(10, Unit.CALENDAR_DAY))
    assert (far.day, far.provisional) == (date(2027, 1, 9), False)


def test_across_spring_festival_and_into_a_year_without_a_calendar() -> None:
    calendar = work_calendar()
    assert calendar.due(at("2026-02-13"), limit(5)).day == date(2026, 2, 27)
    due = calendar.due(at("2026-12-18"), limit(10))
    assert due.provisional
    assert due.day == date(2027, 1, 4)
    assert not calendar.is_working_day(date(2027, 1, 1))
    assert calendar.due(at("2027-02-01"), limit(5)).provisional


def test_fixed_holidays_and_weekends_are_all_that_is_assumed_of_an_unpublished_year() -> None:
    calendar = work_calendar()
    off = [
        day
        for n in range(365)
        if (day := date(2027, 1, 1) + timedelta(days=n)).weekday() < 5 and not calendar.is_working_day(day)
    ]
    assert off == [date(2027, 1, 1), date(2027, 10, 1)]


def test_it_agrees_with_the_package_on_every_published_day() -> None:
    calendar = work_calendar()
    day = calendar.first
    while day <= calendar.published_until:
        assert calendar.is_working_day(day) == chinese_calendar.is_workday(day), day
        assert not calendar.provisional(day)
        day += timedelta(days=1)
    assert calendar.provisional(day)


def test_the_day_is_the_one_in_shanghai() -> None:
    # 17:30 UTC on the 23rd is 01:30 on the 24th in Shanghai.
    late = datetime(2026, 9, 23, 17, 30, tzinfo=UTC)
    assert work_calendar().due(late, limit(5)).day == date(2026, 10, 9)


def test_it_ends_at_close_of_business_else_at_midnight() -> None:
    calendar = work_calendar()
    assert calendar.due(at("2026-09-24"), limit(5), time(17)).at == at("2026-10-09", 17)
    assert calendar.due(at("2026-09-24"), limit(5)).at == at("2026-10-10", 0)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(CalendarError) as caught:
        work_calendar().due(datetime(2026, 9, 24, 10), limit(5))  # noqa: DTZ001  # what is tried
    assert (caught.value.field, caught.value.reason) == ("start", "no_time_zone")


@pytest.mark.parametrize("day", [date(1999, 1, 1), date(2100, 1, 1)])
def test_a_day_beyond_the_calendar_is_refused(day: date) -> None:
    with pytest.raises(CalendarError):
        work_calendar().is_working_day(day)


def test_zero_working_days_roll_on_and_negative_ones_go_back() -> None:
    calendar = work_calendar()
    assert calendar.add_working_days(date(2026, 10, 3), 0) == date(2026, 10, 8)
    assert calendar.add_working_days(date(2026, 10, 8), 0) == date(2026, 10, 8)
    assert calendar.add_working_days(date(2026, 10, 8), -1) == date(2026, 9, 30)
    assert calendar.add_working_days(date(2026, 10, 3), -1) == date(2026, 9, 30)


@pytest.mark.parametrize(
    ("days", "rule", "start"),
    [
        (20, YellowRule(YellowKind.SHARE, 20), "2026-06-25"),  # due on the 30th; the last 4 of 20
        (3, YellowRule(YellowKind.SHARE, 20), "2026-06-04"),  # at least one day: the last
        (3, YellowRule(YellowKind.LAST_UNITS, 1), "2026-06-04"),
        (3, YellowRule(YellowKind.LAST_UNITS, 9), "2026-06-02"),  # never before the first day
        (1, YellowRule(YellowKind.SHARE, 50), "2026-06-02"),
    ],
)
def test_yellow_burns_for_the_last_days_of_the_limit(days: int, rule: YellowRule, start: str) -> None:
    # Working days from Monday 2026-06-01; 2026-06-19 to 21 is the Dragon Boat Festival.
    calendar = work_calendar()
    assert calendar.yellow_at(at("2026-06-01"), limit(days), rule) == at(start, 0)
    assert rule.units(limit(days)) <= days


def published(directory: Path, text: str) -> WorkCalendar:
    shutil.copytree(DATA, directory, dirs_exist_ok=True)
    original = (DATA / "calendar.toml").read_text("utf-8")
    (directory / "calendar.toml").write_text(original + text, "utf-8")
    return load_calendar(directory)


def test_a_published_year_is_no_longer_provisional_and_has_a_new_version(tmp_path: Path) -> None:
    calendar = published(
        tmp_path,
        '\n[[published]]\nyear = 2027\nsource = "notice"\n'
        'days_off = ["2027-01-01", "2027-01-04"]\nworking_weekends = ["2027-01-02"]\n',
    )
    assert calendar.version != work_calendar().version
    assert not calendar.provisional(date(2027, 12, 31))
    assert calendar.provisional(date(2028, 1, 1))
    assert calendar.is_working_day(date(2027, 1, 2))
    due = calendar.due(at("2026-12-18"), limit(10))
    assert (due.day, due.provisional) == (date(2027, 1, 2), False)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('\n[[published]]\nyear = 2029\nsource = "x"\n', "published"),
        ('\n[[published]]\nyear = 2027\nsource = "x"\ndays_off = ["2027-02-30"]\n', "days_off"),
        ('\n[[published]]\nyear = 2027\nsource = "x"\ndays_off = ["2028-01-03"]\n', "days_off"),
        (
            '\n[[published]]\nyear = 2027\nsource = "x"\nworking_weekends = ["2027-01-04"]\n',
            "working_weekends",
        ),
        ("\n[[published]]\nyear = 2027\n", "source"),
    ],
)
def test_a_bad_year_names_the_key(tmp_path: Path, text: str, key: str) -> None:
    with pytest.raises(DataError) as caught:
        published(tmp_path, text)
    assert caught.value.file == "calendar.toml"
    assert key in caught.value.key
