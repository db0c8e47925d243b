"""The clock that a rehearsal moves: it stands, goes forward only, and is read by other processes."""

import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from nodes.business_time import SHANGHAI, BusinessClock, HeldClock

START = datetime(2026, 9, 14, 9, tzinfo=SHANGHAI)
LATER = START + timedelta(days=2, microseconds=1)


def test_it_stands_until_it_is_moved() -> None:
    clock = HeldClock(START)
    assert clock.now() == START
    clock.move(LATER)
    assert clock.now() == LATER
    assert not clock.real


def test_it_does_not_go_back() -> None:
    clock = HeldClock(LATER)
    with pytest.raises(ValueError, match="does not go back"):
        clock.move(START)
    assert clock.now() == LATER


def test_what_is_due_is_due_at_once_and_what_is_not_is_looked_at_again() -> None:
    clock = HeldClock(START)
    assert clock.wall_seconds_until(START) == 0.0
    assert 0 < clock.wall_seconds_until(LATER) < 1


def test_others_read_it_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "clock"
    clock = HeldClock(START, path)
    other = HeldClock.shared(path)
    clock.move(LATER)
    assert other.now() == LATER
    assert HeldClock.shared(path).now() == LATER


def test_a_file_that_is_no_clock_is_refused(tmp_path: Path) -> None:
    (tmp_path / "clock").write_bytes(b"")
    with pytest.raises(ValueError, match="no clock"):
        HeldClock.shared(tmp_path / "clock")
    with pytest.raises(FileNotFoundError):
        HeldClock.shared(tmp_path / "none")


def test_two_held_clocks_of_one_process_do_not_share() -> None:
    one, two = HeldClock(START), HeldClock(START)
    one.move(LATER)
    assert two.now() == START


def test_business_time_runs_at_its_rate() -> None:
    clock = BusinessClock(START, time.time(), 86_400.0)
    assert clock.now() > START
    assert clock.wall_seconds_until(clock.now() + timedelta(days=1)) == pytest.approx(1.0, abs=0.1)
    with pytest.raises(ValueError, match="rate"):
        BusinessClock(START, 0.0, 0.0)
