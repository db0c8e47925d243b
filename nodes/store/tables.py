"""The tables of one region's database, as SQLModel classes: the schema alone.

Knows columns, keys and indexes. Must not know queries, connections or what the bytes mean. Names and meanings
of the columns are those of `rows`. A column without a foreign key refers to something that another region
owns or that may arrive later than what refers to it. Partial indexes keep a closed case nearly free."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Double, Index, MetaData, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from nodes.store.dialect import BigKey, Instant

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}


class Stored(SQLModel):
    """Base of all tables: one metadata, named constraints."""

    metadata: ClassVar[MetaData] = MetaData(naming_convention=NAMES)


def _partial(name: str, *columns: Any, where: str, unique: bool = False) -> Index:
    return Index(name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))


def _key() -> Any:
    return Field(primary_key=True)


def _counted() -> Any:
    return Field(default=None, primary_key=True, sa_type=BigKey)


def _big(primary_key: bool = False) -> Any:
    return Field(sa_type=BigInteger, primary_key=primary_key)


def _instant() -> Any:
    return Field(sa_type=Instant)


def _wall() -> Any:
    return Field(sa_type=Double)


class Answer(Stored, table=True):
    """`answer` is null only inside the transaction that claims the key."""

    __tablename__ = "answer"
    __table_args__ = (Index("ix_answer_created_wall_s", "created_wall_s"),)
    client: str = _key()
    request_id: str = _key()
    fingerprint: bytes
    answer: bytes | None
    created_wall_s: float = _wall()


class Filing(Stored, table=True):
    """The filed document, written once."""

    __tablename__ = "filing"
    case_number: str = _key()
    document: bytes
    private: bytes
    applicant_key: str = Field(index=True)
    matter: str
    filed_at: datetime = _instant()


class Case(Stored, table=True):
    """The row that changes."""

    __tablename__ = "case_row"
    __table_args__ = (
        Index("ix_case_row_filed_at_number", "filed_at", "number"),
        _partial("ix_case_row_next_due_at", "next_due_at", where="next_due_at IS NOT NULL"),
        _partial("ix_case_row_open_authority", "authority", "filed_at", "number", where="open"),
        _partial("ix_case_row_open_filed_at", "filed_at", "number", where="open"),
        _partial("ix_case_row_lead", "lead", "part_index", where="lead <> ''"),
        _partial("ix_case_row_parked", "number", where="parked"),
    )
    number: str = _key()
    state: str
    kind: str
    version: int = _big()
    epoch: int = _big()
    owner: str
    owned: bool
    origin: str
    competent: str
    authority: str
    matter: str
    light: str
    due_at: datetime | None = _instant()
    next_due_at: datetime | None = _instant()
    last_hash: bytes
    snapshot: bytes
    trace_id: str
    trace_parent: str
    lead: str
    part_index: int
    open: bool
    filed_at: datetime = _instant()
    updated_at: datetime = _instant()
    parked: bool


class Event(Stored, table=True):
    """`entry` is the order of writing, which within a case is the order of versions."""

    __tablename__ = "case_event"
    __table_args__ = (
        UniqueConstraint("number", "version"),
        UniqueConstraint("event_id"),
        _partial("uq_case_event_cause", "number", "caused_by", where="caused_by IS NOT NULL", unique=True),
        _partial("uq_case_event_log_seq", "log_seq", where="log_seq IS NOT NULL", unique=True),
        _partial("ix_case_event_unsequenced", "entry", where="log_seq IS NULL"),
    )
    entry: int | None = _counted()
    number: str
    version: int = _big()
    event_id: str
    hash: bytes
    core: bytes
    private: bytes
    caused_by: str | None
    author: str
    epoch: int = _big()
    recorded_at: datetime = _instant()
    log_seq: int | None = _big()


class Outbox(Stored, table=True):
    """An id is never given twice: whoever deletes by id may be late."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_destination_lane_id", "destination", "lane", "id"),
        {"sqlite_autoincrement": True},
    )
    id: int | None = _counted()
    lane: int
    destination: str
    case_number: str
    kind: str
    from_version: int = _big()
    to_version: int = _big()
    ref: str
    payload: bytes | None
    traceparent: str
    created_wall_s: float = _wall()


class SentTail(Stored, table=True):
    """How far each destination was sent a case, and has it."""

    __tablename__ = "sent_tail"
    __table_args__ = (
        _partial("ix_sent_tail_unacked", "last_sent_wall_s", where="acked_version < sent_version"),
    )
    destination: str = _key()
    case_number: str = _key()
    sent_version: int = _big()
    acked_version: int = _big()
    last_sent_wall_s: float = _wall()
    attempts: int


class Ask(Stored, table=True):
    """Wishes of non-owners."""

    __tablename__ = "ask"
    __table_args__ = (
        UniqueConstraint("case_number", "asker", "ask_seq"),
        _partial("ix_ask_pending", "last_sent_wall_s", where="state = 'pending'"),
    )
    ask_id: str = _key()
    case_number: str
    asker: str
    ask_seq: int = _big()
    kind: str
    command: bytes
    based_on_version: int = _big()
    submitted_at: datetime = _instant()
    state: str
    outcome_version: int | None = _big()
    refusal_code: str
    refusal_detail: str
    forwarded_to: str
    last_sent_wall_s: float | None = _wall()
    attempts: int


class Inbox(Stored, table=True):
    """A cache: lasting dedupe is by version and cause."""

    __tablename__ = "inbox"
    __table_args__ = (Index("ix_inbox_seen_wall_s", "seen_wall_s"),)
    source: str = _key()
    message_id: str = _key()
    seen_wall_s: float = _wall()


class BusOffset(Stored, table=True):
    """Where reading goes on."""

    __tablename__ = "bus_offset"
    topic: str = _key()
    partition: int = _key()
    incarnation: str
    next_offset: int = _big()


class Held(Stored, table=True):
    """Events that came before their predecessor."""

    __tablename__ = "held"
    case_number: str = _key()
    version: int = _big(primary_key=True)
    record: bytes
    source: str
    traceparent: str
    received_wall_s: float = _wall()


class GapRequest(Stored, table=True):
    """Holes asked for."""

    __tablename__ = "gap_request"
    case_number: str = _key()
    from_version: int = _big()
    asked_wall_s: float = Field(sa_type=Double, index=True)
    attempts: int


class Parked(Stored, table=True):
    """Messages that could not be applied."""

    __tablename__ = "parked"
    __table_args__ = (
        _partial(
            "ix_parked_case_number", "case_number", where="state = 'parked' AND case_number IS NOT NULL"
        ),
    )
    id: str = _key()
    case_number: str | None
    source: str
    topic: str
    partition: int
    log_offset: int = _big()
    headers: str
    value: bytes
    reason: str
    detail: str
    parked_wall_s: float = _wall()
    highest_seen: int = _big()
    state: str


class Material(Stored, table=True):
    """Files by digest."""

    __tablename__ = "material"
    sha256: str = _key()
    size: int = _big()
    media_type: str
    stored: bool
    first_seen_wall_s: float = _wall()


class MaterialUse(Stored, table=True):
    """What a file serves as in a case."""

    __tablename__ = "material_use"
    __table_args__ = (
        Index("ix_material_use_case_number", "case_number"),
        Index("ix_material_use_applicant_key_code", "applicant_key", "code"),
    )
    sha256: str = Field(primary_key=True, foreign_key="material.sha256")
    case_number: str = _key()
    code: str = _key()
    applicant_key: str
    valid_until: date | None


class MaterialFetch(Stored, table=True):
    """Downloads from other regions."""

    __tablename__ = "material_fetch"
    __table_args__ = (
        Index("ix_material_fetch_case_number", "case_number"),
        _partial("ix_material_fetch_wanted", "attempts", where="state = 'wanted'"),
    )
    sha256: str = Field(primary_key=True, foreign_key="material.sha256")
    case_number: str = _key()
    from_region: str
    bytes_done: int = _big()
    state: str
    attempts: int


class Span(Stored, table=True):
    """Finished spans."""

    __tablename__ = "span"
    __table_args__ = (Index("ix_span_start_ns", "start_ns"),)
    span_id: str = _key()
    trace_id: str = Field(index=True)
    parent_span_id: str
    case_number: str = Field(index=True)
    name: str
    kind: str
    start_ns: int = _big()
    end_ns: int = _big()
    status: str
    attributes: str
    links: str
    recovered: bool


class LeaseTable(Stored, table=True):
    """Who may do what only one may do at a time."""

    __tablename__ = "lease"
    name: str = _key()
    holder: str
    epoch: int = _big()
    expires_db_s: float = _wall()


class Serial(Stored, table=True):
    """Counters from which blocks are given."""

    __tablename__ = "serial"
    name: str = _key()
    next: int = _big()


class NodeMeta(Stored, table=True):
    """What the node keeps about itself."""

    __tablename__ = "node_meta"
    key: str = _key()
    value: str


METADATA = Stored.metadata
