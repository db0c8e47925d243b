"""What the databases have of a run's cases, read by SQL alone: a lifecycle counts only if it is there whole.

Knows the tables case_row, case_event, ask and span. Takes no node's word for anything.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import asyncpg

AT_ONCE = 1000
CASES = "SELECT number, state, version, last_hash FROM case_row WHERE number {among}"
EVENTS = "SELECT number, version, hash FROM case_event WHERE number {among} ORDER BY number, version"
ENDS = (
    "SELECT case_number, max(end_ns) FROM span WHERE case_number {among} AND name LIKE 'process %'"
    " GROUP BY case_number"
)
ASKS = "SELECT case_number, count(*) FROM ask WHERE case_number {among} GROUP BY case_number"
OPEN = "SELECT count(*) FROM case_row WHERE state <> 'closed' AND number {among}"


@dataclass(slots=True)
class Copy:
    """One region's copy of a case. hashes: of its events, in order; asks: how many; ended_s: when its last
    message was handled there, wall seconds, 0 when none was.
    """

    state: str
    version: int
    last_hash: bytes
    hashes: list[bytes] = field(default_factory=list)
    asks: int = 0
    ended_s: float = 0.0


async def ask(url: str, query: str, numbers: Sequence[str]) -> list[Sequence[Any]]:
    """The rows of a query in which `{among}` stands for these numbers."""
    if url.startswith("sqlite:///"):
        text = query.format(among="IN (SELECT value FROM json_each(?))")
        with closing(sqlite3.connect(f"file:{url.removeprefix('sqlite:///')}?mode=ro", uri=True)) as link:
            return list(link.execute(text, (json.dumps(list(numbers)),)))
    # Reading whole tables for the sake of a thousand cases would be put down to the nodes' PostgreSQL.
    link = await asyncpg.connect(url, server_settings={"enable_seqscan": "off"})
    try:
        return list(await link.fetch(query.format(among="= ANY($1::text[])"), list(numbers)))
    finally:
        await link.close()


async def unfinished(url: str, numbers: Sequence[str]) -> int:
    """How many of these cases are not closed in a region's database."""
    return sum([(await ask(url, OPEN, some))[0][0] for some in _parts(numbers)])


async def copies(url: str, numbers: Sequence[str]) -> dict[str, Copy]:
    """A region's copies of these cases."""
    found: dict[str, Copy] = {}
    for some in _parts(numbers):
        for number, state, version, last_hash in await ask(url, CASES, some):
            found[number] = Copy(state, version, bytes(last_hash))
        for number, _, event_hash in await ask(url, EVENTS, some):
            if number in found:
                found[number].hashes.append(bytes(event_hash))
        for number, asks in await ask(url, ASKS, some):
            if number in found:
                found[number].asks = asks
        for number, end_ns in await ask(url, ENDS, some):
            if number in found:
                found[number].ended_s = end_ns / 1e9
    return found


def whole(origin: Copy | None, competent: Copy | None, events: int, asks: int) -> bool:
    """Whether both regions have the case closed, with the same events and asks, exactly so many of each."""
    if origin is None or competent is None:
        return False
    return (
        origin.state == competent.state == "closed"
        and origin.version == competent.version == len(origin.hashes) == events
        and origin.asks == competent.asks == asks
        and origin.hashes == competent.hashes
        and origin.last_hash == competent.last_hash == origin.hashes[-1]
    )


def _parts(numbers: Sequence[str]) -> list[Sequence[str]]:
    return [numbers[at : at + AT_ONCE] for at in range(0, len(numbers), AT_ONCE)]
