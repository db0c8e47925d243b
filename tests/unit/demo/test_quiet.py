"""Quiet: nobody adds anything, and every mirror has what its owner has."""

import asyncio
import time

from nodes.demo import quiet as room
from nodes.demo.people import Place
from nodes.demo.quiet import agreed, apart, quiet
from tests.unit.demo.stage import NUMBER, entry, place


def places() -> dict[str, Place]:
    made = {region: place(region) for region in ("31", "32")}
    for where in made.values():
        where.docket.entries[NUMBER] = entry()
    return made


async def test_it_waits_until_the_mirror_has_followed() -> None:
    made = places()
    made["32"].docket.entries[NUMBER] = entry(version=11)
    waiting = asyncio.create_task(agreed(made, 5.0))
    await asyncio.sleep(0)
    assert not waiting.done()
    made["32"].docket.entries[NUMBER] = entry()
    assert await waiting == []


async def test_it_does_not_wait_for_ever() -> None:
    made = places()
    del made["32"].docket.entries[NUMBER]
    await quiet(made, 0.0)
    (left,) = await agreed(made, 0.0)
    assert (left.what, left.found, left.region) == ("mirror", "lost", "32")


async def test_a_desk_that_still_hears_something_is_not_quiet() -> None:
    made = places()
    began = time.monotonic()
    asyncio.get_running_loop().call_later(room.QUIET_S / 2, _hear, made["32"])
    await quiet(made, 5.0)
    assert time.monotonic() - began >= room.QUIET_S * 1.4


def _hear(where: Place) -> None:
    where.docket.changed += 1


async def test_an_owner_without_the_case_is_told() -> None:
    made = places()
    del made["31"].docket.entries[NUMBER]
    assert [(a.what, a.region) for a in apart(made)] == [("owner", "31")]
