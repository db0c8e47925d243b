"""One transaction: what has queued up is loaded, folded in memory and written together.

Knows the order: claim the request ids, lock and load the cases, do every piece of work on the sheets, write.
A piece of work that is refused leaves no trace but its stored answer. Must not know what the pieces of work
are.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from nodes.cases import machine
from nodes.cases.case import Case
from nodes.cases.errors import CaseError
from nodes.codec.snapshot import decode_case_state, decode_filing, encode_case_state, encode_filing
from nodes.desk.context import Context
from nodes.desk.sheet import Sheet
from nodes.desk.work import Answer, DeskError, RequestIdReused, Work
from nodes.store.rows import (
    AnswerKey,
    AskRow,
    BusOffset,
    CaseRow,
    Claim,
    FilingRow,
    GapRequest,
    HeldRow,
    MaterialRow,
    MaterialUse,
    OutboxRow,
    ParkedRow,
    StoredAnswer,
)
from nodes.store.store import WriteTx
from nodes.telemetry.casetrace import CaseTrace


@dataclass(slots=True)
class Needs:
    """What the work of a batch wants loaded beside its cases."""

    asks: set[str] = field(default_factory=set)
    """Ask ids that may have been seen before."""
    hashes: set[tuple[str, int]] = field(default_factory=set)
    """(case, version) of events that may have been applied before."""
    ask_heads: set[tuple[str, str]] = field(default_factory=set)
    """(asker, case) whose last ask_seq is wanted."""
    held: set[str] = field(default_factory=set)
    """Cases whose held events are wanted."""
    seen: set[tuple[str, str]] = field(default_factory=set)
    """(source, message id) to be recorded."""


@dataclass(slots=True)
class Writes:
    """Rows that pieces of work add directly."""

    outbox: list[OutboxRow] = field(default_factory=list)
    asks: list[AskRow] = field(default_factory=list)
    ask_updates: list[AskRow] = field(default_factory=list)
    held: list[HeldRow] = field(default_factory=list)
    unhold: list[tuple[str, int]] = field(default_factory=list)
    gaps: list[GapRequest] = field(default_factory=list)
    gaps_filled: set[str] = field(default_factory=set)
    parked: list[ParkedRow] = field(default_factory=list)
    parked_seen: dict[str, int] = field(default_factory=dict)
    offsets: dict[tuple[str, int], BusOffset] = field(default_factory=dict)
    acked: list[tuple[str, str, int]] = field(default_factory=list)
    materials: list[MaterialRow] = field(default_factory=list)
    material_uses: list[MaterialUse] = field(default_factory=list)
    filings: dict[str, FilingRow] = field(default_factory=dict)

    def take(self, other: Writes) -> None:
        """Add what one piece of work wrote."""
        for name in self.__slots__:
            mine, theirs = getattr(self, name), getattr(other, name)
            if theirs:
                mine.extend(theirs) if isinstance(mine, list) else mine.update(theirs)


class Batch:
    """The memory of one transaction. Made, filled and thrown away by the desk."""

    def __init__(self, context: Context, unit: WriteTx, cache: CaseCache) -> None:
        self.context = context
        self.now: datetime = context.now()
        self.sheets: dict[str, Sheet] = {}
        self.writes = Writes()
        self.asks: dict[str, AskRow] = {}
        self.ask_heads: dict[tuple[str, str], int] = {}
        self.hashes: dict[tuple[str, int], bytes] = {}
        self.held: dict[str, list[HeldRow]] = {}
        self.fresh: set[tuple[str, str]] = set()
        self._born: list[str] = []
        self._unit = unit
        self._cache = cache

    async def run(self, works: Sequence[Work]) -> list[tuple[Work, Answer | DeskError]]:
        """Do all of it and write it. The caller commits, and only then tells the answers."""
        first: dict[AnswerKey, Work] = {}
        for work in works:
            if work.claim is not None:
                first.setdefault(work.claim.key, work)
        given = await self._claim([w.claim for w in first.values() if w.claim is not None])
        live = [w for w in works if w.claim is None or (first[w.claim.key] is w and w.claim.key not in given)]
        await self._load(live)
        outcomes: list[tuple[Work, Answer | DeskError]] = [(work, self._do(work)) for work in live]
        won, passing = self._answers(outcomes)
        if won:
            await self._unit.put_answers(won)
        if passing:
            await self._unit.drop_claims(passing)
        await self._write()
        given |= {answer.key: answer for answer in won}
        done = {id(work) for work, _ in outcomes}
        outcomes += [(w, _like_the_first(w.claim, given)) for w in works if w.claim and id(w) not in done]
        return outcomes

    async def _claim(self, claims: list[Claim]) -> dict[AnswerKey, StoredAnswer]:
        """The answers that exist; the keys without one are won by this transaction."""
        if not claims:
            return {}
        found = await self._unit.claim_answers(claims, created_wall_s=self.context.wall_s())
        return {key: answer for key, answer in found.items() if answer is not None}

    def _answers(
        self, outcomes: Sequence[tuple[Work, Answer | DeskError]]
    ) -> tuple[list[StoredAnswer], list[AnswerKey]]:
        """What is to be stored, and the keys that are given up because the error may pass."""
        won: list[StoredAnswer] = []
        passing: list[AnswerKey] = []
        for work, outcome in outcomes:
            if (claim := work.claim) is None:
                continue
            if isinstance(outcome, Answer):
                wall = self.context.wall_s()
                won.append(
                    StoredAnswer(claim.client, claim.request_id, claim.fingerprint, outcome.stored(), wall)
                )
            else:
                passing.append(claim.key)
        return won, passing

    async def _load(self, works: Iterable[Work]) -> None:
        needs = Needs()
        numbers: set[str] = set()
        for work in works:
            numbers.update(work.numbers)
            if (tell := getattr(work, "tell_needs", None)) is not None:
                tell(needs)
        rows = await self._unit.load_cases(sorted(numbers), lock=True) if numbers else {}
        missing = [n for n, r in rows.items() if not self._cache.has(n, r.version)]
        filings = await self._unit.load_filings(missing) if missing else {}
        for number, row in rows.items():
            case = self._cache.get(number, row.version)
            if case is None:
                filed = filings[number]
                case = decode_case_state(row.snapshot, decode_filing(filed.document, filed.private))
            self.sheets[number] = Sheet(number, row, case, row.last_hash, row.trace_parent, row.parked)
        if needs.asks:
            self.asks = await self._unit.load_asks(sorted(needs.asks))
        for asker in sorted({asker for asker, _ in needs.ask_heads}):
            theirs = sorted(number for a, number in needs.ask_heads if a == asker)
            for number, following in (await self._unit.next_ask_seqs(asker, theirs)).items():
                self.ask_heads[(asker, number)] = following - 1
        known = [(n, v, v) for n, v in sorted(needs.hashes) if n in rows and v <= rows[n].version]
        if known:
            self.hashes = {key: row.hash for key, row in (await self._unit.events_of(known)).items()}
        if needs.held:
            for held in await self._unit.held(sorted(needs.held)):
                self.held.setdefault(held.case_number, []).append(held)
        if needs.seen:
            self.fresh = await self._unit.record_seen(sorted(needs.seen), wall_s=self.context.wall_s())

    def _do(self, work: Work) -> Answer | DeskError:
        marks = {number: self.sheets[number].mark() for number in work.numbers if number in self.sheets}
        before, self.writes, self._born = self.writes, Writes(), []
        try:
            answer = work.do(self)
        except (CaseError, DeskError) as error:
            for number in self._born:
                del self.sheets[number]
            for number, mark in marks.items():
                self.sheets[number].back_to(mark)
            self.writes = before
            return work.refusal(error) if isinstance(error, CaseError) else error
        before.take(self.writes)
        self.writes = before
        return answer

    def new_sheet(self, number: str, trace_parent: str) -> Sheet:
        """A case that is brought into being by this piece of work."""
        sheet = Sheet(number, None, None, b"", trace_parent)
        self.sheets[number] = sheet
        self._born.append(number)
        return sheet

    def send(
        self, destination: str, number: str, kind: str, trace_parent: str, *, payload: bytes | None = None,
        ref: str = "", from_version: int = 0, to_version: int = 0,
    ) -> None:  # fmt: skip
        """One message to another region, in the lane of its case.

        The hop that will send it has its id from now on: whichever process sends it, it is that hop.
        """
        hop = CaseTrace.stored(number, trace_parent).reserve() if trace_parent else None
        self.writes.outbox.append(
            OutboxRow(
                lane=self.context.lane(number),
                destination=destination,
                case_number=number,
                kind=kind,
                from_version=from_version,
                to_version=to_version,
                ref=ref,
                payload=payload,
                traceparent=f"{hop.traceparent}/{hop.parent_hex}" if hop else "",
                created_wall_s=self.context.wall_s(),
            )
        )

    async def _write(self) -> None:
        unit, writes = self._unit, self.writes
        rows: list[CaseRow] = []
        expected: dict[str, int] = {}
        events = []
        flagged: list[CaseRow] = []
        for sheet in self.sheets.values():
            if sheet.written or sheet.resynced:
                events.extend(sheet.event_rows())
                rows.append(self._row(sheet))
                if sheet.row is not None:
                    expected[sheet.number] = sheet.row.version
                self._owe(sheet)
                if sheet.row is None and sheet.case is not None:
                    writes.filings.setdefault(sheet.number, self._filing_row(sheet.case))
            elif sheet.row is not None and sheet.parked != sheet.row.parked:
                row = sheet.parked_row()
                assert row is not None
                flagged.append(row)
        if writes.filings:
            await unit.insert_filings(list(writes.filings.values()))
        if rows or flagged:
            await unit.put_cases([*rows, *flagged], {**expected, **{r.number: r.version for r in flagged}})
        if events:
            await unit.insert_events(events)
        await self._write_rest(unit, writes)

    async def _write_rest(self, unit: WriteTx, writes: Writes) -> None:
        """In this order: a row that another points to goes first."""
        most = self.context.hold_limit
        steps: tuple[tuple[Any, Callable[[], Awaitable[object]]], ...] = (
            (writes.asks, lambda: unit.insert_asks(writes.asks)),
            (writes.ask_updates, lambda: unit.settle_asks(writes.ask_updates)),
            (writes.unhold, lambda: unit.drop_held(writes.unhold)),
            (writes.held, lambda: unit.hold(writes.held, most=most)),
            (writes.gaps, lambda: unit.put_gap_requests(writes.gaps)),
            (writes.gaps_filled, lambda: unit.close_gaps(sorted(writes.gaps_filled))),
            (writes.parked, lambda: unit.park(writes.parked)),
            (writes.parked_seen, lambda: unit.note_seen_while_parked(sorted(writes.parked_seen.items()))),
            (writes.materials, lambda: unit.insert_materials(writes.materials)),
            (writes.material_uses, lambda: unit.insert_material_uses(writes.material_uses)),
            (writes.acked, lambda: unit.note_acked(writes.acked)),
            (writes.outbox, lambda: unit.insert_outbox(writes.outbox)),
            (writes.offsets, lambda: unit.put_offsets(list(writes.offsets.values()))),
        )
        for rows, write in steps:
            if rows:
                await write()

    def _owe(self, sheet: Sheet) -> None:
        """One message a destination: events n to m, or the whole history to whom the case was handed."""
        for region, first in sheet.sent_to.items():
            handed = region == sheet.handed_to
            self.send(
                region, sheet.number, "service_request" if handed else "events", sheet.trace_parent,
                from_version=1 if handed else first, to_version=sheet.version,
            )  # fmt: skip

    def _row(self, sheet: Sheet) -> CaseRow:
        case, region = sheet.case, self.context.region
        assert case is not None
        filing = case.filing
        owned = case.owner == region
        due = [c.due_at for c in case.clocks if c.ended_at is None]
        return CaseRow(
            number=sheet.number,
            state=case.state.value,
            kind=filing.kind.value,
            version=case.version,
            epoch=case.epoch,
            owner=case.owner,
            owned=owned,
            origin=filing.origin,
            competent=filing.competent,
            authority=case.authority,
            matter=filing.matter,
            light=case.light.value,
            due_at=min(due, default=None),
            next_due_at=machine.next_due(case) if owned else None,
            last_hash=sheet.last_hash,
            snapshot=encode_case_state(case),
            trace_id=sheet.trace_parent[3:35],
            trace_parent=sheet.trace_parent,
            lead=filing.lead,
            part_index=filing.part_index,
            open=case.open,
            filed_at=filing.filed_at,
            updated_at=self.now,
            parked=sheet.parked,
        )

    def _filing_row(self, case: Case) -> FilingRow:
        document, private = encode_filing(case.filing)
        return FilingRow(
            case_number=case.number,
            document=document,
            private=private,
            applicant_key=self.context.applicant_key(case.filing.applicant),
            matter=case.filing.matter,
            filed_at=case.filing.filed_at,
        )

    def remember(self) -> None:
        """After the commit: keep the decoded cases, so that the next batch need not decode them."""
        for sheet in self.sheets.values():
            if sheet.case is not None:
                self._cache.put(sheet.case)


def _like_the_first(claim: Claim, given: Mapping[AnswerKey, StoredAnswer]) -> Answer | DeskError:
    """The answer to a request whose id was claimed before, in this batch or an earlier one."""
    first = given.get(claim.key)
    if first is None:
        return DeskError("the first of two equal requests failed; send it again")
    if first.fingerprint != claim.fingerprint:
        return RequestIdReused(claim.request_id)
    return Answer.read(first.answer)


class CaseCache:
    """The cases that were decoded last, by number; valid only together with the version of the stored row."""

    def __init__(self, size: int = 4096) -> None:
        self._size = size
        self._cases: dict[str, Case] = {}

    def has(self, number: str, version: int) -> bool:
        """Whether that version is here."""
        case = self._cases.get(number)
        return case is not None and case.version == version

    def get(self, number: str, version: int) -> Case | None:
        """The case at that version, or None."""
        case = self._cases.get(number)
        return case if case is not None and case.version == version else None

    def put(self, case: Case) -> None:
        """Keep it; the one kept longest goes when there is no room."""
        self._cases.pop(case.number, None)
        self._cases[case.number] = case
        if len(self._cases) > self._size:
            del self._cases[next(iter(self._cases))]
