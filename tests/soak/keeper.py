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
from typing import Any, Final, Generic, TypeVar

from tests.fault.checker.database import answer_of, read_rows
from tests.fault.checker.facts import Answer, Parked, Partition, Region, Restore, Span, World
from tests.fault.checker.topics import read_topics
from tests.fault.looking import Unseen, looked

EVERY_S: Final = 15.0
WITHIN_S: Final = 20.0
"""A look at servers that are away is given up then, and made anew."""
LATE_S: Final = 10.0
"""A row may be written so long after the time that it names."""
SELECTS: Final = {
    "answer": "SELECT client, request_id, answer, created_wall_s FROM answer WHERE answer IS NOT NULL",
    "span": "SELECT span_id, trace_id, parent_span_id, case_number, name, start_ns FROM span",
    "letter": "SELECT id, coalesce(case_number, ''), source, topic, \"partition\", log_offset, reason,"
    " highest_seen, state, parked_wall_s FROM parked",
    "open": "SELECT number FROM case_row WHERE open",
    "incarnation": "SELECT value FROM node_meta WHERE key = 'incarnation'",
    "restoring": "SELECT value FROM node_meta WHERE key = 'restoring'",
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
    """A row as it was last seen, when it was written, wall seconds, and the node's incarnation then."""

    row: Row
    at: float
    incarnation: str


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
    incarnation: str = ""


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
    _said: list[tuple[str, Kept[Any] | None, str]] = field(default_factory=list)

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
        return [text for region, kept, text in self._said if kept is None or not self._undone(region, kept)]

    async def look(self) -> None:
        """Everything that there is now. Raises what reading raises."""
        ends = {place: partition.end for place, partition in self.topics.items()}
        self._messages(await read_topics(self.bus, ends))
        for region, url in self.databases.items():
            rows = await read_rows(url, SELECTS)
            if rows["restoring"] or not rows["incarnation"]:
                continue  # it is being put back
            age = rows["incarnation"][0][0]
            found = Memory(
                answers={(r[0], r[1]): Kept(answer_of(tuple(r)[:3]), r[3], age) for r in rows["answer"]},
                spans={r[0]: Kept(Span(region, *tuple(r)[:5]), r[5] / 1e9, age) for r in rows["span"]},
                letters={r[0]: Kept(Parked(*tuple(r)[:9]), r[9], age) for r in rows["letter"]},
                incarnation=age,
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
            with suppress(Unseen):
                await looked(self.look, WITHIN_S)
            await asyncio.sleep(EVERY_S)

    def _messages(self, found: Iterable[Partition]) -> None:
        for new in found:
            place = new.topic, new.number
            known = self.topics.get(place)
            if known is None:
                known = replace(new, end=0, first=0, records=())
            if new.incarnation != known.incarnation:
                self._said.append(("", None, f"{new.topic}/{new.number} was made anew"))
            if new.first > known.end:
                text = f"{new.topic}/{new.number}: {known.end} to {new.first} went unseen"
                self._said.append(("", None, text))
            more = [record for record in new.records if record.offset >= known.end]
            self.topics[place] = replace(
                known, incarnation=new.incarnation, end=new.end, records=[*known.records, *more]
            )

    def _database(self, region: str, found: Memory, under_way: frozenset[str], now: float) -> None:
        kept = self.regions.setdefault(region, Memory())
        for key in kept.there - found.answers.keys():
            answer = kept.answers[key]
            if now - answer.at < self.ages.answers_s:
                text = f"{region}: answer {key[1]} went after {now - answer.at:.0f} s"
                self._said.append((region, answer, text))
        for key in kept.there & found.answers.keys():
            if kept.answers[key].row != found.answers[key].row:
                self._said.append((region, kept.answers[key], f"{region}: answer {key[1]} is another"))
        for each in kept.waiting - found.letters.keys():
            letter = kept.letters[each]
            if letter.row.state == "parked" or now - letter.at < self.ages.letters_s:
                text = f"{region}: letter {each} went {letter.row.state} after {now - letter.at:.0f} s"
                self._said.append((region, letter, text))
        self._traces(region, kept, found.spans, under_way, now)
        kept.answers |= found.answers
        kept.spans |= found.spans
        kept.letters |= found.letters
        kept.incarnation = found.incarnation
        kept.there, kept.hops, kept.waiting = set(found.answers), set(found.spans), set(found.letters)

    def _traces(
        self, region: str, kept: Memory, spans: Mapping[str, Kept[Span]], under_way: frozenset[str],
        now: float,
    ) -> None:  # fmt: skip
        """A trace goes as a whole, when all its cases have ended and its last hop is old enough."""
        gone: dict[str, Kept[Span]] = {}
        for each in kept.hops - spans.keys():
            hop = kept.spans[each]
            first = gone.setdefault(hop.row.trace_id, hop)
            gone[hop.row.trace_id] = min(first, hop, key=lambda k: k.at)
        if not gone:
            return
        said: set[tuple[str, str]] = set()
        for each in kept.hops:
            hop = kept.spans[each]
            trace = hop.row.trace_id
            if trace not in gone:
                continue
            if each in spans:
                said.add((trace, f"trace {trace} was cut in two"))
            elif hop.row.case_number in under_way:
                said.add((trace, f"the trace of open {hop.row.case_number} went"))
            if now - hop.at < self.ages.spans_s:
                said.add((trace, f"trace {trace} went before its time"))
        self._said += [(region, gone[trace], f"{region}: {text}") for trace, text in sorted(said)]

    def _undone(self, region: str, kept: Kept[Any]) -> bool:
        """Whether it went with a restored backup: written behind it, and not seen any more since."""
        return kept.incarnation != self.regions[region].incarnation and any(
            r.region == region and r.backup_ns / 1e9 - LATE_S <= kept.at <= r.restored_ns / 1e9
            for r in self.restores
        )

    def _filled(self, region: Region) -> Region:
        kept = self.regions.get(region.code, Memory())
        answers = {**self._lasting(region.code, kept.answers), **region.answers}
        spans = self._lasting(region.code, kept.spans) | {span.span_id: span for span in region.spans}
        letters = self._lasting(region.code, kept.letters) | {each.id: each for each in region.parked}
        return replace(region, answers=answers, spans=list(spans.values()), parked=list(letters.values()))

    def _lasting(self, region: str, rows: Mapping[K, Kept[Row]]) -> dict[K, Row]:
        return {key: kept.row for key, kept in rows.items() if not self._undone(region, kept)}
