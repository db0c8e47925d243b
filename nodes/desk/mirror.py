"""Events and handovers from other regions: how this region's copy of a case follows its owner.

Knows the rules of a mirror: apply n + 1, drop what is known by its hash, hold what is too early and ask for
the hole, never ignore a fork, take no event but the owner's. Must not know topics or headers, nor how a hole
is filled by a snapshot (`holes`).
"""

from __future__ import annotations

from collections.abc import Sequence

from nodes.cases.case import Actor, Role
from nodes.cases.commands import Receive, RejectHandover
from nodes.cases.errors import CaseError
from nodes.cases.events import Filed
from nodes.codec.errors import DecodeError
from nodes.codec.exchange import EventBatch, ServiceRequest
from nodes.codec.record import DecodedEvent, Record, decode_record
from nodes.desk.arrived import join, split
from nodes.desk.sheet import Fork, Sheet
from nodes.desk.taking import HOLD_LIMIT, Taking, Unfit
from nodes.store.rows import HeldRow

Found = tuple[DecodedEvent, bytes, bytes]
"""An event as read, its core and its private part."""


def take_events(t: Taking, content: EventBatch | ServiceRequest) -> None:
    """Events n to m of a case; the last of them may hand it over to this region."""
    number, records = content.case_number, content.records
    if t.batch.waits(number):
        t.batch.writes.seen.append((number, content.from_version + len(records) - 1))
        return
    found = read_records(number, records)
    sheet = t.batch.sheets.get(number)
    if sheet is None:
        first = found[0][0]
        if first.version != 1 or not isinstance(first.event.body, Filed):
            _hold(t, number, 0, found)
            return
        if first.event.body.filing.case_number != number:
            raise Unfit("CASE_MISMATCH", "the filing is of another case", tied=False)
        sheet = t.batch.new_sheet(number, t.hop(number, ""))
        follow(t, sheet, found)
        check_party(t, sheet)
    else:
        sheet.trace_parent = t.hop(number, sheet.trace_parent)
        sheet.parked = False
        follow(t, sheet, found)
    t.acks.has(t.source, number, sheet.version)
    receive(t, sheet)


def read_records(number: str, records: Sequence[tuple[bytes, bytes]]) -> list[Found]:
    """The events of one case. Raises Unfit for what cannot be read, or is of another case."""
    try:
        found = [(decode_record(core, private), core, private) for core, private in records]
    except DecodeError as error:
        raise Unfit("BAD_RECORD", str(error)) from None
    if any(event.case_number != number for event, _, _ in found):
        raise Unfit("CASE_MISMATCH", "a record is of another case", tied=False)
    return found


def check_party(t: Taking, sheet: Sheet) -> None:
    """Raises Unfit when this region has no part in the case."""
    assert sheet.case is not None
    if t.region not in {p.region for p in sheet.case.parties}:
        raise Unfit("NOT_A_PARTY", "this region has no part in the case", tied=False)


def receive(t: Taking, sheet: Sheet) -> None:
    """The new owner's first event, when the case was handed to this region. Its other answer is to give it
    back.
    """
    case = sheet.case
    if case is None or case.owner != t.region or not case.awaiting_receipt:
        return
    context = t.batch.context
    problem = context.refuse_handover(case) if context.refuse_handover else ""
    command = RejectHandover(problem) if problem else Receive()
    try:
        sheet.decide(context, command, Actor(Role.NODE, t.region, "inbox"), t.batch.now)
    except CaseError as error:
        raise Unfit("NOT_RECEIVED", f"the handover cannot be answered: {error.code}") from None


def follow(t: Taking, sheet: Sheet, arrived: Sequence[Found]) -> None:
    """Apply what is next, of the message and of what is held. Raises Unfit; then nothing of it is kept."""
    rows = t.batch.held.get(sheet.number, ())
    held = {row.version: _unhold(row) for row in rows if row.version > sheet.version}
    given = {event.version for event, _, _ in arrived}
    items = {**held, **{item[0].version: item for item in arrived}}
    early: list[Found] = []
    hole = False
    for version in sorted(items):
        event, core, private = items[version]
        if version <= sheet.version:
            _check_same(t, sheet, event)
        elif version > sheet.version + 1:
            hole = True
            early += [items[version]] if version in given else []
        elif version in given:
            _apply(t, sheet, event, core, private)
        else:
            hole = not _apply_held(t, sheet, event, core, private) or hole
    if any(row.version <= sheet.version for row in rows):
        t.batch.writes.unhold.append((sheet.number, sheet.version))
    if early:
        _hold(t, sheet.number, sheet.version, early)
    elif hole:
        t.ask_for_hole(t.source, sheet.number, sheet.version + 1)
    elif sheet.number in t.batch.gaps:
        t.batch.writes.gaps[sheet.number] = None


def _apply(t: Taking, sheet: Sheet, event: DecodedEvent, core: bytes, private: bytes) -> None:
    if event.must_understand and not event.understood:
        raise Unfit("MUST_UNDERSTAND", f"version {event.version} is {event.type}, which this node lacks")
    owner = sheet.case.owner if sheet.case else event.event.after.owner
    if event.event.author != owner:
        raise Unfit("NOT_THE_OWNER", f"version {event.version} is by {event.event.author}, not by {owner}")
    try:
        sheet.apply(event, Record(core, private, event.hash, event.event_id, event.version))
    except Fork as fork:
        raise Unfit("FORK", str(fork)) from None
    t.applied += 1


def _apply_held(t: Taking, sheet: Sheet, event: DecodedEvent, core: bytes, private: bytes) -> bool:
    """What was held is proven only now; what does not fit is forgotten, and asked for again."""
    try:
        _apply(t, sheet, event, core, private)
    except Unfit:
        t.batch.writes.unhold.append((sheet.number, event.version))
        return False
    return True


def _check_same(t: Taking, sheet: Sheet, event: DecodedEvent) -> None:
    """A version that is known: the same event is a duplicate, another one a fork."""
    if any(
        r.from_version <= event.version <= (r.to_version or 0) for r in t.batch.resyncs.get(sheet.number, ())
    ):
        return  # a snapshot took its place
    written = next((w.record.hash for w in sheet.written if w.event.version == event.version), None)
    known = written or t.batch.hashes.get((sheet.number, event.version))
    if known is not None and known != event.hash:
        raise Unfit("FORK", str(Fork(sheet.number, event.version)))


def _hold(t: Taking, number: str, known: int, early: Sequence[Found]) -> None:
    """Keep what is too early and ask for the hole. Beyond the limit the case waits for an operator: so much
    is never ahead of a hole that somebody is able to fill.
    """
    batch = t.batch
    wall, limit = batch.context.wall_s(), batch.context.hold_limit
    held = batch.held.setdefault(number, [])
    there = {row.version for row in held}
    rows = [
        HeldRow(number, event.version, join(core, private), t.source, t.message.traceparent, wall)
        for event, core, private in early
        if event.version not in there
    ]
    if len(held) + len(rows) > limit:
        raise Unfit(HOLD_LIMIT, f"more than {limit} events wait for version {known + 1}")
    batch.writes.held.extend(rows)
    batch.held[number] = held + rows
    batch.on_undo(lambda: batch.held.__setitem__(number, held))
    t.ask_for_hole(t.source, number, known + 1)


def _unhold(row: HeldRow) -> Found:
    core, private = split(row.record)
    return decode_record(core, private), core, private
