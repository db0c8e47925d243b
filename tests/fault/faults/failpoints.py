"""Nodes that fail at a named point of the code: between two steps that no signal from outside can hit."""

from __future__ import annotations

import asyncio

from tests.fault.cluster.node import NodeProcess
from tests.fault.faults.arena import Arena, fault

DIES_WITHIN_S = 30.0


async def dies_at(arena: Arena, node: NodeProcess, point: str) -> None:
    """The node is started anew with that point armed, dies there, and is started without it."""
    times = arena.rng.randint(1, 4)
    await asyncio.to_thread(node.kill)
    await asyncio.to_thread(node.launch, {point: f"kill:{times}"})
    await asyncio.to_thread(node.await_death, DIES_WITHIN_S)
    await asyncio.to_thread(node.start)
    arena.note(f"{node.region} died at {point}, the {times}. time")


@fault()
async def relay_killed(arena: Arena) -> None:
    """A relay is killed before it produces, between produce and mark-sent, and after the mark."""
    points = ("relay.before_produce", "relay.after_produce", "relay.after_mark")
    for node, point in zip(arena.some(3), points, strict=True):
        await dies_at(arena, node, point)


@fault()
async def consumer_killed(arena: Arena) -> None:
    """A consumer is killed before it applies, between database and offset commit, and after both."""
    points = ("inbox.before_apply", "inbox.before_offset_commit", "inbox.after_offset_commit")
    for node, point in zip(arena.some(3), points, strict=True):
        await dies_at(arena, node, point)


@fault()
async def desk_killed(arena: Arena) -> None:
    """A node is killed just before it commits, and just after, before anybody is told."""
    for node, point in zip(arena.some(2), ("desk.before_commit", "desk.after_commit"), strict=True):
        await dies_at(arena, node, point)


@fault()
async def commit_unknown(arena: Arena) -> None:
    """Commits succeed and the node is told that they failed, one in three, at two nodes."""
    nodes = arena.some(2)
    for node in nodes:
        await asyncio.to_thread(node.kill)
        await asyncio.to_thread(node.start, {"desk.after_commit": "unknown:0.33"})
    await arena.lasts(6, 60)
    for node in nodes:
        await asyncio.to_thread(node.kill)
        await asyncio.to_thread(node.start)
