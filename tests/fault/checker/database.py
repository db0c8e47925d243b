"""A region's database, read by plain SQL in one read-only transaction: SQLite file or PostgreSQL.

Knows the schema and how the two databases spell a value. Must not know what the rows ought to say.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import asyncpg

from tests.fault.checker.facts import (
    Answer,
    Ask,
    CaseRow,
    Event,
    Owed,
    Parked,
    Region,
    Resync,
    Span,
    Tail,
)
from tongban.v1.event_pb2 import EventCore

SELECTS: Final = {
    "case": "SELECT number, state, kind, version, epoch, owner, owned, origin, competent, light, last_hash,"
    " trace_id, parked FROM case_row",
    "filing": "SELECT case_number FROM filing",
    "event": "SELECT entry, number, version, event_id, hash, core, caused_by, author, epoch"
    " FROM case_event ORDER BY entry",
    "answer": "SELECT client, request_id, answer FROM answer",
    "ask": "SELECT ask_id, case_number, asker, ask_seq, state, outcome_version, refusal_code FROM ask",
    "outbox": "SELECT id, destination, case_number, kind, from_version, to_version, ref FROM outbox",
    "tail": "SELECT destination, case_number, sent_version, acked_version FROM sent_tail",
    "seen": "SELECT source, message_id FROM inbox",
    "offset": 'SELECT topic, "partition", incarnation, next_offset FROM bus_offset',
    "held": "SELECT case_number, version FROM held",
    "gap": "SELECT case_number, from_version FROM gap_request",
    "parked": 'SELECT id, case_number, source, topic, "partition", log_offset, reason, highest_seen, state'
    " FROM parked",
    "resync": "SELECT case_number, from_version, to_version FROM resync",
    "span": "SELECT span_id, trace_id, parent_span_id, case_number, name FROM span",
}

Rows = dict[str, Sequence[Sequence[Any]]]


async def read_region(code: str, url: str, cores: dict[bytes, EventCore] | None = None) -> Region:
    """Everything that one region's database says. `cores` shares what was parsed between regions.

    Raises ValueError for a URL of another kind, the driver's own error when it cannot be read.
    """
    return _region(code, await read_rows(url, SELECTS), {} if cores is None else cores)


async def read_rows(url: str, selects: Mapping[str, str]) -> Rows:
    """What these statements give, by name, all at one moment. Raises what read_region does."""
    if url.startswith("sqlite:///"):
        return _sqlite(Path(url.removeprefix("sqlite:///")), selects)
    if url.startswith("postgresql"):
        return await _postgres(url.replace("postgresql+asyncpg:", "postgresql:", 1), selects)
    raise ValueError("url: neither sqlite:///… nor postgresql://…")


def _sqlite(path: Path, selects: Mapping[str, str]) -> Rows:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        return {name: connection.execute(text).fetchall() for name, text in selects.items()}


async def _postgres(url: str, selects: Mapping[str, str]) -> Rows:
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            return {name: await connection.fetch(text) for name, text in selects.items()}
    finally:
        await connection.close()


def _region(code: str, rows: Rows, cores: dict[bytes, EventCore]) -> Region:
    events: dict[str, list[Event]] = defaultdict(list)
    for event in _events(code, rows["event"], cores):
        events[event.number].append(event)
    return Region(
        code=code,
        cases={row[0]: _case(row) for row in rows["case"]},
        filings=frozenset(row[0] for row in rows["filing"]),
        events=dict(events),
        answers={(row[0], row[1]): answer_of(row) for row in rows["answer"]},
        asks={row[0]: _ask(row) for row in rows["ask"]},
        outbox=[Owed(*row) for row in rows["outbox"]],
        tails=[Tail(*row) for row in rows["tail"]],
        seen=frozenset((row[0], row[1]) for row in rows["seen"]),
        offsets={(row[0], row[1]): (row[2], row[3]) for row in rows["offset"]},
        held=[(row[0], row[1]) for row in rows["held"]],
        gaps=[(row[0], row[1]) for row in rows["gap"]],
        parked=[Parked(row[0], row[1] or "", *tuple(row)[2:]) for row in rows["parked"]],
        resyncs=[Resync(*row) for row in rows["resync"]],
        spans=[Span(code, *row) for row in rows["span"]],
    )


def _events(code: str, rows: Iterable[Sequence[Any]], cores: dict[bytes, EventCore]) -> Iterable[Event]:
    for entry, number, version, event_id, stored, raw, caused_by, author, epoch in rows:
        digest = hashlib.sha256(raw).digest()
        core = cores.get(digest)
        if core is None:
            core = cores[digest] = EventCore.FromString(raw)
        yield Event(
            code,
            entry,
            number,
            version,
            event_id,
            bytes(stored),
            caused_by or "",
            author,
            epoch,
            core,
            digest,
        )


def _case(row: Sequence[Any]) -> CaseRow:
    number, state, kind, version, epoch, owner, owned, origin, competent, light, last, trace_id, parked = row
    return CaseRow(
        number, state, kind, version, epoch, owner, bool(owned), origin, competent, light, bytes(last),
        trace_id, bool(parked),
    )  # fmt: skip


def answer_of(row: Sequence[Any]) -> Answer:
    """Of client, request id and what is stored, whose first byte tells a refusal from an answer."""
    client, request_id, stored = row
    if stored is None:
        return Answer(client, request_id, False, None)
    return Answer(client, request_id, stored[:1] == b"\x00", bytes(stored[1:]))


def _ask(row: Sequence[Any]) -> Ask:
    ask_id, case_number, asker, ask_seq, state, outcome_version, refusal_code = row
    return Ask(ask_id, case_number, asker, ask_seq, state, outcome_version or 0, refusal_code)
