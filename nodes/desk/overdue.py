"""What was sent and not answered, sent again after a time: tails nobody acknowledged, asks without an answer,
holes not filled, snapshots not given.

Knows the times between attempts. Must not know topics or when somebody looks. A lost tail is noticed here,
for no later message tells of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from nodes.desk.context import Context
from nodes.desk.holes import ask_again
from nodes.store.rows import AskRow, CaseRow, OutboxRow, SentTail
from nodes.store.store import WriteTx
from nodes.telemetry.casetrace import CaseTrace

AT_ONCE: Final = 200


async def queue_overdue(unit: WriteTx, context: Context) -> int:
    """Queue again what is overdue, and note when; how many messages that makes."""
    wall = context.wall_s()
    before = wall - context.resend_after_s
    tails = await unit.unacked_before(before, AT_ONCE)
    asks = await unit.pending_asks(context.region, before_wall_s=before, limit=AT_ONCE)
    numbers = {t.case_number for t in tails} | {a.case_number for a in asks}
    cases = await unit.load_cases(numbers, lock=True) if numbers else {}
    rows = [*_tails(context, tails, cases), *_asks(context, asks, cases)]
    rows += await ask_again(unit, context, before_wall_s=before, limit=AT_ONCE)
    if rows:
        await unit.insert_outbox(rows)
    for attempts in sorted({tail.attempts for tail in tails}):
        sent = [(t.destination, t.case_number, t.sent_version) for t in tails if t.attempts == attempts]
        await unit.note_sent(sent, wall_s=context.asked_again_at(attempts))
    for attempts in sorted({ask.attempts for ask in asks}):
        ids = [ask.ask_id for ask in asks if ask.attempts == attempts]
        await unit.note_asks_sent(ids, wall_s=context.asked_again_at(attempts))
    return len(rows)


def _tails(context: Context, tails: Iterable[SentTail], cases: dict[str, CaseRow]) -> Iterable[OutboxRow]:
    for tail in tails:
        if (case := cases.get(tail.case_number)) is not None:
            yield _row(
                context, tail.destination, case, "events", from_version=tail.acked_version + 1,
                to_version=tail.sent_version,
            )  # fmt: skip


def _asks(context: Context, asks: Iterable[AskRow], cases: dict[str, CaseRow]) -> Iterable[OutboxRow]:
    """To the owner as it is now; an ask of a case that has come to this region itself has its answer on the
    way.
    """
    for ask in asks:
        case = cases.get(ask.case_number)
        if case is not None and case.owner != context.region:
            yield _row(context, case.owner, case, "ask", ref=ask.ask_id, payload=ask.command)


def _row(
    context: Context, destination: str, case: CaseRow, kind: str, *, from_version: int = 0,
    to_version: int = 0, ref: str = "", payload: bytes | None = None,
) -> OutboxRow:  # fmt: skip
    hop = CaseTrace.stored(case.number, case.trace_parent).reserve()
    return OutboxRow(
        lane=context.lane(case.number), destination=destination, case_number=case.number, kind=kind,
        from_version=from_version, to_version=to_version, ref=ref, payload=payload,
        traceparent=f"{hop.traceparent}/{hop.parent_hex}", created_wall_s=context.wall_s(),
    )  # fmt: skip
