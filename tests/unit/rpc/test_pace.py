"""How fast one caller may go, on a clock that is moved."""

from __future__ import annotations

import pytest

from nodes.rpc.pace import Pace


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_then_the_rate_and_who_waits_is_told_how_long() -> None:
    clock = Clock()
    pace = Pace(4.0, clock_s=clock)
    assert [pace.take("a") for _ in range(4)] == [0.0] * 4
    assert pace.take("a") == pytest.approx(0.25)
    assert pace.take("b") == 0.0
    clock.now = 0.25
    assert pace.take("a") == 0.0
    assert pace.take("a") == pytest.approx(0.25)


def test_who_is_refused_has_lost_nothing_by_asking() -> None:
    clock = Clock()
    pace = Pace(1.0, clock_s=clock)
    assert pace.take("a") == 0.0
    assert [pace.take("a") for _ in range(50)] == [pytest.approx(1.0)] * 50
    clock.now = 1.0
    assert pace.take("a") == 0.0


def test_no_rate_is_no_limit_and_remembers_nobody() -> None:
    pace = Pace(0)
    assert {pace.take(n) for n in range(100)} == {0.0}
    assert len(pace) == 0


def test_invented_names_do_not_fill_the_memory() -> None:
    clock = Clock()
    pace = Pace(10.0, clock_s=clock, most=50)
    for n in range(1_000):
        clock.now += 0.0001
        assert pace.take(n) == 0.0
    assert len(pace) <= 50


def test_who_was_quiet_is_forgotten() -> None:
    clock = Clock()
    pace = Pace(10.0, clock_s=clock)
    for n in range(20):
        pace.take(n)
    clock.now = 10.0
    for _ in range(20):
        clock.now += 1.0
        pace.take("other")
    assert len(pace) <= 2
