"""Tables of answers, cases, their events and asks."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from nodes.store.tables.base import Stored, big, counted, instant, key, partial, wall

ENDED_BY = ("state", "matter", "origin", "competent", "owner", "authority")
"""What a list is asked for by. Open cases are few enough to be looked through; those that have ended are
not, and enter their indexes once, when they end.
"""
_LIGHTS = ("light", "filed_at", "number")


class Answer(Stored, table=True):
    """`answer` is null only inside the transaction that claims the key."""

    __tablename__ = "answer"
    __table_args__ = (Index("ix_answer_created_wall_s", "created_wall_s"),)
    client: str = key()
    request_id: str = key()
    fingerprint: bytes
    answer: bytes | None
    created_wall_s: float = wall()


class Filing(Stored, table=True):
    """The filed document, written once."""

    __tablename__ = "filing"
    case_number: str = key()
    document: bytes
    private: bytes
    applicant_key: str = Field(index=True)
    matter: str
    filed_at: datetime = instant()


class Case(Stored, table=True):
    """The row that changes."""

    __tablename__ = "case_row"
    __table_args__ = (
        Index("ix_case_row_filed_at_number", "filed_at", "number"),
        partial("ix_case_row_next_due_at", "next_due_at", where="next_due_at IS NOT NULL"),
        partial("ix_case_row_open_authority", "authority", "filed_at", "number", where="open"),
        partial("ix_case_row_open_filed_at", "filed_at", "number", where="open"),
        partial("ix_case_row_lead", "lead", "part_index", where="lead <> ''"),
        partial("ix_case_row_parked", "number", where="parked"),
        *(partial(f"ix_case_row_ended_{n}", n, "filed_at", "number", where="NOT open") for n in ENDED_BY),
        partial("ix_case_row_ended_light", *_LIGHTS, where="NOT open AND light <> 'green'"),
        partial("ix_case_row_open_light", *_LIGHTS, where="open AND light <> 'green'"),
    )
    number: str = key()
    state: str
    kind: str
    version: int = big()
    epoch: int = big()
    owner: str
    owned: bool
    origin: str
    competent: str
    authority: str
    matter: str
    light: str
    due_at: datetime | None = instant()
    next_due_at: datetime | None = instant()
    last_hash: bytes
    snapshot: bytes
    trace_id: str
    trace_parent: str
    lead: str
    part_index: int
    open: bool
    filed_at: datetime = instant()
    updated_at: datetime = instant()
    parked: bool


class Event(Stored, table=True):
    """`entry` is the order of writing, which within a case is the order of versions."""

    __tablename__ = "case_event"
    __table_args__ = (
        UniqueConstraint("number", "version"),
        UniqueConstraint("event_id"),
        partial("uq_case_event_cause", "number", "caused_by", where="caused_by IS NOT NULL", unique=True),
        partial("uq_case_event_log_seq", "log_seq", where="log_seq IS NOT NULL", unique=True),
        partial("ix_case_event_unsequenced", "entry", where="log_seq IS NULL"),
    )
    entry: int | None = counted()
    number: str
    version: int = big()
    event_id: str
    hash: bytes
    core: bytes
    private: bytes
    caused_by: str | None
    author: str
    epoch: int = big()
    recorded_at: datetime = instant()
    log_seq: int | None = big()


class Ask(Stored, table=True):
    """Wishes of non-owners."""

    __tablename__ = "ask"
    __table_args__ = (
        UniqueConstraint("case_number", "asker", "ask_seq"),
        partial("ix_ask_pending", "last_sent_wall_s", where="state = 'pending'"),
    )
    ask_id: str = key()
    case_number: str
    asker: str
    ask_seq: int = big()
    kind: str
    command: bytes
    based_on_version: int = big()
    submitted_at: datetime = instant()
    state: str
    outcome_version: int | None = big()
    refusal_code: str
    refusal_detail: str
    forwarded_to: str
    last_sent_wall_s: float | None = wall()
    attempts: int
