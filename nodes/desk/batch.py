"""One transaction: what has queued up is loaded, folded in memory and written together.

Knows the order: lock and load the cases, do every piece of work on the sheets, write what came of it together
with the answers. When it is not known whether the requests are new, their ids are claimed before all else. A
piece of work that is refused leaves no trace but its stored answer. Must not know what the pieces of work
are.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime

from nodes.cases import machine
from nodes.cases.case import Case
from nodes.cases.errors import CaseError
from nodes.codec.snapshot import decode_case_state, decode_filing, encode_case_state, encode_filing
from nodes.desk.cache import CaseCache
from nodes.desk.context import Context
from nodes.desk.hops import Hop, spans_of
from nodes.desk.sheet import Sheet
from nodes.desk.work import Answer, DeskError, RequestIdReused, Work
from nodes.desk.writes import Needs, Writes
from nodes.spans import rows_of_hops
from nodes.store.errors import AnswerTaken
from nodes.store.rows import (
    AnswerKey,
    AskRow,
    CaseRow,
    Claim,
    FilingRow,
    GapRequest,
    HeldRow,
    OutboxRow,
    ParkedRow,
    ResyncRow,
    StoredAnswer,
)
from nodes.store.store import WriteTx
from nodes.telemetry.casetrace import CaseTrace
from nodes.telemetry.hop import HopSpan
from nodes.turns import Turns


class Batch:
    """The memory of one transaction. Made, filled and thrown away by the desk."""

    def __init__(
        self, context: Context, unit: WriteTx, cache: CaseCache, turns: Turns,
        last: Callable[[Batch], Awaitable[None]] | None = None,
    ) -> None:  # fmt: skip
        """`last`: what is done when all work is, before anything is written."""
        self.context = context
        self.now: datetime = context.now()
        self.took_s = 0.0
        """From its first statement to its commit; set once it is committed."""
        self.sheets: dict[str, Sheet] = {}
        self.writes = Writes()
        self.asks: dict[str, AskRow] = {}
        self.ask_heads: dict[tuple[str, str], int] = {}
        """(asker, case) -> the highest ask_seq known."""
        self.ask_places: dict[tuple[str, str, int], str] = {}
        self.hashes: dict[tuple[str, int], bytes] = {}
        self.held: dict[str, list[HeldRow]] = {}
        self.gaps: dict[str, GapRequest] = {}
        self.letters: dict[str, ParkedRow] = {}
        self.holdups: dict[str, dict[str, ParkedRow]] = {}
        """Case -> the parked messages that it waits for, by id."""
        self.resyncs: dict[str, list[ResyncRow]] = {}
        self.causes: set[tuple[str, str]] = set()
        self.done_before: dict[tuple[str, str], int] = {}
        """(case, request id) -> the version that it brought before the database was put back."""
        self.fresh: set[tuple[str, str]] = set()
        self.settled: set[str] = set()
        """Cases to which the node has nothing more to do by itself."""
        self.next_due_at: datetime | None = None
        """When the first timer is due in the cases that this batch writes."""
        self.turns = turns
        self._last = last
        self._born: list[str] = []
        self._undo: list[Callable[[], object]] = []
        self._spans: list[HopSpan] = []
        self._unit = unit
        self._cache = cache

    async def run(
        self, works: Sequence[Work], *, claimed: bool = True
    ) -> list[tuple[Work, Answer | DeskError]]:
        """Do all of it and write it. The caller commits, and only then tells the answers.

        `claimed`: requests are claimed before any is done, which costs a way to the database and a second
        version of each answer. Without, all are taken for new ones; raises AnswerTaken, at the latest when
        the transaction ends, when one is not, or whatever doing it once more has led to.
        """
        first: dict[AnswerKey, Work] = {}
        for work in works:
            if work.claim is not None:
                first.setdefault(work.claim.key, work)
        claims = [w.claim for w in first.values() if w.claim is not None]
        given = await self._claim(claims) if claimed else {}
        live = [w for w in works if w.claim is None or (first[w.claim.key] is w and w.claim.key not in given)]
        await self._load(live)
        self.now = self.context.now()  # of the locks: who had them before may have written a moment ago
        outcomes: list[tuple[Work, Answer | DeskError]] = []
        self.turns.begin()
        for work in live:
            outcomes.append((work, self._do(work)))
            await self.turns.pause()  # nothing else writes, and others read what was committed before
        if self._last is not None:
            await self._last(self)
        won, passing = self._answers(outcomes)
        if won:
            await (self._unit.put_answers if claimed else self._unit.give_answers)(won)
        if passing and claimed:
            await self._unit.drop_claims(passing)
        elif passing and await self._unit.find_answers(passing):
            raise AnswerTaken("what has been answered cannot be done again")
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
        missing = [n for n, r in rows.items() if self._cache.get(r) is None]
        filings = await self._unit.load_filings(missing) if missing else {}
        for number, row in rows.items():
            case = self._cache.get(row)
            if case is None:
                filed = filings[number]
                case = decode_case_state(row.snapshot, decode_filing(filed.document, filed.private))
            self.sheets[number] = Sheet(number, row, case, row.last_hash, row.trace_parent, row.parked)
        if needs.asks:
            self.asks = await self._unit.load_asks(sorted(needs.asks))
        open_asks = {i for i in needs.asks if i not in self.asks or self.asks[i].state == "pending"}
        if causes := {key for key in needs.causes if key[1] in open_asks}:
            self.causes = set(await self._unit.events_by_cause(causes))
        if needs.requests:
            before = await self._unit.events_by_cause(needs.requests)
            self.done_before = {key: event.version for key, event in before.items()}
        for asker in sorted({asker for asker, _ in needs.ask_heads}):
            theirs = sorted(number for a, number in needs.ask_heads if a == asker)
            for (number, seq), ask_id in (await self._unit.ask_places(asker, theirs)).items():
                self.note_ask(asker, number, seq, ask_id)
        known = [(n, v, v) for n, v in sorted(needs.hashes) if n in rows and v <= rows[n].version]
        if known:
            self.hashes = {key: row.hash for key, row in (await self._unit.events_of(known)).items()}
        await self._load_waiting(needs, rows, {n for n, _, _ in known})
        if needs.seen:
            self.fresh = await self._unit.record_seen(sorted(needs.seen), wall_s=self.context.wall_s())

    async def _load_waiting(self, needs: Needs, rows: Mapping[str, CaseRow], known: set[str]) -> None:
        """What is held, which holes were asked for, and what holds a case up: of most cases nothing."""
        if needs.held:
            for held in await self._unit.held(sorted(needs.held)):
                self.held.setdefault(held.case_number, []).append(held)
            if self.held:
                self.gaps = await self._unit.gap_requests(self.held)
        doubtful = {n for n in needs.held if n not in rows or rows[n].parked}
        if doubtful:
            for letter in await self._unit.parked_of_cases(doubtful):
                self.holdups.setdefault(letter.case_number or "", {})[letter.id] = letter
        if doubtful | known:
            for resync in await self._unit.resyncs_of(doubtful | known):
                self.resyncs.setdefault(resync.case_number, []).append(resync)
        if needs.letters:
            self.letters = await self._unit.load_letters(needs.letters)

    def _do(self, work: Work) -> Answer | DeskError:
        try:
            with self.attempt(work.numbers):
                answer = work.do(self)
        except CaseError as error:
            return work.refusal(error)
        except DeskError as error:
            return error
        hops = getattr(work, "hops", None) or (getattr(work, "hop", None),)
        self.keep_spans(*(hop for hop in hops if hop is not None))
        return answer

    def keep_spans(self, *hops: Hop) -> None:
        """The spans of these hops are stored with what they did."""
        self._spans += spans_of(hops)

    @contextmanager
    def attempt(self, numbers: Iterable[str]) -> Iterator[None]:
        """All or nothing in memory: what is raised inside undoes all of it, and goes on outwards."""
        marks = {number: self.sheets[number].mark() for number in numbers if number in self.sheets}
        before = self.writes, self._born, self._undo
        self.writes, self._born, self._undo = Writes(), [], []
        try:
            yield
        except BaseException:
            for undo in reversed(self._undo):
                undo()
            for number in self._born:
                del self.sheets[number]
            for number, mark in marks.items():
                self.sheets[number].back_to(mark)
            self.writes, self._born, self._undo = before
            raise
        writes, born, undo_all = before
        writes.take(self.writes)
        self.writes, self._born, self._undo = writes, born + self._born, undo_all + self._undo

    def on_undo(self, undo: Callable[[], object]) -> None:
        """What takes back a change of this memory that is neither a sheet's nor a row to be written."""
        self._undo.append(undo)

    def note_ask(self, asker: str, number: str, seq: int, ask_id: str) -> None:
        """The place of an ask among its asker's is taken."""
        self.ask_places[(asker, number, seq)] = ask_id
        self.ask_heads[(asker, number)] = max(seq, self.ask_heads.get((asker, number), 0))

    def waits(self, number: str) -> bool:
        """Whether the case waits for a parked message to be settled, or for its owner's snapshot."""
        return bool(self.holdups.get(number)) or self.awaited(number) is not None

    def awaited(self, number: str) -> ResyncRow | None:
        """The snapshot that was asked for and is not here yet."""
        return next((r for r in self.resyncs.get(number, ()) if r.to_version is None), None)

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
                await self.turns.pause()
            elif sheet.row is not None and sheet.parked != sheet.row.parked:
                row = sheet.parked_row()
                assert row is not None
                flagged.append(row)
        if self._spans:
            await unit.insert_spans(rows_of_hops(self._spans))
        if writes.filings:
            await unit.insert_filings(list(writes.filings.values()))
        if rows or flagged:
            await unit.put_cases([*rows, *flagged], {**expected, **{r.number: r.version for r in flagged}})
        await writes.write(unit, hold_limit=self.context.hold_limit)
        if events:  # last: from here to the commit nobody else in this region can write events
            await unit.insert_events(events)

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
        next_due = machine.next_due(case) if owned else None
        if next_due is not None and (self.next_due_at is None or next_due < self.next_due_at):
            self.next_due_at = next_due
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
            next_due_at=next_due,
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
                self._cache.keep(sheet.case, sheet.last_hash)


def _like_the_first(claim: Claim, given: Mapping[AnswerKey, StoredAnswer]) -> Answer | DeskError:
    """The answer to a request whose id was claimed before, in this batch or an earlier one."""
    first = given.get(claim.key)
    if first is None:
        return DeskError("the first of two equal requests failed; send it again")
    if first.fingerprint and first.fingerprint != claim.fingerprint:  # "": its effect came back, not its body
        return RequestIdReused(claim.request_id)
    return Answer.read(first.answer)
