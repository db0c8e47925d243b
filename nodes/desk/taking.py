"""One message while it is taken in: what it may touch, what is said back, and what becomes of it if it is
unfit.

Knows who may hold up a case: its owner's word and a handover, and only this region's copy of it. Must not
know what the kinds of messages mean (`mirror`, `asks`, `holes`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import structlog

from nodes.codec.exchange import Ack, GapRequest, encode_exchange
from nodes.desk.arrived import Arrived
from nodes.desk.batch import Batch
from nodes.desk.hops import Hop
from nodes.store.rows import GapRequest as GapRow
from nodes.store.rows import ParkedRow

HOLD_LIMIT: Final = "HOLD_LIMIT"
"""Why a message is put aside that is too early, when too many are held already."""
log = structlog.get_logger("tongban.desk")


class Unfit(Exception):
    """A message that cannot be applied, as a whole. `detail` has no personal data.

    `tied`: it is its sender's word on the case, so that the case must wait for it to be settled.
    """

    def __init__(self, reason: str, detail: str, *, tied: bool = True) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
        self.tied = tied


PutAside = Callable[[Arrived, str, str, str], None]
"""(message, number of the case that waits for it or "", reason, detail)"""


@dataclass(slots=True)
class Acks:
    """What this region has, by the region that is to be told."""

    versions: dict[str, dict[str, int]] = field(default_factory=dict)
    asks: dict[str, list[str]] = field(default_factory=dict)
    refusals: dict[str, list[str]] = field(default_factory=dict)

    def has(self, source: str, number: str, version: int) -> None:
        """All of the case up to that version is here."""
        self.versions.setdefault(source, {})[number] = version

    def send(self, batch: Batch) -> None:
        """One message a region."""
        for region in sorted({*self.versions, *self.asks, *self.refusals}):
            ack = Ack(
                versions=tuple(sorted(self.versions.get(region, {}).items())),
                ask_ids=tuple(self.asks.get(region, ())),
                refused_ask_ids=tuple(self.refusals.get(region, ())),
            )
            number = f"ack-{batch.context.region}-{region}"
            batch.send(region, number, "ack", "", payload=encode_exchange(ack))


@dataclass(slots=True)
class Taking:
    """The message, the transaction's memory, and what is collected of it."""

    batch: Batch
    message: Arrived
    hop: Hop
    acks: Acks
    put_aside: PutAside
    applied: int = 0

    @property
    def region(self) -> str:
        """This region."""
        return self.batch.context.region

    @property
    def source(self) -> str:
        """The region that sent it."""
        return self.message.source

    def unfit(self, error: Unfit) -> None:
        """Put it aside; when it may, the case waits with it."""
        number = self.message.subject
        log.error("a message was put aside", reason=error.reason, case_number=number, source=self.source)
        if not (error.tied and self._may_hold_up(number)):
            detail = f"{number}: {error.detail}" if number else error.detail
            self.put_aside(self.message, "", error.reason, detail)
            return
        self.put_aside(self.message, number, error.reason, error.detail)
        self.batch.writes.gaps[number] = None  # a case that waits asks for nothing
        if (sheet := self.batch.sheets.get(number)) is not None:
            sheet.parked = True

    def _may_hold_up(self, number: str) -> bool:
        """The sender is a party of a case that another region owns; of an unknown case, it is its origin."""
        if not number or not self.source:
            return False
        sheet = self.batch.sheets.get(number)
        if sheet is None or sheet.case is None:
            return number.startswith(self.source)
        if sheet.owned_by(self.region):
            return False
        return self.source in {p.region for p in sheet.case.parties} | {sheet.case.owner}

    def ask_for_hole(self, of: str, number: str, first: int) -> None:
        """Ask a region for everything from a version on, unless that was done a moment ago."""
        batch = self.batch
        wall = batch.context.wall_s()
        asked = batch.gaps.get(number)
        if asked is not None and asked.from_version == first:
            if wall - asked.asked_wall_s < batch.context.resend_after_s:
                return
            attempts = asked.attempts + 1
        else:
            attempts = 1
        row = GapRow(number, first, wall, attempts)
        batch.writes.gaps[number] = row
        batch.gaps[number] = row
        batch.on_undo(lambda: batch.gaps.pop(number, None))
        sheet = batch.sheets.get(number)
        ask = encode_exchange(GapRequest(case_number=number, from_version=first))
        hop = sheet.trace_parent if sheet else self.hop(number, self.message.traceparent)
        batch.send(of, number, "gap_request", hop, payload=ask)


def dead_letter(
    batch: Batch, message: Arrived, letter_id: str, number: str, reason: str, detail: str
) -> None:
    """The message becomes a dead letter: its bytes stay here, a copy goes to the dead-letter topic."""
    raw = message.raw
    row = ParkedRow(
        id=letter_id, case_number=number or None, source=message.source, topic=raw.topic,
        partition=raw.partition, log_offset=raw.offset, headers=raw.headers(), value=raw.value, reason=reason,
        detail=detail[:400], parked_wall_s=batch.context.wall_s(),
    )  # fmt: skip
    batch.writes.parked.append(row)
    if number:
        batch.holdups.setdefault(number, {})[letter_id] = row
        batch.on_undo(lambda: batch.holdups[number].pop(letter_id))
    region = batch.context.region
    batch.send(region, f"dead-{region}", "dead", "", ref=letter_id)
