"""What may befall messages: repeated, out of order, late, or never meant for anybody."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

from tests.fault.faults.arena import Arena, fault
from tests.fault.faults.clocks import SLOW
from tests.fault.faults.files import file_of, held
from tests.fault.faults.servers import broker
from tests.fault.faults.topics import Letter, appended, written

AT_ONCE: Final = 500
FEW: Final = 300
MANY: Final = 4_000
"""Ten times as many are what two cores throw away in some minutes, beside their traffic."""
HOUR: Final = timedelta(hours=1)


@contextmanager
def still(arena: Arena) -> Iterator[None]:
    """The bus gives and takes nothing."""
    if arena.servers is None:
        with held(file_of(arena.cluster.bus)):
            yield
        return
    broker(arena).pause()
    try:
        yield
    finally:
        broker(arena).resume()


@fault()
async def messages_repeated(arena: Arena) -> None:
    """Messages come again ten times, in any order, long after they were sent: some hundreds, or thousands."""
    await arena.lasts(2, 60)
    await _again(arena, times=10, only=MANY if arena.long else FEW)


@fault(only=SLOW, BUSINESS_CLOCK="own")
async def messages_late(arena: Arena) -> None:
    """Every message comes an hour late, and then what there was comes ten times, in any order."""
    for _ in range(5 if arena.long else 1):
        with still(arena):
            await arena.lasts(2, 30)
            for clock in arena.cluster.clocks.values():
                clock.move(HOUR)
        await arena.lasts(2, 10)
    await _again(arena, times=10, only=MANY)


async def _again(arena: Arena, times: int, only: int) -> None:
    """`only`: so many messages at the most."""
    there = await written(arena.cluster.bus)
    again = arena.rng.sample(there, min(only, len(there))) * times
    arena.rng.shuffle(again)
    for at in range(0, len(again), AT_ONCE):
        await appended(arena.cluster.bus, again[at : at + AT_ONCE], HOUR.total_seconds())
        await arena.lasts(0.05, 0.5)
    arena.note(f"{len(again)} messages came again")


@fault(may_park=True)
async def poison(arena: Arena) -> None:
    """Messages that nobody can read, in partitions that are busy: the partition goes on without them."""
    await arena.lasts(2, 10)
    good = [letter for letter in await written(arena.cluster.bus) if letter.value]
    bad = []
    for number in range(200 if arena.long else 40):
        letter = arena.rng.choice(good)
        said = {**dict(letter.headers), "ce_id": f"poison-{number}".encode(), "ce_source": b"/regions/99"}
        torn = (letter.value or b"")[: arena.rng.randrange(1, len(letter.value or b"12"))]
        headers = tuple(said.items()) if number % 2 else ()
        bad.append(Letter(letter.topic, letter.partition, letter.key, torn, headers))
    for at in range(0, len(bad), 10):
        await appended(arena.cluster.bus, bad[at : at + 10])
        await arena.lasts(0.2, 1)
    arena.note(f"{len(bad)} messages of rubbish")
