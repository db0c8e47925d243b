"""Nodes that are killed, paused, slowed, stopped and started while people file; regions of two processes."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from tests.fault.faults.arena import Arena, fault

TURN_S: Final = 0.5
"""Of a slowed process: it gets a hundredth of this, and stands still for the rest."""


@fault()
async def node_killed(arena: Arena) -> None:
    """Two nodes are killed (kill -9) one after the other and started again."""
    for node in arena.some(2):
        node.kill()
        await arena.lasts(0.5, 10)
        await asyncio.to_thread(node.start)


@fault()
async def all_killed(arena: Arena) -> None:
    """Every node is killed at the same moment, as in a power cut."""
    arena.cluster.kill()
    await arena.lasts(0.5, 10)
    await asyncio.to_thread(arena.cluster.start)


@fault()
async def node_paused(arena: Arena) -> None:
    """A node stands still (SIGSTOP) until its leases have ended, and goes on."""
    for node in arena.some(1):
        node.pause()
        await arena.lasts(3, 30)
        node.resume()


@fault()
async def node_slow(arena: Arena) -> None:
    """A node is a hundred times slower than the others."""
    (node,) = arena.some(1)
    until = time.monotonic() + (60 if arena.long else 5)
    try:
        while time.monotonic() < until:
            node.resume()
            await asyncio.sleep(TURN_S / 100)
            node.pause()
            await asyncio.sleep(TURN_S - TURN_S / 100)
    finally:
        node.resume()


@fault()
async def node_restarted(arena: Arena) -> None:
    """A node is stopped in good order and started again, twice: nothing is lost while it drains."""
    for node in arena.some(2):
        await asyncio.to_thread(node.stop)
        await asyncio.to_thread(node.start)


@fault()
async def nodes_come_and_go(arena: Arena) -> None:
    """Every few seconds a node leaves without a word and comes back."""
    for _ in range(12 if arena.long else 2):
        (node,) = arena.some(1)
        node.kill()
        await asyncio.to_thread(node.start)
        await arena.lasts(0.5, 5)


@fault()
async def two_relays(arena: Arena) -> None:
    """A region has two processes; one stands still beyond its leases and wakes; the other is killed."""
    (first,) = arena.some(1)
    second = arena.cluster.join(first.region, "two-relays")
    await asyncio.to_thread(second.start)
    await arena.lasts(1, 10)
    second.pause()
    await arena.lasts(3, 30)
    second.resume()
    await arena.lasts(0.5, 5)
    first.kill()
    await arena.lasts(1.5, 30)
    await asyncio.to_thread(first.start)
    await asyncio.to_thread(second.stop)


@fault()
async def members_come_and_go(arena: Arena) -> None:
    """Every few seconds a second process of a region joins, and leaves: in good order, or killed."""
    (first,) = arena.some(1)
    second = arena.cluster.join(first.region, "coming-and-going")
    for turn in range(12 if arena.long else 2):
        await asyncio.to_thread(second.start)
        await arena.lasts(1.5, 5)
        await asyncio.to_thread(second.kill if turn % 2 else second.stop)
        await arena.lasts(0.5, 5)
