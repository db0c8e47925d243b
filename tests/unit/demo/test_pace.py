"""The pace: from one moment to the next, never while anybody is at work, never back."""

import asyncio
from datetime import datetime, timedelta

import pytest

from nodes.business_time import SHANGHAI, HeldClock
from nodes.demo.pace import Pace
from regions.calendar import work_calendar

MONDAY = datetime(2026, 9, 14, 9, tzinfo=SHANGHAI)
HOLIDAY = datetime(2026, 10, 1, 9, tzinfo=SHANGHAI)


def pace(day_s: float = 0.0, start: datetime = MONDAY) -> Pace:
    return Pace(HeldClock(start), work_calendar(), day_s)


async def test_everybody_has_a_turn_at_his_own_moment_in_order() -> None:
    made, told = pace(), list[tuple[str, datetime]]()

    async def player(name: str, *hours: int) -> None:
        for hour in hours:
            await made.until(MONDAY + timedelta(hours=hour))
            told.append((name, made.clock.now()))

    await made.run([player("a", 1, 30), player("b", 2, 26), player("c", 2)])
    assert told == [
        ("a", MONDAY + timedelta(hours=1)),
        ("b", MONDAY + timedelta(hours=2)),
        ("c", MONDAY + timedelta(hours=2)),
        ("b", MONDAY + timedelta(hours=26)),
        ("a", MONDAY + timedelta(hours=30)),
    ]


async def test_time_stands_while_one_is_at_work() -> None:
    made, at_work = pace(), asyncio.Event()
    seen: list[datetime] = []

    async def slow() -> None:
        await made.until(MONDAY + timedelta(hours=1))
        await at_work.wait()
        seen.append(made.clock.now())

    async def other() -> None:
        await made.until(MONDAY + timedelta(hours=1))
        asyncio.get_running_loop().call_soon(at_work.set)
        await made.until(MONDAY + timedelta(hours=5))
        seen.append(made.clock.now())

    await made.run([slow(), other()])
    assert seen == [MONDAY + timedelta(hours=1), MONDAY + timedelta(hours=5)]


async def test_time_goes_on_only_when_the_nodes_are_quiet() -> None:
    made = pace()
    seen: list[datetime] = []

    async def quiet() -> None:
        seen.append(made.clock.now())

    made = Pace(HeldClock(MONDAY), work_calendar(), 0.0, quiet)

    async def player() -> None:
        await made.until(MONDAY + timedelta(hours=1))
        await made.until(MONDAY + timedelta(hours=2))

    await made.run([player()])
    assert seen == [MONDAY, MONDAY + timedelta(hours=1)]


async def test_a_moment_that_has_passed_is_no_reason_to_wait() -> None:
    made = pace()

    async def player() -> None:
        await made.until(MONDAY - timedelta(hours=1))
        assert made.clock.now() == MONDAY

    await made.run([player()])


async def test_a_mistake_of_one_ends_the_rehearsal() -> None:
    made = pace()

    async def wrong() -> None:
        raise RuntimeError("a mistake")

    async def waits() -> None:
        await made.until(MONDAY + timedelta(days=1))

    with pytest.raises(ExceptionGroup):
        await made.run([wrong(), waits()])


def test_a_working_day_takes_its_seconds_and_nights_and_days_off_none() -> None:
    made = pace(day_s=2.0)
    assert made.wall_s(MONDAY) == 0
    assert made.wall_s(MONDAY + timedelta(hours=9)) == 2.0
    assert made.wall_s(MONDAY + timedelta(hours=24)) == 2.0
    assert made.wall_s(MONDAY + timedelta(hours=4, minutes=30)) == 1.0
    off = pace(day_s=2.0, start=HOLIDAY)
    assert off.wall_s(HOLIDAY + timedelta(days=7)) == 0
    assert off.wall_s(HOLIDAY + timedelta(days=7, hours=9)) == 2.0
