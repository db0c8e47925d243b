"""Rows of answers, cases, their events and asks. Units and kinds of time: see the package."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from nodes.cases.frozen import quick

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


@quick
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


@quick
@dataclass(frozen=True, slots=True)
class EventRow:
    """One event as it was written. `core` and `private` are the stored bytes, `hash` is SHA-256 of the core.

    `caused_by`: ask or request id, None for a timer, for the node itself, and for the second and later events
    of one command: it is unique within a case. `log_seq` is its place in the order of commits, given by the
    store as it is written."""

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
