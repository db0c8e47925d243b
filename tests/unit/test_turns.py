"""Turns of the loop: work pauses when it is time, and the longer the more calls come in."""

from __future__ import annotations

import asyncio
import time

import pytest

from nodes import turns
from nodes.turns import Turns


async def others(done: list[int], each: int = 1) -> None:
    while True:
        done[0] += each
        await asyncio.sleep(0)


async def worked(of: Turns, done: list[int]) -> int:
    """Turns that others had while it paused after enough work."""
    of.begin()
    busy_until = time.perf_counter() + turns.WORK_S
    while time.perf_counter() < busy_until:
        pass
    before = done[0]
    await of.pause()
    return done[0] - before


async def test_short_work_does_not_pause() -> None:
    of, done = Turns(), [0]
    task = asyncio.create_task(others(done))
    of.begin()
    await of.pause()
    assert done == [0]
    task.cancel()


async def test_long_work_gives_others_turns_enough_to_take_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "PAUSE_S", 10.0)  # however busy the machine is
    of, done = Turns(), [0]
    task = asyncio.create_task(others(done))
    assert await worked(of, done) >= turns.TAKEN_IN
    task.cancel()


async def test_while_calls_come_in_it_pauses_longer_but_not_for_ever() -> None:
    of, done = Turns(), [0]

    async def calls() -> None:
        while True:
            of.arrived()
            await asyncio.sleep(0)

    tasks = [asyncio.create_task(others(done)), asyncio.create_task(calls())]
    assert await worked(of, done) > turns.TAKEN_IN
    for task in tasks:
        task.cancel()
