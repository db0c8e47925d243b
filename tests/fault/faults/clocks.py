"""What may befall business time: it goes on while people work, it is wrong at one node, it jumps."""

from __future__ import annotations

from datetime import timedelta

from tests.fault.faults.arena import Arena, fault

OFF = timedelta(minutes=5)
SLOW = ("left", "uncorrected", "unsupplied", "race", "collected", "corrected")
"""Journeys that leave clocks running behind them."""


@fault(only=SLOW, BUSINESS_CLOCK="own")
async def days_go_by(arena: Arena) -> None:
    """Business time moves on by hours and days, over weekends and a holiday, while cases are under way."""
    for _ in range(400 if arena.long else 25):
        by = timedelta(minutes=arena.rng.randint(60, 36 * 60))
        for clock in arena.cluster.clocks.values():
            clock.move(by)
        await arena.lasts(0.2, 0.5)
    await arena.lasts(1, 5)
    for clock in arena.cluster.clocks.values():
        clock.move(timedelta(days=30))
    arena.note(f"it is {arena.cluster.business_now:%Y-%m-%d %H:%M}")


@fault(only=SLOW, BUSINESS_CLOCK="own")
async def clock_off(arena: Arena) -> None:
    """One clock is five minutes ahead, another behind; days go by; both jump, one of them back again."""
    ahead, behind = (arena.cluster.clocks[node.region] for node in arena.some(2))
    ahead.move(OFF)
    behind.move(-OFF)
    for _ in range(100 if arena.long else 12):
        by = timedelta(hours=arena.rng.randint(1, 20))
        for clock in arena.cluster.clocks.values():
            clock.move(by)
        await arena.lasts(0.3, 0.5)
    ahead.move(-OFF)
    behind.move(OFF)
    await arena.lasts(1, 5)
    behind.move(-OFF)
    await arena.lasts(1, 5)
    behind.move(OFF)
