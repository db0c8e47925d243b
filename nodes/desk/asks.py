"""Asks of other regions, and their answers to ours.

Knows the rules of an owner: every ask is answered once, by an event or by a refusal, and of a former owner:
an ask is passed on once, with the same id. Must not know what a verb does to a case.
"""

from __future__ import annotations

from dataclasses import replace

from nodes.cases.case import Case, CaseRole
from nodes.cases.errors import CaseError, Code
from nodes.cases.filing import Kind
from nodes.codec.exchange import Ack, Ask, AskKind, AskRefused, UnreadAsk, encode_exchange
from nodes.desk.sheet import Sheet
from nodes.desk.taking import Taking, Unfit
from nodes.store.rows import AskRow


def take_ask(t: Taking, ask: Ask) -> None:
    """Decide it, refuse it, pass it on, or, while the case waits, leave it to be sent again."""
    sheet = t.batch.sheets.get(ask.case_number)
    if sheet is None or sheet.case is None:
        _refuse(t, ask, Code.NO_SUCH_CASE, "case_number")
    elif sheet.parked:
        return  # not acknowledged: the asker sends it again
    elif (ask.case_number, ask.ask_id) in t.batch.causes:
        t.acks.asks.setdefault(ask.asker, []).append(ask.ask_id)  # an owner before this one applied it
    elif (known := t.batch.asks.get(ask.ask_id)) is not None and known.state != "pending":
        _answer_again(t, ask, known, sheet)
    elif not sheet.owned_by(t.region):
        _pass_on(t, ask, sheet, known)
    elif _in_turn(t, ask, sheet):
        _decide(t, ask, sheet)


def take_unread_ask(t: Taking, ask: UnreadAsk) -> None:
    """Refuse what cannot be read, so that nobody waits for it and what is asked next has its turn. Who does
    not own the case cannot pass it on either: it waits for an operator. Raises Unfit.
    """
    sheet = t.batch.sheets.get(ask.case_number)
    if sheet is None or sheet.case is None:
        _refuse(t, ask, Code.NO_SUCH_CASE, "case_number")
    elif sheet.parked:
        return  # not acknowledged: the asker sends it again
    elif not sheet.owned_by(t.region):
        raise Unfit("BAD_MESSAGE", f"{ask.flaw}: {ask.reason}", tied=False)
    elif (known := t.batch.asks.get(ask.ask_id)) is not None and known.state != "pending":
        _answer_again(t, ask, known, sheet)
    elif _in_turn(t, ask, sheet):
        place = t.batch.ask_places.get((ask.asker, ask.case_number, ask.ask_seq), ask.ask_id)
        is_party = _may_ask(sheet.case, ask.asker)
        code, field = (Code.BAD_VALUE, ask.flaw) if is_party else (Code.WRONG_REGION, "asker")
        if is_party and place == ask.ask_id:
            row = AskRow(
                ask_id=ask.ask_id, case_number=ask.case_number, asker=ask.asker, ask_seq=ask.ask_seq,
                kind=AskKind.REQUEST.value, command=t.message.raw.value, state="refused",
                based_on_version=ask.based_on_version, submitted_at=t.batch.now, refusal_code=str(code),
                refusal_detail=ask.reason,
            )  # fmt: skip
            _keep(t, row)
        _refuse(t, ask, code, field, ask.reason, sheet)


def _may_ask(case: Case, region: str) -> bool:
    """Whether it is a party, and not one that only keeps a copy."""
    return any(p.region == region and p.role is not CaseRole.PART for p in case.parties)


def _answer_again(t: Taking, ask: Ask | UnreadAsk, known: AskRow, sheet: Sheet) -> None:
    if known.state == "refused":
        _refuse(t, ask, Code(known.refusal_code), "", known.refusal_detail, sheet)
    else:
        t.acks.asks.setdefault(ask.asker, []).append(ask.ask_id)


def _in_turn(t: Taking, ask: Ask | UnreadAsk, sheet: Sheet) -> bool:
    """Whether no earlier ask of the same asker is still under way; such a one comes again after it.

    A region that came to own the case later cannot know what was asked of the owner before it: there the
    order of the asker's lane must do.
    """
    assert sheet.case is not None
    first_owner = sheet.case.epoch == (1 if sheet.case.filing.kind in _STAYS else 2)
    return ask.ask_seq <= t.batch.ask_heads.get((ask.asker, ask.case_number), 0) + 1 or not first_owner


_STAYS = (Kind.COLLECT_ON_BEHALF, Kind.LEAD)
"""Kinds whose origin owns them from their filing on; of the others the region that decides them does."""


def _decide(t: Taking, ask: Ask, sheet: Sheet) -> None:
    batch = t.batch
    assert sheet.case is not None
    row = _row(t, ask)
    trace_parent = t.hop(ask.case_number, sheet.trace_parent)
    try:
        with batch.attempt([ask.case_number]):
            sheet.trace_parent = trace_parent
            if batch.ask_places.get((ask.asker, ask.case_number, ask.ask_seq), ask.ask_id) != ask.ask_id:
                raise CaseError(Code.BAD_VALUE, "ask_seq", "another ask has this place")
            if not _may_ask(sheet.case, ask.asker):
                raise CaseError(Code.WRONG_REGION, "asker", "not a party of the case")
            sheet.decide(
                batch.context, ask.command, ask.actor, batch.now, cause=ask.ask_id,
                submitted_at=min(ask.submitted_at, batch.now),
            )  # fmt: skip
            _keep(t, replace(row, state="applied", outcome_version=sheet.version))
    except CaseError as error:
        if error.field != "ask_seq":
            _keep(t, replace(row, state="refused", refusal_code=str(error.code), refusal_detail=error.detail))
        _refuse(t, ask, error.code, error.field, error.detail, sheet)
        return
    t.acks.asks.setdefault(ask.asker, []).append(ask.ask_id)


def _pass_on(t: Taking, ask: Ask, sheet: Sheet, known: AskRow | None) -> None:
    """A former owner passes an ask on, once, with the same id."""
    assert sheet.case is not None
    if ask.forwarded_by or known is not None:
        return
    owner = sheet.case.owner
    _keep(t, replace(_row(t, ask), forwarded_to=owner))
    payload = encode_exchange(replace(ask, forwarded_by=t.region))
    hop = t.hop(ask.case_number, sheet.trace_parent)
    t.batch.send(owner, ask.case_number, "ask", hop, payload=payload, ref=ask.ask_id)


def _keep(t: Taking, row: AskRow) -> None:
    batch = t.batch
    before = batch.asks.get(row.ask_id)
    (batch.writes.asks if before is None else batch.writes.ask_updates).append(row)
    batch.asks[row.ask_id] = row
    batch.note_ask(row.asker, row.case_number, row.ask_seq, row.ask_id)


def _row(t: Taking, ask: Ask) -> AskRow:
    return AskRow(
        ask_id=ask.ask_id, case_number=ask.case_number, asker=ask.asker, ask_seq=ask.ask_seq,
        kind=ask.kind.value, command=t.message.raw.value, based_on_version=ask.based_on_version,
        submitted_at=ask.submitted_at,
    )  # fmt: skip


def _refuse(
    t: Taking, ask: Ask | UnreadAsk, code: Code, where: str, detail: str = "", sheet: Sheet | None = None
) -> None:
    refused = AskRefused(
        ask_id=ask.ask_id, case_number=ask.case_number, code=str(code), field=where, detail=detail,
        at_version=sheet.version if sheet else 0,
    )  # fmt: skip
    hop = t.hop(ask.case_number, sheet.trace_parent if sheet else "")
    t.batch.send(
        ask.asker, ask.case_number, "ask_refused", hop, payload=encode_exchange(refused), ref=ask.ask_id
    )


def refuse_unknown(t: Taking) -> None:
    """Tell who asks by a kind of message that this contract does not have, so that nobody waits for it. Who
    wants no answer is told nothing; what is told wants none.
    """
    if (refused := t.message.refused) is not None:
        payload = encode_exchange(refused)
        t.batch.send(t.source, refused.case_number, "ask_refused", "", payload=payload, ref=refused.ask_id)


def take_refusal(t: Taking, content: AskRefused) -> None:
    """The owner refused an ask of this region."""
    row = t.batch.asks.get(content.ask_id)
    if row is None or row.asker != t.region:
        return
    if (sheet := t.batch.sheets.get(row.case_number)) is not None:
        t.hop(row.case_number, sheet.trace_parent)
    if row.state == "pending":
        settled = replace(
            row, state="refused", refusal_code=content.code, refusal_detail=content.detail,
            outcome_version=content.at_version,
        )  # fmt: skip
        t.batch.writes.ask_updates.append(settled)
    t.acks.refusals.setdefault(t.source, []).append(content.ask_id)


def take_ack(t: Taking, content: Ack) -> None:
    """What another region has: it need not be sent again."""
    t.batch.writes.acked.extend((t.source, number, version) for number, version in content.versions)
    for ask_id in content.ask_ids:
        row = t.batch.asks.get(ask_id)
        if row is not None and row.asker == t.region and row.state == "pending":
            t.batch.writes.ask_updates.append(replace(row, state="applied"))
