"""Nodes that are killed, paused, stopped and started while people file."""

from __future__ import annotations

import asyncio

from tests.fault.faults.arena import Arena, fault


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


@fault(LANE_LEASE_S="2")
async def node_paused(arena: Arena) -> None:
    """A node stands still (SIGSTOP) until its leases have ended, and goes on."""
    for node in arena.some(1):
        node.pause()
        await arena.lasts(4, 30)
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
    for _ in range(12 if arena.long else 3):
        (node,) = arena.some(1)
        node.kill()
        await asyncio.to_thread(node.start)
        await arena.lasts(0.5, 5)
