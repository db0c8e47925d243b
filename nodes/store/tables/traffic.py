"""Tables of what goes out and comes in, of leases, serials and the node itself."""

from __future__ import annotations

from sqlalchemy import Double, Index
from sqlmodel import Field

from nodes.store.tables.base import Stored, big, counted, key, partial, wall


class Outbox(Stored, table=True):
    """An id is never given twice: whoever deletes by id may be late."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_destination_id_lane", "destination", "id", "lane"),
        {"sqlite_autoincrement": True},
    )
    id: int | None = counted()
    lane: int
    destination: str
    case_number: str
    kind: str
    from_version: int = big()
    to_version: int = big()
    ref: str
    payload: bytes | None
    traceparent: str
    created_wall_s: float = wall()


class SentTail(Stored, table=True):
    """How far each destination was sent a case, and has it."""

    __tablename__ = "sent_tail"
    __table_args__ = (
        partial("ix_sent_tail_unacked", "last_sent_wall_s", where="acked_version < sent_version"),
        partial("ix_sent_tail_acked", "last_sent_wall_s", where="acked_version >= sent_version"),
    )
    destination: str = key()
    case_number: str = key()
    sent_version: int = big()
    acked_version: int = big()
    last_sent_wall_s: float = wall()
    attempts: int


class Inbox(Stored, table=True):
    """A cache: lasting dedupe is by version and cause."""

    __tablename__ = "inbox"
    __table_args__ = (Index("ix_inbox_seen_wall_s", "seen_wall_s"),)
    source: str = key()
    message_id: str = key()
    seen_wall_s: float = wall()


class BusOffset(Stored, table=True):
    """Where reading goes on."""

    __tablename__ = "bus_offset"
    topic: str = key()
    partition: int = key()
    incarnation: str
    next_offset: int = big()


class Held(Stored, table=True):
    """Events that came before their predecessor."""

    __tablename__ = "held"
    case_number: str = key()
    version: int = big(primary_key=True)
    record: bytes
    source: str
    traceparent: str
    received_wall_s: float = wall()


class GapRequest(Stored, table=True):
    """Holes asked for."""

    __tablename__ = "gap_request"
    case_number: str = key()
    from_version: int = big()
    asked_wall_s: float = Field(sa_type=Double, index=True)
    attempts: int


class Parked(Stored, table=True):
    """Messages that could not be applied."""

    __tablename__ = "parked"
    __table_args__ = (
        partial("ix_parked_case_number", "case_number", where="state = 'parked' AND case_number IS NOT NULL"),
        partial("ix_parked_settled", "settled_wall_s", where="settled_wall_s IS NOT NULL"),
    )
    id: str = key()
    case_number: str | None
    source: str
    topic: str
    partition: int
    log_offset: int = big()
    headers: str
    value: bytes
    reason: str
    detail: str
    parked_wall_s: float = wall()
    highest_seen: int = big()
    state: str
    settled_reason: str
    settled_by: str
    settled_wall_s: float | None = wall()


class Resync(Stored, table=True):
    """Where a snapshot took the place of events."""

    __tablename__ = "resync"
    __table_args__ = (
        partial("ix_resync_awaited", "asked_wall_s", where="to_version IS NULL"),
        Index("ix_resync_case_number", "case_number"),
    )
    id: str = key()
    case_number: str
    from_version: int = big()
    to_version: int | None = big()
    asked_of: str
    asked_wall_s: float = wall()
    attempts: int
    highest_seen: int = big()
    done_wall_s: float | None = wall()


class LeaseTable(Stored, table=True):
    """Who may do what only one may do at a time."""

    __tablename__ = "lease"
    name: str = key()
    holder: str
    epoch: int = big()
    expires_db_s: float = wall()


class Serial(Stored, table=True):
    """Counters from which blocks are given."""

    __tablename__ = "serial"
    name: str = key()
    next: int = big()


class NodeMeta(Stored, table=True):
    """What the node keeps about itself."""

    __tablename__ = "node_meta"
    key: str = key()
    value: str
