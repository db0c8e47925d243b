"""How far a federation is behind, moment by moment: what waits in outboxes, what lies unread on topics.

Reads databases and topics, never a node's word. Knows the bars of a fault: what was held back drains at twice
the rate at which it came, or faster, and the lag is under a second within a minute; after a fault so long
that what it held back may take longer to drain, within that time.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Final

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from tests.fault.checker.facts import INBOX
from tests.fault.looking import Unseen, looked

EVERY_S: Final = 0.25
LOOK_WITHIN_S: Final = 3.0
LAG_S: Final = 1.0
WITHIN_S: Final = 60.0
"""The lag is under LAG_S within so long after a fault, or within what the least rate of draining allows."""
DRAIN: Final = 2.0
"""Times the inflow, the least rate of draining."""
BACKLOG: Final = 100
"""Fewer messages than this are no backlog to speak of,"""
HELD_S: Final = 5.0
"""nor is what a shorter fault has held back."""

OUTBOX: Final = "SELECT count(*), min(created_wall_s) FROM outbox"
OFFSETS: Final = 'SELECT topic, "partition", next_offset FROM bus_offset'
ENDS: Final = (
    "SELECT t.name, p.number, p.next_offset FROM topic t JOIN partition p ON p.topic_id = t.id"
    f" WHERE t.name LIKE '{INBOX}%'"
)

Place = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Sample:
    """One look. `at`: wall seconds; `oldest_s`: age of what waits longest, 0 when nothing does; `waiting`:
    how many rows and messages.
    """

    at: float
    oldest_s: float
    waiting: int


@dataclass(frozen=True, slots=True)
class Reading:
    """What the bars say of one fault. `lag_s`: from its end until the lag was under a second, None: never.

    `backlog`: messages held back at its end; `drained_s`: from the first that moved until all had gone;
    `times`: rate of that over the rate at which they had come, None when there was no backlog. `within_s`:
    the time that the lag was given. `blind`: why nothing could be seen in it, "" when something could.
    """

    lag_s: float | None
    backlog: int
    drained_s: float
    times: float | None

    within_s: float = WITHIN_S
    blind: str = ""

    @property
    def broken(self) -> list[str]:
        """The bars that it missed, in words."""
        said = []
        if self.blind:
            said.append(f"nothing could be seen in {self.within_s:.0f} s: {self.blind}")
        elif self.lag_s is None:
            said.append(f"the lag was not under {LAG_S:g} s within {self.within_s:.0f} s")
        if self.times is not None and self.times < DRAIN:
            said.append(f"{self.backlog} held back drained at {self.times:.1f} times the inflow")
        return said


@dataclass
class Gauge:
    """Looks every EVERY_S while it is `open`. `databases`: region -> URL; `bus`: URL."""

    databases: Mapping[str, str]
    bus: str
    samples: list[Sample] = field(default_factory=list)
    failed: str = "it has not looked yet"
    _ends: dict[Place, list[tuple[float, int]]] = field(default_factory=dict)
    _links: dict[str, asyncpg.Connection] = field(default_factory=dict)
    _consumer: AIOKafkaConsumer | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Gauge]:
        """While it looks."""
        looking = asyncio.create_task(self._look_on())
        try:
            yield self
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
            for link in self._links.values():
                link.terminate()
            await self._forget_consumer()

    async def reading(self, began_ns: int, ended_ns: int) -> Reading:
        """What became of a fault, as soon as the federation has caught up, or when time is up."""
        ended = ended_ns / 1e9
        within_s = max(WITHIN_S, (ended_ns - began_ns) / 1e9 / DRAIN)
        deadline = time.monotonic() + within_s
        while True:
            after = [s for s in self.samples if s.at > ended]
            caught_up = next((s for s, t in pairwise(after) if _low(s) and _low(t)), None)
            gone = next((s for s in after if s.oldest_s < s.at - ended), None)
            if caught_up and gone:
                over = min(gone, caught_up, key=lambda s: s.at)
                return _read(self.samples, began_ns / 1e9, ended, caught_up.at - ended, over)
            if time.monotonic() > deadline:
                blind = "" if after else self.failed
                return Reading(None, after[-1].waiting if after else 0, 0.0, None, within_s, blind)
            await asyncio.sleep(EVERY_S / 2)

    async def calm(self, within_s: float) -> float | None:
        """Wall seconds until nothing that waits is older than LAG_S; None when it does not come to that."""
        began, wall = time.monotonic(), time.time()
        while time.monotonic() - began < within_s:
            late = [s for s in self.samples if s.at > wall]
            if any(_low(s) and _low(t) for s, t in pairwise(late)):
                return time.monotonic() - began
            await asyncio.sleep(EVERY_S / 2)
        return None

    async def _look_on(self) -> None:
        while True:
            try:
                self.samples.append(await looked(self._look, LOOK_WITHIN_S))
            except Unseen as error:
                self.failed = str(error)
                await self._forget_consumer()
            await asyncio.sleep(EVERY_S)

    async def _look(self) -> Sample:
        waiting, since = 0, float("inf")
        read: dict[Place, int] = {}
        for region, url in self.databases.items():
            (count, oldest), offsets = await self._database(region, url)
            waiting += count
            since = min(since, oldest or since)
            read |= {(topic, number): offset for topic, number, offset in offsets}
        now = time.time()
        for place, end in (await self._topic_ends()).items():
            known = self._ends.setdefault(place, [])
            if not known or known[-1][1] != end:
                known.append((now, end))
            offset = read.get(place, 0)
            while known and known[0][1] <= offset:
                del known[0]
            if known:
                waiting += end - offset
                since = min(since, known[0][0])
        return Sample(now, max(now - since, 0.0), waiting)

    async def _database(
        self, region: str, url: str
    ) -> tuple[tuple[int, float | None], list[tuple[str, int, int]]]:
        if url.startswith("sqlite:///"):
            return await asyncio.to_thread(_file, Path(url.removeprefix("sqlite:///")))
        link = self._links.get(region)
        if link is None or link.is_closed():
            link = self._links[region] = await asyncpg.connect(
                url.replace("postgresql+asyncpg:", "postgresql:", 1)
            )
        try:
            row = await link.fetchrow(OUTBOX)
            return (row[0], row[1]), [tuple(r) for r in await link.fetch(OFFSETS)]
        except BaseException:
            link.terminate()  # an answer may still come, to a question that nobody asks any more
            del self._links[region]
            raise

    async def _topic_ends(self) -> dict[Place, int]:
        if self.bus.startswith("sqlite:///"):
            return await asyncio.to_thread(_bus_ends, Path(self.bus.removeprefix("sqlite:///")))
        try:
            if self._consumer is None:
                servers = self.bus.removeprefix("kafka://")
                self._consumer = AIOKafkaConsumer(bootstrap_servers=servers, request_timeout_ms=2_000)
                await self._consumer.start()
            topics = [t for t in await self._consumer.topics() if t.startswith(INBOX)]
            places = [
                TopicPartition(t, n) for t in topics for n in self._consumer.partitions_for_topic(t) or ()
            ]
            ends = await self._consumer.end_offsets(places) if places else {}
        except BaseException:
            await self._forget_consumer()
            raise
        return {(place.topic, place.partition): end for place, end in ends.items()}

    async def _forget_consumer(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            stopping = asyncio.ensure_future(consumer.stop())
            await asyncio.wait([stopping], timeout=1.0)
            stopping.cancel()


def _low(sample: Sample) -> bool:
    return sample.oldest_s < LAG_S


def _read(samples: list[Sample], began: float, ended: float, lag_s: float, gone: Sample) -> Reading:
    """The backlog is the most that waited at a moment of the fault or right behind it."""
    there = [s for s in samples if began <= s.at <= ended] + [s for s in samples if s.at > ended][:1]
    backlog = max(s.waiting for s in there)
    moved = next((s for s in samples if s.at > ended and s.waiting < backlog), gone)
    drained_s = max(gone.at - moved.at, EVERY_S)
    lasted_s = ended - began
    if backlog < BACKLOG or lasted_s < HELD_S:
        return Reading(lag_s, backlog, drained_s, None)
    return Reading(lag_s, backlog, drained_s, (backlog / drained_s) / (backlog / lasted_s))


def _file(path: Path) -> tuple[tuple[int, float | None], list[tuple[str, int, int]]]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=1)) as link:
        count, oldest = link.execute(OUTBOX).fetchone()
        return (count, oldest), link.execute(OFFSETS).fetchall()


def _bus_ends(path: Path) -> dict[Place, int]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=1)) as link:
        return {(topic, number): end for topic, number, end in link.execute(ENDS)}


async def received(databases: Mapping[str, str], since: float, until: float) -> int:
    """Messages that regions took in between two wall times, by their databases."""
    text, found = "SELECT count(*) FROM inbox WHERE seen_wall_s BETWEEN {} AND {}", 0
    for url in databases.values():
        if url.startswith("sqlite:///"):
            with closing(sqlite3.connect(f"file:{url.removeprefix('sqlite:///')}?mode=ro", uri=True)) as link:
                found += link.execute(text.format("?", "?"), (since, until)).fetchone()[0]
            continue
        link = await asyncpg.connect(url.replace("postgresql+asyncpg:", "postgresql:", 1))
        try:
            found += await link.fetchval(text.format("$1", "$2"), since, until)
        finally:
            await link.close()
    return found
