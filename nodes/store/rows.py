"""What goes into the store and comes out of it: frozen rows of plain values.

Knows the names and units of the columns. Must not know SQL, protobuf fields or the rules of a case: a
document, an event, an answer is a string of bytes here.

Two kinds of time, never mixed: a `datetime` is aware business time (read back in UTC); a float whose name
ends in `_wall_s` is wall time in seconds since 1970. Hashes are bytes; ids, SHA-256 of materials, trace and
span ids are text (lower-case hex or UUID text), so that a person can read them in the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeAlias

AnswerKey: TypeAlias = tuple[str, str]
"""(client, request id)"""


@dataclass(frozen=True, slots=True)
class Claim:
    """A request that wants to be the first with its id. `fingerprint`: digest of the request's body."""

    client: str
    request_id: str
    fingerprint: bytes

    @property
    def key(self) -> AnswerKey:
        """What it is found by."""
        return (self.client, self.request_id)


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """The first answer to a request, byte for byte, and the fingerprint of the body it answered."""

    client: str
    request_id: str
    fingerprint: bytes
    answer: bytes
    created_wall_s: float

    @property
    def key(self) -> AnswerKey:
        """What it is found by."""
        return (self.client, self.request_id)


@dataclass(frozen=True, slots=True)
class FilingRow:
    """The filed document, written once. `applicant_key`: hex of the keyed hash of the normalised identity."""

    case_number: str
    document: bytes
    private: bytes
    applicant_key: str
    matter: str
    filed_at: datetime


@dataclass(frozen=True, slots=True)
class CaseRow:
    """The row that changes. `version` is that of the last event applied, the first is 1.

    `owned`: this region writes the case (else it is a mirror). `due_at`: what a person sees; `next_due_at`:
    when a timer must look at it next, None when none will. `lead` is "" except in a part."""

    number: str
    state: str
    kind: str
    version: int
    epoch: int
    owner: str
    owned: bool
    origin: str
    competent: str
    authority: str
    matter: str
    light: str
    due_at: datetime | None
    next_due_at: datetime | None
    last_hash: bytes
    snapshot: bytes
    trace_id: str
    trace_parent: str
    lead: str
    part_index: int
    open: bool
    filed_at: datetime
    updated_at: datetime
    parked: bool = False


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """Which cases to list; None: any. `applicant_key` and `authority` and `lead` are exact, like all
    others."""

    state: str | None = None
    kind: str | None = None
    owner: str | None = None
    owned: bool | None = None
    matter: str | None = None
    origin: str | None = None
    competent: str | None = None
    light: str | None = None
    open: bool | None = None
    parked: bool | None = None
    authority: str | None = None
    lead: str | None = None
    applicant_key: str | None = None


@dataclass(frozen=True, slots=True)
class CaseCursor:
    """The last row of the page before: newest first by receipt, then by number."""

    filed_at: datetime
    number: str


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event as it was written. `core` and `private` are the stored bytes, `hash` is SHA-256 of the core.

    `caused_by`: ask or request id, None for a timer, for the node itself, and for the second and later events
    of one command: it is unique within a case. `log_seq` is given by the sequencer, not by the writer."""

    number: str
    version: int
    event_id: str
    hash: bytes
    core: bytes
    private: bytes
    caused_by: str | None
    author: str
    epoch: int
    recorded_at: datetime
    log_seq: int | None = None


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """Something to send: a pointer to events n to m of a case, or (`payload`) bytes. `id` is given by the
    store.

    `ref`: what else the sender needs to find the content, such as an ask id.
    """

    lane: int
    destination: str
    case_number: str
    kind: str
    from_version: int
    to_version: int
    ref: str
    payload: bytes | None
    traceparent: str
    created_wall_s: float
    id: int = 0


@dataclass(frozen=True, slots=True)
class SentTail:
    """How far a destination has been sent a case, and how far it said it has it."""

    destination: str
    case_number: str
    sent_version: int
    acked_version: int
    last_sent_wall_s: float
    attempts: int


@dataclass(frozen=True, slots=True)
class AskRow:
    """A wish of a non-owner, at the asker, at the owner, and at a former owner. State: pending, applied,
    refused."""

    ask_id: str
    case_number: str
    asker: str
    ask_seq: int
    kind: str
    command: bytes
    based_on_version: int
    submitted_at: datetime
    state: str = "pending"
    outcome_version: int | None = None
    refusal_code: str = ""
    refusal_detail: str = ""
    forwarded_to: str = ""
    last_sent_wall_s: float | None = None
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class BusOffset:
    """Where reading a partition goes on, and in which incarnation of the log that is true."""

    topic: str
    partition: int
    incarnation: str
    next_offset: int


@dataclass(frozen=True, slots=True)
class HeldRow:
    """An event that came too early: kept until the hole before it is filled."""

    case_number: str
    version: int
    record: bytes
    source: str
    traceparent: str
    received_wall_s: float


@dataclass(frozen=True, slots=True)
class GapRequest:
    """A hole that was asked for."""

    case_number: str
    from_version: int
    asked_wall_s: float
    attempts: int


@dataclass(frozen=True, slots=True)
class ParkedRow:
    """A message that could not be applied. `headers` is JSON text. State: parked, replayed, dropped."""

    id: str
    case_number: str | None
    source: str
    topic: str
    partition: int
    log_offset: int
    headers: str
    value: bytes
    reason: str
    detail: str
    parked_wall_s: float
    highest_seen: int = 0
    state: str = "parked"


@dataclass(frozen=True, slots=True)
class MaterialRow:
    """A file by its SHA-256. `stored`: its bytes are in this node's material store."""

    sha256: str
    size: int
    media_type: str
    stored: bool
    first_seen_wall_s: float


@dataclass(frozen=True, slots=True)
class MaterialUse:
    """A file handed in as `code` in a case. `valid_until`: last day on which it counts, None: no end."""

    sha256: str
    case_number: str
    code: str
    applicant_key: str
    valid_until: date | None


@dataclass(frozen=True, slots=True)
class MaterialFetch:
    """A download from another region. State: wanted, done, failed."""

    sha256: str
    case_number: str
    from_region: str
    bytes_done: int = 0
    state: str = "wanted"
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class SpanRow:
    """A finished span. Times are wall nanoseconds since 1970; `attributes` and `links` are JSON text.

    `recovered`: rebuilt from a row after the process that began it died.
    """

    span_id: str
    trace_id: str
    parent_span_id: str
    case_number: str
    name: str
    kind: str
    start_ns: int
    end_ns: int
    status: str
    attributes: str
    links: str
    recovered: bool = False


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease held: whoever has `epoch` may act until `expires_db_s` on the database's clock.

    The holder also watches a monotonic clock of its own from before it asked.
    """

    name: str
    holder: str
    epoch: int
    expires_db_s: float
