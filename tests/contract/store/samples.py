"""Rows with sensible values, to be varied by a test."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from nodes.store.rows import (
    AskRow,
    CaseRow,
    Claim,
    EventRow,
    FilingRow,
    OutboxRow,
    ParkedRow,
    SpanRow,
    StoredAnswer,
)

NOON = datetime(2026, 9, 24, 4, 0, 0, 123456, tzinfo=UTC)
WALL_S = 1_790_000_000.25


def at(days: float) -> datetime:
    return NOON + timedelta(days=days)


def case(number: str, version: int = 1, **changed: Any) -> CaseRow:
    row = CaseRow(
        number=number,
        state="filed",
        kind="full_online",
        version=version,
        epoch=1,
        owner="31",
        owned=True,
        origin="32",
        competent="31",
        authority="31-civil-affairs",
        matter="000111002000",
        light="green",
        due_at=at(5),
        next_due_at=at(4),
        last_hash=b"\x00\xff" * 16,
        snapshot=b"snapshot\x00",
        trace_id="ab" * 16,
        trace_parent="00-" + "ab" * 16 + "-" + "cd" * 8 + "-01",
        lead="",
        part_index=0,
        open=True,
        filed_at=NOON,
        updated_at=NOON,
    )
    return replace(row, **changed)


def event(number: str, version: int, **changed: Any) -> EventRow:
    row = EventRow(
        number=number,
        version=version,
        event_id=f"event-{number}-{version}",
        hash=bytes([version % 256]) * 32,
        core=b"core\x00" + number.encode(),
        private=b"",
        caused_by=None,
        author="31",
        epoch=1,
        recorded_at=at(version),
    )
    return replace(row, **changed)


def filing(number: str, applicant_key: str = "aa" * 16) -> FilingRow:
    return FilingRow(number, b"document", b"private", applicant_key, "000111002000", NOON)


def claim(request_id: str, client: str = "window-1") -> Claim:
    return Claim(client, request_id, b"fingerprint-" + request_id.encode())


def answer(request_id: str, client: str = "window-1", wall_s: float = WALL_S) -> StoredAnswer:
    return StoredAnswer(client, request_id, b"fingerprint-" + request_id.encode(), b"answer\x00", wall_s)


def outbox(number: str, destination: str = "31", lane: int = 0, **changed: Any) -> OutboxRow:
    return replace(OutboxRow(lane, destination, number, "events", 1, 1, "", None, "00-tp", WALL_S), **changed)


def ask(ask_id: str, number: str, seq: int = 1, **changed: Any) -> AskRow:
    return replace(AskRow(ask_id, number, "32", seq, "withdraw", b"command", 3, NOON), **changed)


def parked(parked_id: str, number: str | None = None, **changed: Any) -> ParkedRow:
    row = ParkedRow(
        parked_id, number, "32", "inbox.31", 2, 77, "{}", b"value", "fork", "another hash", WALL_S
    )
    return replace(row, **changed)


def span(span_id: str, number: str, start_ns: int = 1000, **changed: Any) -> SpanRow:
    row = SpanRow(span_id, "ab" * 16, "", number, "file", "server", start_ns, start_ns + 5, "ok", "{}", "[]")
    return replace(row, **changed)
