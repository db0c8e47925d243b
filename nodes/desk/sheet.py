"""One case while a batch folds it: what was loaded, what it became, what is to be written of it.

Knows the way from a command to stored bytes. Must not know the database: everything it needs was loaded
before, and what it wrote is collected afterwards. `mark` and `back_to` make a piece of work all or nothing in
memory.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import datetime

import uuid_utils

from nodes.cases import machine
from nodes.cases.case import Actor, Case
from nodes.cases.commands import Command
from nodes.cases.events import Event, HandedOver, PartFiled
from nodes.cases.frozen import quick, replace
from nodes.codec.record import DecodedEvent, Record, encode_event
from nodes.desk.context import Context, recipients
from nodes.store.rows import CaseRow, EventRow


class Fork(Exception):
    """Two different events claim the same version of a case: never ignored, always parked."""

    def __init__(self, number: str, version: int) -> None:
        super().__init__(f"case {number}: version {version} differs from what is stored")
        self.number = number
        self.version = version


@quick
@dataclass(frozen=True, slots=True)
class Written:
    """An event and its bytes. `cause`: the ask or request that it answers, None for later events of a
    command.
    """

    event: Event
    record: Record
    cause: str | None


@dataclass(slots=True)
class Sheet:
    """`row` is None for a case that this batch brings into being. `trace_parent` is the hop the next one
    hangs under.
    """

    number: str
    row: CaseRow | None
    case: Case | None
    last_hash: bytes
    trace_parent: str
    parked: bool = False
    written: list[Written] = field(default_factory=list)
    sent_to: dict[str, int] = field(default_factory=dict)
    """Destination -> first version owed to it by this batch."""
    handed_to: str = ""
    resynced: bool = False

    def mark(self) -> Sheet:
        """The point to which `back_to` returns."""
        return replace(self, written=list(self.written), sent_to=dict(self.sent_to))

    def back_to(self, mark: Sheet) -> None:
        """Forget everything since the mark."""
        for name in self.__slots__:
            setattr(self, name, getattr(mark, name))

    @property
    def version(self) -> int:
        """Of the case as it is now, 0 before its first event."""
        return self.case.version if self.case else 0

    def owned_by(self, region: str) -> bool:
        """Whether that region writes the case."""
        return self.case is not None and self.case.owner == region

    def decide(
        self,
        context: Context,
        command: Command,
        actor: Actor,
        now: datetime,
        *,
        cause: str = "",
        submitted_at: datetime | None = None,
    ) -> tuple[Event, ...]:
        """Timers first, then the command. Raises CaseError, and then nothing of it is kept.

        The events are encoded once, here, and chained to the one before.
        """
        case = self.case
        timed: tuple[Event, ...] = ()
        if case is not None and case.owner == context.region:
            case, timed = machine.advance(case, now, context.calendar, context.region)
        events = machine.decide(
            case,
            command,
            actor,
            now,
            context.calendar,
            submitted_at=submitted_at,
            caused_by=cause,
            region=context.region,
        )
        self._append(context, timed, None)
        self._append(context, events, cause or None)
        return events

    def fire_timers(self, context: Context, now: datetime) -> tuple[Event, ...]:
        """Every timer due at `now`, each effective at its due time. Nothing for a mirror."""
        if self.case is None or self.case.owner != context.region or self.parked:
            return ()
        _, timed = machine.advance(self.case, now, context.calendar, context.region)
        self._append(context, timed, None)
        return timed

    def _append(self, context: Context, events: tuple[Event, ...], cause: str | None) -> None:
        for event in events:
            before, after = self.case, machine.evolve(self.case, event)
            to = recipients(after, context.region)
            record = encode_event(
                event,
                self.number,
                event_id=uuid_utils.uuid7().bytes,
                prev_hash=self.last_hash,
                recipients=to,
                salt=os.urandom(16),
            )
            self.case, self.last_hash = after, record.hash
            self.written.append(Written(event, record, cause))
            cause = None  # unique within the case: it names the command's first event
            if isinstance(event.body, HandedOver) and event.body.to != context.region:
                self.handed_to = event.body.to
            if isinstance(event.body, PartFiled) and before is not None:
                for region in set(to).difference(recipients(before, context.region)):
                    self.sent_to[region] = 1  # who keeps a lead has it whole
            for region in to:
                self.sent_to.setdefault(region, event.version)

    def apply(self, found: DecodedEvent, record: Record) -> None:
        """The next event, from another region. Raises Fork when its chain does not fit."""
        if found.prev_hash != self.last_hash:
            raise Fork(self.number, found.version)
        self.case, self.last_hash = machine.evolve(self.case, found.event), record.hash
        self.written.append(Written(found.event, record, found.event.caused_by or None))

    def event_rows(self) -> list[EventRow]:
        """The events to insert."""
        return [
            EventRow(
                number=self.number,
                version=w.event.version,
                event_id=str(uuid_utils.UUID(bytes=w.record.event_id)),
                hash=w.record.hash,
                core=w.record.core,
                private=w.record.private,
                caused_by=w.cause,
                author=w.event.author,
                epoch=w.event.epoch,
                recorded_at=w.event.recorded_at,
            )
            for w in self.written
        ]

    def parked_row(self) -> CaseRow | None:
        """The row with its flag as it is now, for a case that only changed in that."""
        return replace(self.row, parked=self.parked) if self.row else None
