"""What this region knows of another's cases, told to a region whose database was put back to an older state.

Knows the answering side: a mark comes back as it is, heads page by page. Must not know what the other makes
of it (`recovery`). A mark is answered in the transaction that takes it in, after everything that lay before
it in its partition: so who has all its marks back knows that nothing it sent is still under way.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from nodes.codec.carry import recall_subject, recalled_subject
from nodes.codec.exchange import Ask as AskMade
from nodes.codec.exchange import CaseHead, KeptAsk, Recall, Recalled, decode_exchange, encode_exchange
from nodes.desk.context import Context
from nodes.desk.taking import Taking
from nodes.store.rows import AskRow, OutboxRow
from nodes.store.store import ReadTx

SCAN: Final = 5_000
"""Cases that are looked at for one page."""
HEADS: Final = 400
"""Heads of one page at most."""
PAGE_BYTES: Final = 400_000
"""Bytes of asks in one page at most, unless those of a single case have more."""
NEVER: Final = "-"
LATE: Final = "late-"
"""How an attempt is called whose pages are wanted whenever they come."""


def take_recall(t: Taking, content: Recall) -> None:
    """Answer it: a mark at once, a page when it is sent."""
    number = recalled_subject(t.region, t.source)
    if content.mark:
        payload = encode_exchange(Recalled(content.attempt, content.mark))
        t.batch.send(t.source, number, "recalled", "", payload=payload)
        return
    since = content.since.astimezone(UTC).isoformat() if content.since is not None else NEVER
    t.batch.send(t.source, number, "recalled", "", ref=f"{content.attempt} {since} {content.after}")


def take_recalled(t: Taking, content: Recalled) -> None:
    """A page that came when nobody waited for it any longer: what is known there and not here is asked for,
    case by case; where this region has written something else meanwhile, that shows as a fork. A page that
    was awaited, and comes here once more, has brought what it tells already.
    """
    if not is_late(content):
        return
    for head in content.heads:
        sheet = t.batch.sheets.get(head.case_number)
        known = sheet.version if sheet is not None else 0
        if head.version > known and not t.batch.waits(head.case_number):
            t.ask_for_hole(t.source, head.case_number, known + 1)
    if content.next:
        following = Recall(content.attempt, 0, content.since, content.next)
        subject = recall_subject(t.region, t.source, 0)
        t.batch.send(t.source, subject, "recall", "", payload=encode_exchange(following))


def is_late(content: Recalled) -> bool:
    """Whether it answers what was asked of a region that had been away too long."""
    return content.attempt.startswith(LATE) and not content.mark


def late_recall(context: Context, region: str, attempt: str, since: datetime | None) -> OutboxRow:
    """What asks a region for its first page that did not answer in time."""
    subject = recall_subject(context.region, region, 0)
    content = Recall(f"{LATE}{attempt}", 0, since)
    return OutboxRow(
        lane=context.lane(subject), destination=region, case_number=subject, kind="recall", from_version=0,
        to_version=0, ref="", payload=encode_exchange(content), traceparent="",
        created_wall_s=context.wall_s(),
    )  # fmt: skip


async def page_of(unit: ReadTx, region: str, ref: str) -> bytes:
    """The data of the page that `region` asked for. Raises ValueError for a ref that is none."""
    attempt, since, after = ref.split(" ")
    from_then = None if since == NEVER else datetime.fromisoformat(since)
    heads, following = await unit.heads_of(region, since=from_then, after=after, scan=SCAN)
    if len(heads) > HEADS:
        heads, following = heads[:HEADS], heads[HEADS - 1][0]
    asks = await unit.asks_by(region, [number for number, _, _ in heads])
    told: list[CaseHead] = []
    size = 0
    for number, version, last_hash in heads:
        theirs = asks.get(number, [])
        size += sum(len(row.command) for row in theirs)
        if told and size > PAGE_BYTES:
            following = told[-1].case_number
            break
        told.append(CaseHead(number, version, last_hash, tuple(map(_kept, theirs))))
    return encode_exchange(Recalled(attempt, 0, tuple(told), after, following, from_then))


def _kept(row: AskRow) -> KeptAsk:
    ask = decode_exchange(row.command)
    assert isinstance(ask, AskMade)
    applied = (row.outcome_version or 0) if row.state == "applied" else 0
    return KeptAsk(ask, applied, row.refusal_code, row.refusal_detail)
