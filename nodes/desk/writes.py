"""What the work of a batch wants loaded, and the rows that it adds directly.

Knows the order in which rows are written: one that another points to goes first. Must not know who adds them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from nodes.store.rows import (
    AskRow,
    BusOffset,
    FilingRow,
    GapRequest,
    HeldRow,
    MaterialRow,
    MaterialUse,
    OutboxRow,
    ParkedRow,
    ResyncRow,
    StoredAnswer,
)
from nodes.store.store import WriteTx


@dataclass(slots=True)
class Needs:
    """What the work of a batch wants loaded beside its cases."""

    asks: set[str] = field(default_factory=set)
    """Ask ids that may have been seen before."""
    causes: set[tuple[str, str]] = field(default_factory=set)
    """(case, ask id) that another owner may have answered before."""
    hashes: set[tuple[str, int]] = field(default_factory=set)
    """(case, version) of events that may have been applied before."""
    ask_heads: set[tuple[str, str]] = field(default_factory=set)
    """(asker, case) whose last ask_seq is wanted."""
    held: set[str] = field(default_factory=set)
    """Cases whose held events are wanted, and what they wait for."""
    seen: set[tuple[str, str]] = field(default_factory=set)
    """(source, message id) to be recorded."""
    requests: set[tuple[str, str]] = field(default_factory=set)
    """(case, request id) that may have had its effect before the database was put back."""
    letters: set[str] = field(default_factory=set)
    """Ids of dead letters that an operator settles."""


@dataclass(slots=True)
class Writes:
    """Rows that pieces of work add directly."""

    outbox: list[OutboxRow] = field(default_factory=list)
    asks: list[AskRow] = field(default_factory=list)
    ask_updates: list[AskRow] = field(default_factory=list)
    held: list[HeldRow] = field(default_factory=list)
    unhold: list[tuple[str, int]] = field(default_factory=list)
    """(case, version) up to which nothing need be held any longer."""
    gaps: dict[str, GapRequest | None] = field(default_factory=dict)
    """Case -> the hole that was asked for; None: there is none any longer."""
    parked: list[ParkedRow] = field(default_factory=list)
    seen: list[tuple[str, int]] = field(default_factory=list)
    """(case, version) of what came in while the case waits."""
    settled: list[ParkedRow] = field(default_factory=list)
    failed_again: list[ParkedRow] = field(default_factory=list)
    resyncs: list[ResyncRow] = field(default_factory=list)
    offsets: dict[tuple[str, int], BusOffset] = field(default_factory=dict)
    acked: list[tuple[str, str, int]] = field(default_factory=list)
    materials: list[MaterialRow] = field(default_factory=list)
    material_uses: list[MaterialUse] = field(default_factory=list)
    filings: dict[str, FilingRow] = field(default_factory=dict)
    answers: list[StoredAnswer] = field(default_factory=list)
    """Of requests whose effect came back after a restoration."""

    def take(self, other: Writes) -> None:
        """Add what one piece of work wrote."""
        for name in self.__slots__:
            mine, theirs = getattr(self, name), getattr(other, name)
            if theirs:
                mine.extend(theirs) if isinstance(mine, list) else mine.update(theirs)

    async def write(self, unit: WriteTx, *, hold_limit: int) -> None:
        """All of it but the filings, which go before their cases."""
        gaps = [row for row in self.gaps.values() if row is not None]
        filled = sorted(number for number, row in self.gaps.items() if row is None)
        steps: tuple[tuple[Any, Callable[[], Awaitable[object]]], ...] = (
            (self.asks, lambda: unit.insert_asks(self.asks)),
            (self.ask_updates, lambda: unit.settle_asks(self.ask_updates)),
            (self.held, lambda: unit.hold(self.held, most=hold_limit)),
            (self.unhold, lambda: unit.drop_held(self.unhold)),
            (gaps, lambda: unit.put_gap_requests(gaps)),
            (filled, lambda: unit.close_gaps(filled)),
            (self.parked, lambda: unit.park(self.parked)),
            (self.settled, lambda: unit.settle_letters(self.settled)),
            (self.failed_again, lambda: unit.note_failed_again(self.failed_again)),
            (self.resyncs, lambda: unit.put_resyncs(self.resyncs)),
            (self.seen, lambda: unit.note_seen_while_parked(self.seen)),
            (self.seen, lambda: unit.note_seen_while_resyncing(self.seen)),
            (self.materials, lambda: unit.insert_materials(self.materials)),
            (self.material_uses, lambda: unit.insert_material_uses(self.material_uses)),
            (self.answers, lambda: unit.keep_answers(self.answers)),
            (self.acked, lambda: unit.note_acked(self.acked)),
            (self.outbox, lambda: unit.insert_outbox(self.outbox)),
            (self.offsets, lambda: unit.put_offsets(list(self.offsets.values()))),
        )
        for rows, write in steps:
            if rows:
                await write()
