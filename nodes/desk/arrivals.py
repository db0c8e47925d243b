"""Work that arrives from other regions: handovers, events, asks, answers, acknowledgements, holes.

Knows the rules of a mirror (apply n + 1, drop what is known by its hash, hold what is too early, never ignore
a fork) and of an owner (every ask is answered once). Must not know topics or headers: the inbox has opened
the message.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import uuid_utils

from nodes.cases.case import Actor, Role
from nodes.cases.commands import Receive, RejectHandover
from nodes.cases.errors import CaseError, Code
from nodes.cases.events import Filed, HandedOver
from nodes.codec.errors import DecodeError
from nodes.codec.exchange import (
    Ack,
    Ask,
    AskRefused,
    EventBatch,
    GapRequest,
    ServiceRequest,
    Snapshot,
    encode_exchange,
)
from nodes.codec.record import DecodedEvent, Record, decode_record
from nodes.desk.acts import Hop, stay
from nodes.desk.arrived import Arrived, Raw, join, split
from nodes.desk.batch import Batch, Needs
from nodes.desk.sheet import Fork, Sheet
from nodes.desk.work import Answer
from nodes.store.rows import AskRow, BusOffset, Claim, HeldRow, ParkedRow
from nodes.store.rows import GapRequest as GapRow


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
        found: set[str] = set()
        for message in self.messages:
            content = message.content
            if isinstance(content, (ServiceRequest, EventBatch, Ask, AskRefused, GapRequest, Snapshot)):
                found.add(content.case_number)
        return sorted(found)

    def tell_needs(self, needs: Needs) -> None:
        """What else must be loaded for it."""
        for message in self.messages:
            content = message.content
            if isinstance(content, (ServiceRequest, EventBatch)):
                first = content.from_version
                needs.hashes.update((content.case_number, first + i) for i in range(len(content.records)))
                needs.held.add(content.case_number)
            elif isinstance(content, Ask):
                needs.asks.add(content.ask_id)
                needs.ask_heads.add((content.asker, content.case_number))
            elif isinstance(content, AskRefused):
                needs.asks.add(content.ask_id)
            elif isinstance(content, Ack):
                needs.asks.update(content.ask_ids)
            if message.message_id:
                needs.seen.add((message.source, message.message_id))

    def do(self, batch: Batch) -> Answer:
        """Do it, all or nothing."""
        acks = _Acks()
        for message, hop in zip(self.messages, self.hops, strict=True):
            if message.content is None:
                self._put_aside(batch, message, "", message.reason, message.detail)
                continue
            _Arrival(batch, message, hop, acks, self).apply()
        acks.send(batch)
        batch.writes.offsets[(self.position.topic, self.position.partition)] = self.position
        return Answer(False, b"")

    def _put_aside(self, batch: Batch, message: Arrived, number: str, reason: str, detail: str) -> None:
        self.parked += 1
        raw = message.raw
        batch.writes.parked.append(
            ParkedRow(
                id=str(uuid_utils.uuid7()), case_number=number or None, source=message.source,
                topic=raw.topic, partition=raw.partition, log_offset=raw.offset, headers=raw.headers,
                value=raw.value, reason=reason, detail=detail[:400], parked_wall_s=batch.context.wall_s(),
            )
        )  # fmt: skip


@dataclass(slots=True)
class _Acks:
    """What this region has, by the region that is to be told."""

    versions: dict[str, dict[str, int]] = field(default_factory=dict)
    asks: dict[str, list[str]] = field(default_factory=dict)
    refusals: dict[str, list[str]] = field(default_factory=dict)

    def send(self, batch: Batch) -> None:
        for region in sorted({*self.versions, *self.asks, *self.refusals}):
            ack = Ack(
                versions=tuple(sorted(self.versions.get(region, {}).items())),
                ask_ids=tuple(self.asks.get(region, ())),
                refused_ask_ids=tuple(self.refusals.get(region, ())),
            )
            number = f"ack-{batch.context.region}-{region}"
            batch.send(region, number, "ack", "", payload=encode_exchange(ack))


@dataclass(slots=True)
class _Arrival:
    """One message being applied."""

    batch: Batch
    message: Arrived
    hop: Hop
    acks: _Acks
    whole: Arrivals

    def apply(self) -> None:
        content = self.message.content
        match content:
            case ServiceRequest():
                self._service_request(content)
            case EventBatch():
                self._events(content)
            case Ask():
                self._ask(content)
            case AskRefused():
                self._ask_refused(content)
            case Ack():
                self._ack(content)
            case GapRequest():
                self._gap_request(content)
            case Snapshot():
                self._snapshot(content)

    # ---- events and handovers

    def _service_request(self, content: ServiceRequest) -> None:
        sheet = self._records(content.case_number, content.records)
        if sheet is None or sheet.case is None or sheet.parked:
            return
        region = self.batch.context.region
        last = sheet.written[-1].event.body if sheet.written else None
        if sheet.case.owner != region or not isinstance(last, HandedOver) or last.to != region:
            return  # known already, or handed on since
        actor = Actor(Role.NODE, region, "inbox")
        problem = self.batch.context.refuse_handover(sheet.case) if self.batch.context.refuse_handover else ""
        command = RejectHandover(problem) if problem else Receive()
        sheet.decide(self.batch.context, command, actor, self.batch.now)

    def _events(self, content: EventBatch) -> None:
        self._records(content.case_number, content.records)

    def _records(self, number: str, records: Sequence[tuple[bytes, bytes]]) -> Sheet | None:
        """Apply what is next, drop what is known, hold what is early. None when the message was put aside."""
        sheet = self.batch.sheets.get(number)
        try:
            decoded = [(decode_record(core, private), core, private) for core, private in records]
        except DecodeError as error:
            self._park(sheet, number, "BAD_RECORD", str(error), tied=True)
            return None
        if any(d.case_number != number for d, _, _ in decoded):
            self._park(None, "", "CASE_MISMATCH", "a record is of another case", tied=False)
            return None
        if sheet is not None and sheet.parked:
            highest = max(d.version for d, _, _ in decoded)
            seen = self.batch.writes.parked_seen
            seen[number] = max(seen.get(number, 0), highest)
            return None
        if sheet is None:
            first = decoded[0][0]
            if first.version != 1 or not isinstance(first.event.body, Filed):
                self._hold(number, 0, decoded)
                return None
            sheet = self.batch.new_sheet(number, self.hop(number, ""))
        else:
            sheet.trace_parent = self.hop(number, sheet.trace_parent)
        try:
            self._apply_in_order(sheet, decoded)
        except Fork as fork:
            self._park(sheet, number, "FORK", str(fork), tied=True)
            return None
        self.acks.versions.setdefault(self.message.source, {})[number] = sheet.version
        return sheet

    def _apply_in_order(self, sheet: Sheet, decoded: Sequence[tuple[DecodedEvent, bytes, bytes]]) -> None:
        early: list[tuple[DecodedEvent, bytes, bytes]] = []
        held = [
            (decode_record(*split(h.record)), *split(h.record)) for h in self.batch.held.get(sheet.number, ())
        ]
        arrived = {d.version: None for d, _, _ in decoded}
        filled: list[tuple[str, int]] = []
        for found, core, private in sorted([*decoded, *held], key=lambda item: item[0].version):
            if found.version <= sheet.version:
                self._same(sheet, found)
            elif found.version == sheet.version + 1:
                if found.must_understand and not found.understood:
                    raise Fork(sheet.number, found.version)
                sheet.apply(found, Record(core, private, found.hash, found.event_id, found.version))
                self.whole.applied += 1
            else:
                early.append((found, core, private))
                continue
            if found.version not in arrived:
                filled.append((sheet.number, found.version))
        self.batch.writes.unhold.extend(filled)
        if early:
            self._hold(sheet.number, sheet.version, [e for e in early if e[0].version in arrived])
        elif self.batch.held.get(sheet.number):
            self.batch.writes.gaps_filled.add(sheet.number)

    def _same(self, sheet: Sheet, found: DecodedEvent) -> None:
        """A version that is known: the same event is a duplicate, another one a fork."""
        known = self.batch.hashes.get((sheet.number, found.version))
        if known is None:
            known = next(
                (w.record.hash for w in sheet.written if w.event.version == found.version), found.hash
            )
        if known != found.hash:
            raise Fork(sheet.number, found.version)

    def _hold(self, number: str, known: int, early: Sequence[tuple[DecodedEvent, bytes, bytes]]) -> None:
        """Keep what is too early, within the limit, and ask for the hole."""
        wall = self.batch.context.wall_s()
        room = self.batch.context.hold_limit - len(self.batch.held.get(number, ()))
        for found, core, private in early[: max(0, room)]:
            self.batch.writes.held.append(
                HeldRow(number, found.version, join(core, private), self.message.source, "", wall)
            )
        self.batch.writes.gaps.append(GapRow(number, known + 1, wall, 1))
        ask = GapRequest(case_number=number, from_version=known + 1, to_version=0)
        self.batch.send(self.message.source, number, "gap_request", "", payload=encode_exchange(ask))

    def _snapshot(self, content: Snapshot) -> None:
        """The owner's word on where the case stands, in place of events that will not come."""
        case = content.case
        if case.owner != self.message.source or case.owner == self.batch.context.region:
            return  # only the owner can say it
        sheet = self.batch.sheets.get(case.number)
        if sheet is None:
            sheet = self.batch.new_sheet(case.number, self.hop(case.number, ""))
        elif not sheet.parked and case.version <= sheet.version:
            return
        sheet.case, sheet.last_hash = case, content.last_hash
        sheet.parked, sheet.resynced = False, True
        self.acks.versions.setdefault(self.message.source, {})[case.number] = case.version

    # ---- asks

    def _ask(self, ask: Ask) -> None:
        region = self.batch.context.region
        sheet = self.batch.sheets.get(ask.case_number)
        known = self.batch.asks.get(ask.ask_id)
        if sheet is None or sheet.case is None:
            self._refuse(ask, Code.NO_SUCH_CASE, "case_number", "", 0)
            return
        if sheet.parked:
            return  # not acknowledged: the asker sends it again
        if sheet.case.owner != region:
            self._forward(sheet, ask, known)
            return
        if known is not None:
            if known.state == "refused":
                self._refuse(ask, Code(known.refusal_code), "", known.refusal_detail, sheet.version)
            else:
                self.acks.asks.setdefault(ask.asker, []).append(ask.ask_id)
            return
        head = (ask.asker, ask.case_number)
        if ask.ask_seq > self.batch.ask_heads.get(head, 0) + 1:
            return  # an earlier ask of the same asker is still under way; this one comes again after it
        self.batch.ask_heads[head] = max(self.batch.ask_heads.get(head, 0), ask.ask_seq)
        row = AskRow(
            ask_id=ask.ask_id, case_number=ask.case_number, asker=ask.asker, ask_seq=ask.ask_seq,
            kind=ask.kind.value, command=self.message.raw.value, based_on_version=ask.based_on_version,
            submitted_at=ask.submitted_at,
        )  # fmt: skip
        mark = sheet.mark()
        sheet.trace_parent = self.hop(ask.case_number, sheet.trace_parent)
        try:
            if ask.asker not in {p.region for p in sheet.case.parties}:
                raise CaseError(Code.NOT_IN_TABLE, "asker", "not a party of the case")
            sheet.decide(
                self.batch.context, ask.command, ask.actor, self.batch.now, cause=ask.ask_id,
                submitted_at=min(ask.submitted_at, self.batch.now),
            )  # fmt: skip
        except CaseError as error:
            sheet.back_to(mark)
            self.batch.writes.asks.append(
                replace(row, state="refused", refusal_code=str(error.code), refusal_detail=error.detail)
            )
            self._refuse(ask, error.code, error.field, error.detail, sheet.version)
            return
        self.batch.writes.asks.append(replace(row, state="applied", outcome_version=sheet.version))
        self.acks.asks.setdefault(ask.asker, []).append(ask.ask_id)

    def _forward(self, sheet: Sheet, ask: Ask, known: AskRow | None) -> None:
        """A former owner passes an ask on, once, with the same id."""
        assert sheet.case is not None
        if ask.forwarded_by or (known is not None and known.forwarded_to):
            return
        region = self.batch.context.region
        row = AskRow(
            ask_id=ask.ask_id, case_number=ask.case_number, asker=ask.asker, ask_seq=ask.ask_seq,
            kind=ask.kind.value, command=self.message.raw.value, based_on_version=ask.based_on_version,
            submitted_at=ask.submitted_at, forwarded_to=sheet.case.owner,
        )  # fmt: skip
        self.batch.writes.asks.append(row)
        payload = encode_exchange(replace(ask, forwarded_by=region))
        hop = self.hop(ask.case_number, sheet.trace_parent)
        self.batch.send(sheet.case.owner, ask.case_number, "ask", hop, payload=payload, ref=ask.ask_id)

    def _refuse(self, ask: Ask, code: Code, where: str, detail: str, version: int) -> None:
        refused = AskRefused(
            ask_id=ask.ask_id, case_number=ask.case_number, code=str(code), field=where, detail=detail,
            at_version=version,
        )  # fmt: skip
        hop = self.hop(ask.case_number, "")
        self.batch.send(
            ask.asker, ask.case_number, "ask_refused", hop, payload=encode_exchange(refused), ref=ask.ask_id
        )

    def _ask_refused(self, content: AskRefused) -> None:
        row = self.batch.asks.get(content.ask_id)
        if row is None or row.asker != self.batch.context.region:
            return
        if row.state == "pending":
            self.batch.writes.ask_updates.append(
                replace(row, state="refused", refusal_code=content.code, refusal_detail=content.detail)
            )
        self.acks.refusals.setdefault(self.message.source, []).append(content.ask_id)

    # ---- acknowledgements and holes

    def _ack(self, content: Ack) -> None:
        self.batch.writes.acked.extend(
            (self.message.source, number, version) for number, version in content.versions
        )
        for ask_id in content.ask_ids:
            row = self.batch.asks.get(ask_id)
            if row is not None and row.asker == self.batch.context.region and row.state == "pending":
                self.batch.writes.ask_updates.append(replace(row, state="applied"))

    def _gap_request(self, content: GapRequest) -> None:
        sheet = self.batch.sheets.get(content.case_number)
        if sheet is None or sheet.case is None:
            return
        if self.message.source not in {p.region for p in sheet.case.parties}:
            return  # not a party: nothing is owed, nothing is said
        last = min(content.to_version or sheet.version, sheet.version)
        if content.from_version <= last:
            self.batch.send(
                self.message.source, content.case_number, "events", sheet.trace_parent,
                from_version=content.from_version, to_version=last,
            )  # fmt: skip

    def _park(self, sheet: Sheet | None, number: str, reason: str, detail: str, *, tied: bool) -> None:
        """Put the message aside and, when it is an owner's word on this case, this region's copy with it."""
        if sheet is not None and tied:
            sheet.parked = True
        self.whole._put_aside(self.batch, self.message, number if tied else "", reason, detail)  # noqa: SLF001  # its own


__all__ = ["Arrivals", "Arrived", "Raw", "stay"]
