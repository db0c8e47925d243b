"""Collects, while the soak runs, what the nodes may forget in time: messages, answers, spans, dead letters.

So the checker sees all that there ever was, though topics and databases have been trimmed. What goes before
its time, or is cut out of the midst of a trace, is told. Knows the ages that the nodes were given.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Final, Generic, TypeVar

from tests.fault.checker.database import answer_of, read_rows
from tests.fault.checker.facts import Answer, Parked, Partition, Region, Restore, Span, World
from tests.fault.checker.topics import read_topics
from tests.fault.gauge import NOT_NOW

EVERY_S: Final = 15.0
WITHIN_S: Final = 20.0
"""A look at servers that are away is given up then, and made anew."""
EDGE_S: Final = 1.0
"""A backup is taken within so long of the time that it names."""
SELECTS: Final = {
    "answer": "SELECT client, request_id, answer, created_wall_s FROM answer WHERE answer IS NOT NULL",
    "span": "SELECT span_id, trace_id, parent_span_id, case_number, name, start_ns FROM span",
    "letter": "SELECT id, coalesce(case_number, ''), source, topic, \"partition\", log_offset, reason,"
    " highest_seen, state, parked_wall_s FROM parked",
    "open": "SELECT number FROM case_row WHERE open",
}
Place = tuple[str, int]
Key = tuple[str, str]
K = TypeVar("K")
Row = TypeVar("Row", Answer, Span, Parked)


@dataclass(frozen=True, slots=True)
class Ages:
    """How long answers, spans and settled letters are kept at least, seconds of wall time."""

    answers_s: float
    spans_s: float
    letters_s: float


@dataclass(frozen=True, slots=True)
class Kept(Generic[Row]):
    """A row as it was last seen, and when it was written, wall seconds."""

    row: Row
    at: float


@dataclass(slots=True)
class Memory:
    """One region's rows: all that were ever seen; `there`: the answers, `hops`: the spans, `waiting`:
    the letters of the last look."""

    answers: dict[Key, Kept[Answer]] = field(default_factory=dict)
    spans: dict[str, Kept[Span]] = field(default_factory=dict)
    letters: dict[str, Kept[Parked]] = field(default_factory=dict)
    there: set[Key] = field(default_factory=set)
    hops: set[str] = field(default_factory=set)
    waiting: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Keeper:
    """`databases`: region -> URL; `bus`: URL; `restores`: the cluster's own list, which may grow."""

    databases: Mapping[str, str]
    bus: str
    ages: Ages
    restores: Sequence[Restore] = ()
    topics: dict[Place, Partition] = field(default_factory=dict)
    regions: dict[str, Memory] = field(default_factory=dict)
    looks: int = 0
    _said: list[tuple[str, float, str]] = field(default_factory=list)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Keeper]:
        """While it collects."""
        looking = asyncio.create_task(self._look_on())
        try:
            yield self
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)

    @property
    def broken(self) -> list[str]:
        """What went that should have stayed, but for what a restored backup has undone."""
        return [text for region, at, text in self._said if not self._undone(region, at)]

    async def look(self) -> None:
        """Everything that there is now. Raises what reading raises."""
        ends = {place: partition.end for place, partition in self.topics.items()}
        self._messages(await read_topics(self.bus, ends))
        for region, url in self.databases.items():
            rows = await read_rows(url, SELECTS)
            found = Memory(
                answers={(r[0], r[1]): Kept(answer_of(tuple(r)[:3]), r[3]) for r in rows["answer"]},
                spans={r[0]: Kept(Span(region, *tuple(r)[:5]), r[5] / 1e9) for r in rows["span"]},
                letters={r[0]: Kept(Parked(*tuple(r)[:9]), r[9]) for r in rows["letter"]},
            )
            self._database(region, found, frozenset(r[0] for r in rows["open"]), time.time())
        self.looks += 1

    def whole(self, world: World) -> World:
        """What was read of the end, with all that was collected before."""
        if world.partitions is not None:
            self._messages(world.partitions)
        regions = {code: self._filled(region) for code, region in world.regions.items()}
        partitions = None if world.partitions is None else list(self.topics.values())
        return replace(world, partitions=partitions, regions=regions)

    async def _look_on(self) -> None:
        while True:
            with suppress(*NOT_NOW):
                async with asyncio.timeout(WITHIN_S):
                    await self.look()
            await asyncio.sleep(EVERY_S)

    def _messages(self, found: Iterable[Partition]) -> None:
        for new in found:
            place = new.topic, new.number
            known = self.topics.get(place)
            if known is None:
                known = replace(new, end=0, first=0, records=())
            if new.incarnation != known.incarnation:
                self._said.append(("", 0.0, f"{new.topic}/{new.number} was made anew"))
            if new.first > known.end:
                text = f"{new.topic}/{new.number}: {known.end} to {new.first} went unseen"
                self._said.append(("", 0.0, text))
            more = [record for record in new.records if record.offset >= known.end]
            self.topics[place] = replace(
                known, incarnation=new.incarnation, end=new.end, records=[*known.records, *more]
            )

    def _database(self, region: str, found: Memory, under_way: frozenset[str], now: float) -> None:
        kept = self.regions.setdefault(region, Memory())
        for key in kept.there - found.answers.keys():
            at = kept.answers[key].at
            if now - at < self.ages.answers_s:
                self._said.append((region, at, f"{region}: answer {key[1]} went after {now - at:.0f} s"))
        for key in kept.there & found.answers.keys():
            if kept.answers[key].row != found.answers[key].row:
                self._said.append((region, kept.answers[key].at, f"{region}: answer {key[1]} is another"))
        for each in kept.waiting - found.letters.keys():
            letter, at = kept.letters[each].row, kept.letters[each].at
            if letter.state == "parked" or now - at < self.ages.letters_s:
                text = f"{region}: letter {each} went {letter.state} after {now - at:.0f} s"
                self._said.append((region, at, text))
        self._traces(region, kept, found.spans, under_way, now)
        kept.answers |= found.answers
        kept.spans |= found.spans
        kept.letters |= found.letters
        kept.there, kept.hops, kept.waiting = set(found.answers), set(found.spans), set(found.letters)

    def _traces(
        self, region: str, kept: Memory, spans: Mapping[str, Kept[Span]], under_way: frozenset[str],
        now: float,
    ) -> None:  # fmt: skip
        """A trace goes as a whole, when all its cases have ended and its last hop is old enough."""
        traces = {kept.spans[each].row.trace_id for each in kept.hops - spans.keys()}
        if not traces:
            return
        last: dict[str, float] = {}
        for each in kept.hops:
            hop = kept.spans[each].row
            if hop.trace_id not in traces:
                continue
            last[hop.trace_id] = max(last.get(hop.trace_id, 0.0), kept.spans[each].at)
            at = kept.spans[each].at
            if each in spans:
                self._said.append((region, at, f"{region}: trace {hop.trace_id} was cut in two"))
            elif hop.case_number in under_way:
                self._said.append((region, at, f"{region}: the trace of open {hop.case_number} went"))
        for trace, at in last.items():
            if now - at < self.ages.spans_s:
                self._said.append((region, at, f"{region}: trace {trace} went after {now - at:.0f} s"))

    def _undone(self, region: str, at: float) -> bool:
        """Whether what was written then went with a restored backup."""
        return any(
            r.region == region and r.backup_ns / 1e9 - EDGE_S <= at <= r.restored_ns / 1e9 + EDGE_S
            for r in self.restores
        )

    def _filled(self, region: Region) -> Region:
        kept = self.regions.get(region.code, Memory())
        answers = {**self._lasting(region.code, kept.answers), **region.answers}
        spans = self._lasting(region.code, kept.spans) | {span.span_id: span for span in region.spans}
        letters = self._lasting(region.code, kept.letters) | {each.id: each for each in region.parked}
        return replace(region, answers=answers, spans=list(spans.values()), parked=list(letters.values()))

    def _lasting(self, region: str, rows: Mapping[K, Kept[Row]]) -> dict[K, Row]:
        return {key: kept.row for key, kept in rows.items() if not self._undone(region, kept.at)}
