"""What is missing, and what fills it: holes that are asked for, and the owner's snapshot in place of events.

Knows who is owed what: a party its events, a late joiner and a copy that lost an event the state as it is,
never other parties' history. Must not know how events are applied (`mirror`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from nodes.cases.case import Case, CaseRole
from nodes.codec.errors import DecodeError
from nodes.codec.exchange import GapRequest, Snapshot, encode_exchange
from nodes.codec.record import DecodedEvent, Record, decode_record
from nodes.codec.snapshot import decode_case_state, decode_filing
from nodes.desk.context import Context
from nodes.desk.mirror import follow, receive
from nodes.desk.sheet import Sheet, Written
from nodes.desk.taking import Taking, Unfit
from nodes.store.rows import CaseRow, OutboxRow, ResyncRow
from nodes.store.rows import GapRequest as GapRow
from nodes.store.store import ReadTx, WriteTx
from nodes.telemetry.casetrace import CaseTrace

_WHOLE: Final = frozenset({CaseRole.COMPETENT, CaseRole.PART})
"""Parties that are given what was before they joined: to whom a case was handed, and who keeps a lead."""
EVENTS_IN_ONE: Final = 100
"""Events of one message that fills a hole, so that it stays far below what a bus takes."""


def take_gap_request(t: Taking, content: GapRequest) -> None:
    """Another party lacks events, or wants the state in their place."""
    sheet = t.batch.sheets.get(content.case_number)
    asker = content.asker or t.source
    if sheet is None or sheet.case is None or asker == t.region:
        return
    if asker not in {p.region for p in sheet.case.parties}:
        return  # not a party: nothing is owed, nothing is said
    hop = t.hop(sheet.number, sheet.trace_parent)
    if content.snapshot or _joined_late(sheet.case, asker, content.from_version):
        _give_snapshot(t, sheet, asker, content, hop)
        return
    last = min(content.to_version or sheet.version, sheet.version)
    for first in range(content.from_version, last + 1, EVENTS_IN_ONE):
        t.batch.send(
            asker, sheet.number, "events", hop, from_version=first,
            to_version=min(last, first + EVENTS_IN_ONE - 1),
        )  # fmt: skip


def _joined_late(case: Case, region: str, first: int) -> bool:
    """Whether the region is party since later than it asks for, and was not given the whole history then."""
    roles = [p for p in case.parties if p.region == region]
    return all(p.since_version > first and p.role not in _WHOLE for p in roles)


def _give_snapshot(t: Taking, sheet: Sheet, asker: str, content: GapRequest, hop: str) -> None:
    """The owner gives it; who handed the case to the asker gives it too; who owned it once passes it on."""
    assert sheet.case is not None
    if sheet.parked:
        return  # this copy is not whole itself: the asker asks again
    if sheet.case.owner in (t.region, asker):
        t.batch.send(asker, sheet.number, "snapshot", hop)
    elif not content.asker:
        payload = encode_exchange(replace(content, asker=asker))
        t.batch.send(sheet.case.owner, sheet.number, "gap_request", hop, payload=payload)


async def snapshot_of(unit: ReadTx, number: str) -> bytes | None:
    """The data of a snapshot as the case is when it is sent; None when there is no such case."""
    row = (await unit.load_cases([number])).get(number)
    if row is None:
        return None
    filed = (await unit.load_filings([number]))[number]
    last = await unit.events(number, row.version, row.version)
    case = decode_case_state(row.snapshot, decode_filing(filed.document, filed.private))
    records = [(event.core, event.private) for event in last]
    return encode_exchange(
        Snapshot(case, row.last_hash, records[0] if records else (b"", b""), bytes.fromhex(row.trace_id))
    )


def take_snapshot(t: Taking, content: Snapshot) -> None:
    """The state of a case in place of events that will not come. What nobody asked for changes nothing."""
    batch, case, number = t.batch, content.case, content.case_number
    sheet, awaited = batch.sheets.get(number), batch.awaited(number)
    if batch.holdups.get(number) or (sheet is not None and awaited is None):
        return
    if t.region not in {p.region for p in case.parties}:
        raise Unfit("NOT_A_PARTY", "this region has no part in the case", tied=False)
    if case.owner != t.source and not (case.owner == t.region and case.awaiting_receipt):
        raise Unfit("NOT_THE_OWNER", f"a snapshot by {t.source}, the owner is {case.owner}", tied=False)
    last = _last(content)
    if sheet is None:
        sheet = batch.new_sheet(number, t.hop(number, ""))
    else:
        sheet.trace_parent = t.hop(number, sheet.trace_parent)
    stored = last is not None and case.version > sheet.version
    if last is not None and stored:
        record = Record(*content.last, last.hash, last.event_id, last.version)
        sheet.written.append(Written(last.event, record, last.event.caused_by or None))
    sheet.case, sheet.last_hash = case, content.last_hash
    sheet.resynced, sheet.parked = True, False
    _record(t, case, awaited, stored=stored)
    follow(t, sheet, ())
    if awaited is not None and awaited.highest_seen > sheet.version:
        t.ask_for_hole(t.source, number, sheet.version + 1)
    t.acks.has(t.source, number, sheet.version)
    receive(t, sheet)


def _last(content: Snapshot) -> DecodedEvent | None:
    """The last event, when this node can read it; it may be the very one that was dropped."""
    core, private = content.last
    if not core:
        return None
    if hashlib.sha256(core).digest() != content.last_hash:
        raise Unfit("BAD_SNAPSHOT", "the last event is not the one that its hash names", tied=False)
    try:
        found = decode_record(core, private)
    except DecodeError:
        return None
    if (found.case_number, found.version) != (content.case_number, content.case.version):
        raise Unfit("BAD_SNAPSHOT", "the last event is not the case's", tied=False)
    return found


def _record(t: Taking, case: Case, awaited: ResyncRow | None, *, stored: bool) -> None:
    """From which version on, and up to which, this copy has no events."""
    wall = t.batch.context.wall_s()
    last = case.version - 1 if stored else case.version
    row = awaited or ResyncRow(f"joined-{case.number}", case.number, 1, None, t.source, wall)
    done = replace(row, to_version=last, done_wall_s=wall)
    others = [r for r in t.batch.resyncs.get(case.number, ()) if r.id != row.id]
    t.batch.resyncs[case.number] = [*others, done]
    t.batch.on_undo(lambda: t.batch.resyncs.__setitem__(case.number, [*others, row] if awaited else others))
    t.batch.writes.resyncs.append(done)


async def ask_again(unit: WriteTx, context: Context, *, before_wall_s: float, limit: int) -> list[OutboxRow]:
    """What is to be asked once more: holes not filled and snapshots not given since then. Writes when."""
    gaps = await unit.gaps_before(before_wall_s, limit)
    resyncs = await unit.resyncs_awaited(before_wall_s, limit)
    numbers = {g.case_number for g in gaps} | {r.case_number for r in resyncs}
    cases = await unit.load_cases(numbers, lock=True) if numbers else {}
    rows = await _holes_again(unit, context, gaps, cases)
    again = []
    for resync in resyncs:
        case = cases.get(resync.case_number)
        of = case.owner if case is not None and case.owner != context.region else resync.asked_of
        again.append(
            replace(
                resync,
                asked_wall_s=context.asked_again_at(resync.attempts),
                attempts=resync.attempts + 1,
                asked_of=of,
            )
        )
        rows.append(snapshot_request(context, of, resync.case_number, resync.from_version, case))
    await unit.put_resyncs(again)
    return rows


async def _holes_again(
    unit: WriteTx, context: Context, gaps: Sequence[GapRow], cases: dict[str, CaseRow]
) -> list[OutboxRow]:
    held: dict[str, list[tuple[int, str]]] = {}
    for h in await unit.held(g.case_number for g in gaps) if gaps else ():
        held.setdefault(h.case_number, []).append((h.version, h.source))
    rows, again, filled = [], [], []
    for gap in gaps:
        case = cases.get(gap.case_number)
        known = case.version if case is not None else 0
        waiting = [(version, source) for version, source in held.get(gap.case_number, ()) if version > known]
        if (case is not None and (case.parked or case.owned)) or (not waiting and known >= gap.from_version):
            filled.append(gap.case_number)
            continue
        of = case.owner if case is not None else waiting[0][1] if waiting else ""
        if not of:
            filled.append(gap.case_number)
            continue
        asked_wall_s = context.asked_again_at(gap.attempts)
        again.append(GapRow(gap.case_number, known + 1, asked_wall_s, gap.attempts + 1))
        ask = encode_exchange(GapRequest(case_number=gap.case_number, from_version=known + 1))
        rows.append(_row(context, of, gap.case_number, ask, case))
    await unit.put_gap_requests(again)
    if filled:
        await unit.close_gaps(filled)
    return rows


def snapshot_request(context: Context, of: str, number: str, first: int, case: CaseRow | None) -> OutboxRow:
    """The wish for a snapshot in place of the events from `first` on."""
    ask = encode_exchange(GapRequest(case_number=number, from_version=first, snapshot=True))
    return _row(context, of, number, ask, case)


def _row(context: Context, of: str, number: str, payload: bytes, case: CaseRow | None) -> OutboxRow:
    hop = CaseTrace.stored(number, case.trace_parent).reserve() if case is not None else None
    return OutboxRow(
        lane=context.lane(number), destination=of, case_number=number, kind="gap_request", from_version=0,
        to_version=0, ref="", payload=payload, created_wall_s=context.wall_s(),
        traceparent=f"{hop.traceparent}/{hop.parent_hex}" if hop else "",
    )  # fmt: skip
