"""What may befall the network: slow and lossy, cut one way, cut whole; between nodes, to the broker, to the
database.

A cut one way leaves connections open whose bytes no longer arrive. Everything comes back in the end.
"""

from __future__ import annotations

import asyncio
from typing import Final

from tests.fault.faults.arena import SERVERS, Arena, fault
from tests.fault.faults.papers import Papers
from tests.fault.proxy.proxy import Weather

SLOW: Final = Weather(delay_s=0.5, loss=0.05, reset=0.002)
DEAF: Final = Weather(to_server=False)
MUTE: Final = Weather(to_client=False)
CUT: Final = Weather(open=False)


async def _befalls(arena: Arena, what: str, weather: Weather, short_s: float, long_s: float) -> None:
    """That weather between two nodes, chosen by the seed, and the servers of this name."""
    names = [f"{node.region}>{what}" for node in arena.some(2)]
    arena.net.now(weather, *names)
    try:
        await arena.lasts(short_s, long_s)
    finally:
        arena.net.clear()
    arena.note(f"{' and '.join(names)}, {arena.net.accepted(*names)} connections")


@fault(SERVERS, wired=True, files_on=True)
async def broker_slow(arena: Arena) -> None:
    """Half a second each way between two nodes and the broker; one packet in twenty is lost, some resets."""
    await _befalls(arena, "bus", SLOW, 5, 60)


@fault(SERVERS, wired=True, files_on=True)
async def broker_deaf(arena: Arena) -> None:
    """Nothing that two nodes say reaches the broker; their connections stay open."""
    await _befalls(arena, "bus", DEAF, 4, 60)


@fault(SERVERS, wired=True, files_on=True)
async def broker_mute(arena: Arena) -> None:
    """What two nodes say reaches the broker, its answers do not reach them."""
    await _befalls(arena, "bus", MUTE, 4, 60)


@fault(SERVERS, wired=True, files_on=True)
async def broker_cut_off(arena: Arena) -> None:
    """Two nodes are cut off from the broker, and find it again."""
    await _befalls(arena, "bus", CUT, 4, 60)


@fault(SERVERS, wired=True)
async def database_slow(arena: Arena) -> None:
    """Half a second each way between two nodes and their databases, with loss and resets."""
    await _befalls(arena, "database", SLOW, 4, 60)


@fault(SERVERS, wired=True)
async def database_deaf(arena: Arena) -> None:
    """Nothing that two nodes say reaches their databases; their connections stay open."""
    await _befalls(arena, "database", DEAF, 3, 60)


@fault(SERVERS, wired=True)
async def database_mute(arena: Arena) -> None:
    """Two nodes' commits reach their databases, the answers do not come: committed, or not?"""
    await _befalls(arena, "database", MUTE, 3, 60)


@fault(SERVERS, wired=True)
async def database_cut_off(arena: Arena) -> None:
    """Two nodes are cut off from their databases, and find them again."""
    await _befalls(arena, "database", CUT, 3, 60)


@fault(wired=True, files_on=True)
async def peers_apart(arena: Arena) -> None:
    """Two nodes cannot talk: slow, deaf, mute, cut. Papers and traces say so; cases go on by the bus."""
    origin, competent = (node.region for node in arena.some(2))
    ways = (f"{origin}>{competent}", f"{competent}>{origin}")
    silent = [(DEAF, "deaf"), (MUTE, "mute")]
    if not arena.long:
        silent = [arena.rng.choice(silent)]
    async with Papers(arena.cluster, origin, competent).opened() as papers:
        for weather, word in ((SLOW, "slow"), *silent, (CUT, "cut")):
            paper = await papers.filed(arena.rng.randbytes(300_000))
            arena.net.now(weather, *ways)
            try:
                here = asyncio.create_task(papers.brought(paper))
                missing = await papers.missing(paper)
                said = await here
                await arena.lasts(0, 10)
            finally:
                arena.net.clear()
            if weather is not SLOW:
                arena.holds(said == "UNAVAILABLE", f"{word}: the paper was answered by {said or 'itself'}")
                arena.holds(missing == {origin}, f"{word}: the trace lacks {missing or 'nothing'}")
            arena.holds(await papers.comes(paper), f"{word}: the paper did not come when the peer was back")
            arena.note(f"{word}: the paper {'came' if not said else 'had to wait'}")
