"""What this region did after the backup that its database was put back to, taken back from the others.

Knows that an event comes back only as the next of a chain whose bytes are already here, written by who owned
the case then; that nothing is decided meanwhile; and what the other parties lack of what came back. Must not
know how it was asked for, nor the bus.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import structlog

from nodes.cases.case import Case
from nodes.cases.errors import CaseError
from nodes.cases.events import Event, Filed
from nodes.codec.exchange import EventBatch, KeptAsk, ServiceRequest, encode_exchange
from nodes.desk.arrived import NOWHERE, Arrived
from nodes.desk.batch import Batch
from nodes.desk.context import recipients
from nodes.desk.hops import Hop
from nodes.desk.mirror import check_party, follow, read_records, receive
from nodes.desk.remade import remade_answer
from nodes.desk.sheet import Sheet
from nodes.desk.taking import Acks, Taking, Unfit
from nodes.desk.work import Answer
from nodes.desk.writes import Needs
from nodes.store.rows import AskRow, Claim, StoredAnswer
from nodes.telemetry.casetrace import new_case_trace

log = structlog.get_logger("tongban.recovery")


@dataclass(slots=True, kw_only=True)
class _Work:
    done: asyncio.Future[Answer] = field(init=False)
    urgent: bool = False
    claim: Claim | None = None

    def refusal(self, error: CaseError) -> Answer:
        """The answer that a refusal becomes."""
        raise error  # nothing in here is anybody's request


@dataclass(slots=True, kw_only=True)
class TakeBack(_Work):
    """Events of cases as other regions have them. Messages that do not go on where this copy ends change
    nothing. `reached`: the version of each case afterwards; `unfit`: why one could not be followed.
    """

    messages: Sequence[Arrived]
    reached: dict[str, int] = field(default_factory=dict)
    unfit: dict[str, str] = field(default_factory=dict)
    events: int = 0

    @property
    def numbers(self) -> Sequence[str]:
        """The cases concerned."""
        return sorted({content.case_number for content in map(_events, self.messages)})

    def tell_needs(self, needs: Needs) -> None:
        """What else must be loaded for it."""
        for content in map(_events, self.messages):
            first = content.from_version
            needs.hashes.update((content.case_number, first + i) for i in range(len(content.records)))

    def do(self, batch: Batch) -> Answer:
        """Do it: each message whole or not at all."""
        self.reached, self.unfit, self.events = {}, {}, 0
        for message in self.messages:
            content = _events(message)
            number = content.case_number
            try:
                with batch.attempt([number]):
                    self._take(_taking(batch, message), content)
            except Unfit as error:
                log.warning("what came back does not fit", case_number=number, reason=error.reason)
                self.unfit[number] = error.reason
            sheet = batch.sheets.get(number)
            self.reached[number] = sheet.version if sheet is not None else 0
        return Answer(False, b"")

    def _take(self, t: Taking, content: EventBatch | ServiceRequest) -> None:
        number = content.case_number
        sheet = t.batch.sheets.get(number)
        known = sheet.version if sheet is not None else 0
        if sheet is not None and sheet.parked:
            raise Unfit("PARKED", "this copy waits for an operator", tied=False)
        if content.from_version > known + 1:
            return
        found = read_records(number, content.records)
        born = sheet is None
        if sheet is None:
            first = found[0][0].event.body
            if not isinstance(first, Filed) or first.filing.case_number != number:
                raise Unfit("CASE_MISMATCH", "the filing is of another case", tied=False)
            sheet = t.batch.new_sheet(number, t.hop(number, ""))
        before = len(sheet.written)
        follow(t, sheet, found)
        if born:
            check_party(t, sheet)
            self._answer(t, [written.event for written in sheet.written])
        self.events += len(sheet.written) - before

    @staticmethod
    def _answer(t: Taking, events: Sequence[Event]) -> None:
        """A filing of this region brings its answer back: who repeats the request must not file twice."""
        made = remade_answer(events, t.region)
        if made is not None:
            client, request_id, told = made
            answer = Answer(False, told).stored()
            wall = t.batch.context.wall_s()
            t.batch.writes.answers.append(StoredAnswer(client, request_id, b"", answer, wall))


@dataclass(slots=True, kw_only=True)
class TakeAsks(_Work):
    """Asks of this region as other regions kept them. `taken`: how many were not here."""

    asks: Sequence[KeptAsk]
    taken: int = 0

    @property
    def numbers(self) -> Sequence[str]:
        """The cases concerned: none is changed."""
        return ()

    def tell_needs(self, needs: Needs) -> None:
        """What else must be loaded for it."""
        for kept in self.asks:
            needs.asks.add(kept.ask.ask_id)
            needs.ask_heads.add((kept.ask.asker, kept.ask.case_number))

    def do(self, batch: Batch) -> Answer:
        """Do it. What has no outcome there is asked again after a time, as any other."""
        self.taken = 0
        for kept in self.asks:
            ask = kept.ask
            place = (ask.asker, ask.case_number, ask.ask_seq)
            if ask.ask_id in batch.asks or place in batch.ask_places or ask.asker != batch.context.region:
                continue
            state = "refused" if kept.refusal_code else "applied" if kept.applied_version else "pending"
            row = AskRow(
                ask_id=ask.ask_id, case_number=ask.case_number, asker=ask.asker, ask_seq=ask.ask_seq,
                kind=ask.kind.value, command=encode_exchange(replace(ask, forwarded_by="")),
                based_on_version=ask.based_on_version, submitted_at=ask.submitted_at, state=state,
                outcome_version=kept.applied_version or None, refusal_code=kept.refusal_code,
                refusal_detail=kept.refusal_detail, last_sent_wall_s=batch.context.wall_s(),
            )  # fmt: skip
            batch.writes.asks.append(row)
            batch.asks[row.ask_id] = row
            batch.note_ask(row.asker, row.case_number, row.ask_seq, row.ask_id)
            self.taken += 1
        return Answer(False, b"")


@dataclass(slots=True, kw_only=True)
class GoOn(_Work):
    """Cases that came back, once everything that can be had is here: the other parties are owed what they
    lack of them, and one that was handed over to this region is received. `heads`: how far each region that
    answered knows its cases.
    """

    cases: Sequence[str]
    heads: Mapping[str, Mapping[str, int]]

    @property
    def numbers(self) -> Sequence[str]:
        """The cases concerned."""
        return sorted(self.cases)

    def do(self, batch: Batch) -> Answer:
        """Do it."""
        for number in self.numbers:
            sheet = batch.sheets.get(number)
            if sheet is None or sheet.case is None or sheet.parked:
                continue
            self._owe(batch, sheet, sheet.case)
            try:
                with batch.attempt([number]):
                    receive(_taking(batch, Arrived("", "", None, NOWHERE)), sheet)
            except Unfit as error:
                log.warning(
                    "a case that came back cannot be received", case_number=number, reason=error.reason
                )
        return Answer(False, b"")

    def _owe(self, batch: Batch, sheet: Sheet, case: Case) -> None:
        """To whom has answered what it lacks, to whom has not everything: what is there is dropped there."""
        for region in recipients(case, batch.context.region):
            known = self.heads.get(region, {}).get(sheet.number, 0)
            if known < sheet.version:
                batch.send(
                    region, sheet.number, "events", sheet.trace_parent, from_version=known + 1,
                    to_version=sheet.version,
                )  # fmt: skip


def _events(message: Arrived) -> EventBatch | ServiceRequest:
    assert isinstance(message.content, (EventBatch, ServiceRequest))
    return message.content


def _taking(batch: Batch, message: Arrived) -> Taking:
    return Taking(batch, message, _hop(message), Acks(), lambda *_: None)


def _hop(message: Arrived) -> Hop:
    """No hop of its own: a case goes on in its trace, one that comes back whole in its sender's."""
    return lambda number, stored: stored or message.traceparent or new_case_trace(number).traceparent
