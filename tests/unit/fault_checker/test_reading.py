"""What the checker may know, how it reads, and how it counts working days."""

from __future__ import annotations

import ast
import sys
from datetime import date, datetime
from pathlib import Path

import pytest

from tests.fault.checker import __main__ as command
from tests.fault.checker.facts import Call
from tests.fault.checker.history import History, read_history
from tests.fault.checker.steps import LEGAL
from tests.fault.checker.workdays import SHANGHAI, Workdays, shipped
from tongban.v1.case_pb2 import CaseState, Clock, Limit, LimitUnit, Terms

ROOM = Path(command.__file__).parent
ALLOWED = {"aiokafka", "asyncpg", "chinese_calendar", "google", "tongban"} | sys.stdlib_module_names
WORKING, DAY, CALENDAR = (
    LimitUnit.LIMIT_UNIT_WORKING_DAY,
    LimitUnit.LIMIT_UNIT_DAY,
    LimitUnit.LIMIT_UNIT_CALENDAR_DAY,
)


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


def test_the_checker_knows_nothing_of_the_code_it_judges() -> None:
    modules = sorted(ROOM.glob("*.py"))
    assert len(modules) > 10
    foreign = {
        f"{path.name}: {name}"
        for path in modules
        for name in imported(path)
        if name.split(".")[0] not in ALLOWED and not name.startswith("tests.fault.checker.")
    }
    assert not foreign


def test_the_legal_steps_speak_of_every_state_and_event() -> None:
    states = {CaseState.Name(s).removeprefix("CASE_STATE_").lower() for s in CaseState.values()} - {
        "unspecified"
    }
    assert {step[0] for step in LEGAL} == states | {"draft"}
    events = Path(__file__).parents[3] / "proto" / "tongban" / "v1" / "event.proto"
    text = events.read_text(encoding="utf-8")
    oneof = text[text.index("oneof body {") : text.index("// Personal data of an event")]
    bodies = {line.split()[0] for line in oneof.splitlines()[1:] if line.strip().endswith(";")}
    assert {step[1] for step in LEGAL} == bodies


def clock(start: str, value: int, unit: LimitUnit.ValueType = WORKING) -> Clock:
    made = Clock(limit=Limit(value=value, unit=unit))
    made.started_at.FromDatetime(datetime.fromisoformat(start))
    return made


@pytest.mark.parametrize(
    ("start", "value", "unit", "due"),
    [
        ("2026-09-24T09:00:00+08:00", 5, WORKING, "2026-10-09"),
        ("2026-09-30T09:00:00+08:00", 3, DAY, "2026-10-08"),
        ("2026-02-13T09:00:00+08:00", 3, DAY, "2026-02-24"),
        ("2026-09-30T09:00:00+08:00", 3, CALENDAR, "2026-10-03"),
        ("2026-10-09T23:30:00+08:00", 1, WORKING, "2026-10-10"),  # a Saturday that is worked
        ("2027-05-01T00:30:00+08:00", 1, WORKING, "2027-05-03"),
    ],
)
def test_the_last_day_of_a_limit(start: str, value: int, unit: LimitUnit.ValueType, due: str) -> None:
    at, last = shipped().due(clock(start, value, unit), Terms())
    assert last == date.fromisoformat(due)
    assert at.astimezone(SHANGHAI).time().hour == 0
    assert (at.date() - last).days == 1


def test_a_stop_keeps_its_days_out_of_the_count() -> None:
    stood = clock("2026-11-02T09:00:00+08:00", 5)
    stop = stood.stops.add(reason="special_procedure")
    stop.since.FromDatetime(datetime.fromisoformat("2026-11-03T10:00:00+08:00"))
    stop.until.FromDatetime(datetime.fromisoformat("2026-11-10T10:00:00+08:00"))
    at, last = shipped().due(stood, Terms(close_of_business_minute=17 * 60))
    assert last == date(2026, 11, 16)
    assert at == datetime(2026, 11, 16, 17, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("since", "until", "last"),
    [
        ("2026-11-09", "2026-11-12", "2026-11-12"),  # on its last day: it ends when it runs again
        ("2026-11-09", "2026-11-14", "2026-11-16"),  # which is a Saturday
        ("2026-11-10", "2026-11-12", "2026-11-09"),  # over already
    ],
)
def test_a_stop_moves_only_what_is_left(since: str, until: str, last: str) -> None:
    stood = clock("2026-11-02T09:00:00+08:00", 5)
    stop = stood.stops.add(reason="court_order")
    stop.since.FromDatetime(datetime.fromisoformat(f"{since}T10:00:00+08:00"))
    stop.until.FromDatetime(datetime.fromisoformat(f"{until}T10:00:00+08:00"))
    assert shipped().due(stood, Terms())[1] == date.fromisoformat(last)


@pytest.mark.parametrize(("share", "units", "first"), [(0.3, 0, 17), (0.15, 0, 18), (0.0, 4, 16)])
def test_yellow_burns_for_the_last_days(share: float, units: int, first: int) -> None:
    terms = Terms(yellow_share=share, yellow_units=units)
    timed = clock("2026-11-05T09:00:00+08:00", 10)
    last = shipped().due(timed, terms)[1]
    assert last == date(2026, 11, 19)
    assert shipped().yellow(timed, terms, last) == datetime(2026, 11, first, tzinfo=SHANGHAI)


def test_a_year_entered_by_hand_counts_as_it_says(tmp_path: Path) -> None:
    path = tmp_path / "calendar.toml"
    path.write_text(
        "[[published]]\nyear = 2027\nsource = 'x'\ndays_off = ['2027-01-04']\n"
        "working_weekends = ['2027-01-09']\n"
        "[provisional]\nfixed_holidays = ['01-01']\n"
    )
    calendar = Workdays(path)
    worked = [calendar.worked(date(2027, 1, day)) for day in (1, 4, 5, 9, 10)]
    assert worked == [True, False, True, True, False]
    assert calendar.provisional(date(2028, 1, 3))
    assert not calendar.provisional(date(2027, 1, 4))


def test_a_history_is_read_as_it_was_written_but_for_a_torn_line(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    call = Call("32", "file", 1, 2, "c", "r", "d", "acknowledged", "a", "", "number", 3, "")
    with History(path) as history:
        history.note(call)
    with path.open("a") as file:
        file.write('{"region": "3')
    assert read_history(path) == [call]
    path.write_text("{}\n")
    with pytest.raises(ValueError, match="line 1"):
        read_history(path)


def test_the_command_says_what_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--db", f"31=sqlite:///{tmp_path}/none.db"]) == 2
    assert "cannot be read" in capsys.readouterr().err
