"""Nodes that fail at a named point of the code: between two steps that no signal from outside can hit."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from tests.fault.cluster.node import NodeProcess
from tests.fault.faults.arena import Arena, fault

DIES_WITHIN_S = 30.0


async def _dies_at(arena: Arena, node: NodeProcess, point: str) -> None:
    """The node is started anew with that point armed, dies there, and is started without it."""
    times = arena.rng.randint(1, 4)
    await asyncio.to_thread(node.kill)
    await asyncio.to_thread(node.launch, {point: f"kill:{times}"})
    await asyncio.to_thread(node.await_death, DIES_WITHIN_S)
    await asyncio.to_thread(node.start)
    arena.note(f"{node.region} died at {point}, the {times}. time")


async def _die_at(arena: Arena, points: Sequence[str]) -> None:
    """Each at another node, at the same time."""
    nodes = arena.some(len(points))
    await asyncio.gather(*(_dies_at(arena, node, point) for node, point in zip(nodes, points, strict=True)))


async def _again(nodes: Sequence[NodeProcess], points: Mapping[str, str]) -> None:
    """All of them anew, at once."""
    for node in nodes:
        await asyncio.to_thread(node.kill)
    await asyncio.gather(*(asyncio.to_thread(node.start, points) for node in nodes))


@fault()
async def relay_killed(arena: Arena) -> None:
    """A relay is killed before it produces, between produce and mark-sent, and after the mark."""
    await _die_at(arena, ("relay.before_produce", "relay.after_produce", "relay.after_mark"))


@fault()
async def consumer_killed(arena: Arena) -> None:
    """A consumer is killed before it applies, between database and offset commit, and after both."""
    points = ("inbox.before_apply", "inbox.before_offset_commit", "inbox.after_offset_commit")
    await _die_at(arena, points)


@fault()
async def desk_killed(arena: Arena) -> None:
    """A node is killed just before it commits, and just after, before anybody is told."""
    await _die_at(arena, ("desk.before_commit", "desk.after_commit"))


@fault()
async def commit_unknown(arena: Arena) -> None:
    """Commits succeed and the node is told that they failed, one in three, at two nodes."""
    nodes = arena.some(2)
    await _again(nodes, {"desk.after_commit": "unknown:0.33"})
    await arena.lasts(4, 60)
    await _again(nodes, {})
