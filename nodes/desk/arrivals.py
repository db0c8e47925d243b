"""Work that arrives from other regions: messages of one partition, taken in one by one, in order.

Knows which room takes which kind of message, and that one that is unfit is put aside alone: it changes
nothing else, and the partition goes on. Must not know topics or headers: the inbox has opened the message.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import uuid_utils

from nodes.cases.errors import CaseError
from nodes.cases.frozen import replace
from nodes.codec.exchange import (
    MANY_CASES,
    Ack,
    Ask,
    AskRefused,
    EventBatch,
    GapRequest,
    Recall,
    Recalled,
    ServiceRequest,
    Snapshot,
    UnreadAsk,
)
from nodes.desk.arrived import Arrived, Raw
from nodes.desk.asks import refuse_unknown, take_ack, take_ask, take_refusal, take_unread_ask
from nodes.desk.batch import Batch
from nodes.desk.holes import take_gap_request, take_snapshot
from nodes.desk.hops import Hop
from nodes.desk.mirror import take_events
from nodes.desk.recall import is_late, take_recall, take_recalled
from nodes.desk.taking import Acks, Taking, Unfit, dead_letter
from nodes.desk.work import Answer
from nodes.desk.writes import Needs
from nodes.store.rows import BusOffset, Claim

OWNERS: Final = (ServiceRequest, EventBatch)
"""What is an owner's word on a case, and holds it up when it is unfit."""


def take(t: Taking) -> None:
    """Take one message in, whole or not at all; what is unfit is put aside. Raises nothing."""
    content = t.message.content
    if content is None:
        refuse_unknown(t)
        if not t.batch.waits(t.message.subject):
            t.unfit(Unfit(t.message.reason, t.message.detail))
        return
    number = number_of(t.message)
    try:
        with t.batch.attempt([number]):
            _dispatch(t)
    except Unfit as error:
        t.unfit(error)
    except Exception as error:  # noqa: BLE001  # a message that nobody foresaw must not stop its partition
        t.unfit(Unfit("UNEXPECTED", type(error).__name__, tied=isinstance(content, OWNERS)))


def _dispatch(t: Taking) -> None:
    match t.message.content:
        case ServiceRequest() | EventBatch() as content:
            take_events(t, content)
        case Ask() as content:
            take_ask(t, content)
        case UnreadAsk() as content:
            take_unread_ask(t, content)
        case AskRefused() as content:
            take_refusal(t, content)
        case Ack() as content:
            take_ack(t, content)
        case GapRequest() as content:
            take_gap_request(t, content)
        case Snapshot() as content:
            take_snapshot(t, content)
        case Recall() as content:
            take_recall(t, content)
        case Recalled() as content:
            take_recalled(t, content)


def number_of(message: Arrived) -> str:
    """The case that a message concerns, "" for none."""
    content = message.content
    if content is None:
        return message.subject
    return "" if isinstance(content, MANY_CASES) else content.case_number


def numbers_of(message: Arrived) -> Sequence[str]:
    """The cases that must be loaded to take it in."""
    if isinstance(message.content, Recalled):
        return [head.case_number for head in message.content.heads if is_late(message.content)]
    number = number_of(message)
    return [number] if number else []


def tell_needs_of(message: Arrived, needs: Needs) -> None:
    """What must be loaded to take it in."""
    content = message.content
    if content is None:
        if message.subject:
            needs.held.add(message.subject)
    elif isinstance(content, (ServiceRequest, EventBatch)):
        first = content.from_version
        needs.hashes.update((content.case_number, first + i) for i in range(len(content.records)))
        needs.held.add(content.case_number)
    elif isinstance(content, Snapshot):
        needs.held.add(content.case_number)
    elif isinstance(content, (Ask, UnreadAsk)):
        needs.asks.add(content.ask_id)
        needs.causes.add((content.case_number, content.ask_id))
        needs.ask_heads.add((content.asker, content.case_number))
    elif isinstance(content, AskRefused):
        needs.asks.add(content.ask_id)
    elif isinstance(content, Ack):
        needs.asks.update(content.ask_ids)


@dataclass(slots=True, kw_only=True)
class Arrivals:
    """Messages of one partition in order, and the place from which reading goes on once they are applied."""

    messages: Sequence[Arrived]
    position: BusOffset
    hops: Sequence[Hop]
    done: asyncio.Future[Answer] = field(init=False)
    urgent: bool = False
    claim: Claim | None = None
    applied: int = 0
    parked: int = 0

    def refusal(self, error: CaseError) -> Answer:
        """The answer that a refusal becomes."""
        raise error  # nothing in here is anybody's request

    @property
    def numbers(self) -> Sequence[str]:
        """The cases concerned."""
        return sorted({number for message in self.messages for number in numbers_of(message)})

    def tell_needs(self, needs: Needs) -> None:
        """What else must be loaded for it."""
        for message in self.messages:
            tell_needs_of(message, needs)
            if message.message_id:
                needs.seen.add((message.source, message.message_id))

    def do(self, batch: Batch) -> Answer:
        """Do it. A message that was seen before is dropped; what it did is there already."""
        acks = Acks()
        self.applied = self.parked = 0
        for message, hop in zip(self.messages, self.hops, strict=True):
            key = (message.source, message.message_id)
            if message.message_id and key not in batch.fresh:
                continue
            batch.fresh.discard(key)
            taking = Taking(batch, message, hop, acks, partial(self._dead, batch))
            take(taking)
            self.applied += taking.applied
        acks.send(batch)
        batch.writes.offsets[(self.position.topic, self.position.partition)] = self.position
        return Answer(False, b"")

    def _dead(self, batch: Batch, message: Arrived, number: str, reason: str, detail: str) -> None:
        self.parked += 1
        dead_letter(batch, message, str(uuid_utils.uuid7()), number, reason, detail)

    def halves(self) -> tuple[Arrivals, Arrivals]:
        """Two pieces of work that together do the same: so the culprit is found that a database rejects."""
        half = len(self.messages) // 2
        last = self.messages[half - 1].raw
        between = replace(self.position, next_offset=last.offset + 1)
        return (
            Arrivals(messages=self.messages[:half], position=between, hops=self.hops[:half]),
            Arrivals(messages=self.messages[half:], position=self.position, hops=self.hops[half:]),
        )

    def put_aside(self, reason: str, detail: str) -> Arrivals:
        """The same place in the partition, with its only message as a dead letter."""
        (message,) = self.messages
        tied = isinstance(message.content, OWNERS) or message.content is None
        unfit = replace(
            message, content=None, reason=reason, detail=detail, subject=message.subject if tied else ""
        )
        return Arrivals(messages=[unfit], position=self.position, hops=self.hops)


__all__ = ["Arrivals", "Arrived", "Raw", "number_of", "numbers_of", "take", "tell_needs_of"]
