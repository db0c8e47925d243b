"""What the other regions know of this one, asked for over the bus: marks, pages of heads, events.

Knows who has answered what, and what is still wanted. Must not know the database: what comes in is handed
on. Marks go into every partition of another region's inbox; once all of them are back, nothing that this
region ever sent is still under way there, and the heads that are told then are the last word.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from broker.bus import EventBus, Message
from broker.topics import inbox
from nodes.cases.errors import Code
from nodes.codec.carry import carry, recall_subject
from nodes.codec.exchange import (
    AskRefused,
    CaseHead,
    Exchange,
    GapRequest,
    Recall,
    Recalled,
    encode_exchange,
)

MANY_MARKS: Final = 4
"""So many times the partitions: keys that fall into them by chance hit all of them, or come once more."""
AT_ONCE: Final = 100
"""Cases whose events are asked for at the same time."""
TRIES: Final = 6
"""How often the events of a case are asked for."""


@dataclass(slots=True)
class Neighbour:
    """Another region. `marks`: number -> the partition it lies in; `hit`: partitions whose mark came back;
    `after`: the page that is wanted; `heads`: what it told; `unread`: it does not know the question, because
    its contract is an older one.
    """

    region: str
    partitions: int = 0
    marks: dict[int, int] = field(default_factory=dict)
    hit: set[int] = field(default_factory=set)
    after: str = ""
    told: bool = False
    unread: bool = False
    heads: dict[str, int] = field(default_factory=dict)

    @property
    def has_read(self) -> bool:
        """Whether everything that was ever sent to it is taken in there."""
        return bool(self.partitions) and len(self.hit) >= self.partitions


@dataclass(slots=True)
class Wanted:
    """A case of which another region knows more. `version`: how much; `of`: who; `known`: what is here."""

    version: int
    of: list[str]
    known: int
    tries: int = 0
    asked_at: float = 0.0


class Recalling:
    """One attempt. `since`: business time, see exchange.proto; `resend_after_s`: patience with an answer."""

    def __init__(
        self, bus: EventBus, region: str, others: Iterable[str], *, attempt: str, since: datetime | None,
        resend_after_s: float,
    ) -> None:  # fmt: skip
        self._bus, self._region, self._attempt = bus, region, attempt
        self._since, self._resend_after_s = since, resend_after_s
        self.neighbours = {other: Neighbour(other) for other in others if other != region}
        self.wanted: dict[str, Wanted] = {}
        self.given_up: set[str] = set()
        self._sent = 0
        self._asked_at: dict[str, float] = {}

    @property
    def missing(self) -> Sequence[str]:
        """Regions that have not told everything."""
        return [n.region for n in self.neighbours.values() if not n.told]

    @property
    def awaited(self) -> Sequence[str]:
        """Those of them that may still answer."""
        return [n.region for n in self.neighbours.values() if not n.told and not n.unread]

    @property
    def unread(self) -> Sequence[str]:
        """Those of them that do not know the question."""
        return [n.region for n in self.neighbours.values() if n.unread]

    @property
    def done(self) -> bool:
        """Whether all have answered who can, and everything that is wanted is here."""
        return not self.awaited and not self.wanted

    async def ask(self) -> None:
        """Whatever is to be asked now, or once more. Raises BusError."""
        now = time.monotonic()
        for other in self.neighbours.values():
            if other.told or other.unread:
                continue
            if now - self._asked_at.get(other.region, 0.0) < self._resend_after_s:
                continue
            await (self._page(other) if other.has_read else self._mark(other))
            self._asked_at[other.region] = now
        messages = []
        for number, want in list(self.wanted.items())[:AT_ONCE]:
            if now - want.asked_at < self._resend_after_s:
                continue
            if want.tries >= TRIES:
                self.give_up(number)
                continue
            of = want.of[want.tries % len(want.of)]
            want.tries, want.asked_at = want.tries + 1, now
            gap = GapRequest(case_number=number, from_version=want.known + 1)
            messages.append(self._message(gap, "gap_request", of, number))
        if messages:
            await self._bus.publish(messages)

    async def _mark(self, other: Neighbour) -> None:
        lags = await self._bus.lag(f"tongban.node.{self._region}", [inbox(other.region)])
        other.partitions = len(lags)
        left = {lag.partition for lag in lags} - other.hit
        for _ in range(MANY_MARKS):
            if not left:
                return
            first = self._sent + 1
            messages = []
            for mark in range(first, first + other.partitions):
                subject = recall_subject(self._region, other.region, mark)
                content = Recall(self._attempt, mark)
                messages.append(self._message(content, "recall", other.region, subject))
            placed = await self._bus.publish(messages)
            other.marks |= {first + at: place.partition for at, place in enumerate(placed)}
            left -= {place.partition for place in placed}

    async def _page(self, other: Neighbour) -> None:
        subject = recall_subject(self._region, other.region, self._sent + 1)
        content = Recall(self._attempt, 0, self._since, other.after)
        await self._bus.publish([self._message(content, "recall", other.region, subject)])

    def _message(self, content: Exchange, kind: str, to: str, subject: str) -> Message:
        self._sent += 1
        return carry(
            encode_exchange(content), kind=kind, topic=inbox(to), subject=subject, source=self._region,
            message_id=f"{self._region}-{self._attempt}-{self._sent}", wall_s=time.time(),
        )  # fmt: skip

    def refused(self, source: str, content: AskRefused) -> None:
        """A region that says that it does not know the question is waited for no longer."""
        other = self.neighbours.get(source)
        mine = content.ask_id.startswith(f"{self._region}-{self._attempt}-")
        if other is not None and not other.told and mine and content.code == Code.NOT_UNDERSTOOD:
            other.unread = True

    def answered(self, source: str, content: Recalled) -> Sequence[CaseHead]:
        """The heads that are news: () for a mark, and for what was not asked for."""
        other = self.neighbours.get(source)
        if other is None or content.attempt != self._attempt:
            return ()
        if content.mark:
            if (partition := other.marks.get(content.mark)) is not None and partition not in other.hit:
                other.hit.add(partition)
                if len(other.hit) == other.partitions:
                    self._asked_at.pop(source, None)  # for the heads, at once
            return ()
        if other.told or content.after != other.after:
            return ()  # a page that was asked for twice
        other.heads |= {head.case_number: head.version for head in content.heads}
        other.after, other.told = content.next, not content.next
        self._asked_at.pop(source, None)
        return content.heads

    def compare(self, source: str, heads: Iterable[CaseHead], known: Mapping[str, int]) -> None:
        """What of these is not here is wanted. `known`: versions here."""
        for head in heads:
            number, here = head.case_number, known.get(head.case_number, 0)
            if head.version <= here or number in self.given_up:
                continue
            want = self.wanted.setdefault(number, Wanted(head.version, [], here))
            if head.version >= want.version:
                want.of = [source, *want.of]
                want.version = head.version
            else:
                want.of.append(source)

    def reached(self, number: str, version: int) -> None:
        """So much of the case is here now."""
        want = self.wanted.get(number)
        if want is None:
            return
        if version >= want.version:
            del self.wanted[number]
        elif version > want.known:
            want.known, want.tries = version, 0

    def give_up(self, number: str) -> None:
        """More of it is known elsewhere, and cannot be followed here."""
        if self.wanted.pop(number, None) is not None:
            self.given_up.add(number)
