"""What is owed to another region, as the data of messages: made from the stored rows when it is sent.

Knows what a row of the outbox points to, and that a message must stay far below what a bus takes. Must not
know topics' names, headers or when something is sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from broker.bus import Message
from broker.limits import MAX_MESSAGE_BYTES, message_bytes
from broker.retry import dead_letter
from nodes.codec.exchange import EventBatch, ServiceRequest, encode_exchange
from nodes.codec.letters import delivery_of
from nodes.desk.holes import snapshot_of
from nodes.desk.recall import page_of
from nodes.store.rows import EventRow, OutboxRow
from nodes.store.store import ReadTx

AT_ONCE: Final = 100
"""Rows whose events are read by one statement."""
RECORDS_BYTES: Final = 600_000
"""Records of one message, unless a single one is larger."""


async def events_owed(unit: ReadTx, rows: Sequence[OutboxRow]) -> dict[int | None, list[EventRow]]:
    """The events that rows point to, by the id of the row; fewer than it says where they are not here."""
    pointing = [row for row in rows if row.payload is None and row.kind in ("events", "service_request")]
    pointing.sort(key=lambda row: (row.from_version, row.to_version))  # like with like: little is over-read
    owed: dict[int | None, list[EventRow]] = {}
    for at in range(0, len(pointing), AT_ONCE):
        some = pointing[at : at + AT_ONCE]
        found = await unit.events_of([(row.case_number, row.from_version, row.to_version) for row in some])
        for row in some:
            versions = range(row.from_version, row.to_version + 1)
            owed[row.id] = [e for v in versions if (e := found.get((row.case_number, v))) is not None]
    return owed


def is_whole(row: OutboxRow, events: Sequence[EventRow]) -> bool:
    """Whether the row and the events that it points to are all that its messages are made of."""
    if row.kind in ("dead", "recalled", "snapshot"):
        return False
    return row.payload is not None or len(events) == row.to_version - row.from_version + 1


async def content_of(unit: ReadTx, row: OutboxRow, events: Sequence[EventRow]) -> list[tuple[str, bytes]]:
    """(kind, data) of each message of the row, in order; [] when there is nothing to be said any longer.

    `events`: those that the row points to. Where this copy has not all of them, because a snapshot took their
    place, a snapshot is given.
    """
    if row.payload is not None:
        return [(row.kind, row.payload)]
    if row.kind == "recalled":
        return [(row.kind, await page_of(unit, row.destination, row.ref))]
    if is_whole(row, events):
        return list(_messages(row, events))
    data = await snapshot_of(unit, row.case_number)
    return [] if data is None else [("snapshot", data)]


def _messages(row: OutboxRow, events: Sequence[EventRow]) -> Iterator[tuple[str, bytes]]:
    kind = row.kind
    for part in _parts(events):
        records = tuple((event.core, event.private) for event in part)
        shape = ServiceRequest if kind == "service_request" else EventBatch
        content = shape(case_number=row.case_number, records=records, from_version=part[0].version)
        yield kind, encode_exchange(content)
        kind = "events"  # a handover too long for one message goes on as events


def _parts(events: Sequence[EventRow]) -> Iterator[list[EventRow]]:
    part: list[EventRow] = []
    size = 0
    for event in events:
        more = len(event.core) + len(event.private)
        if part and size + more > RECORDS_BYTES:
            yield part
            part, size = [], 0
        part.append(event)
        size += more
    yield part


async def dead_copy(unit: ReadTx, letter_id: str, topic: str) -> list[Message]:
    """The copy of a dead letter; without its body when no bus would take it. [] when the letter is gone."""
    letter = (await unit.load_letters([letter_id])).get(letter_id)
    if letter is None:
        return []
    delivery = delivery_of(letter.topic, letter.partition, letter.log_offset, letter.headers, letter.value)
    copy = dead_letter(delivery, topic, f"{letter.reason}: {letter.detail}")
    if message_bytes(copy) > MAX_MESSAGE_BYTES:
        copy = Message(copy.topic, copy.key, b"", (*copy.headers, ("dead_cut", b"1")))
    return [copy]
