"""Rows of what goes out and comes in, and of leases. Units and kinds of time: see the package."""

from __future__ import annotations

from dataclasses import dataclass

from nodes.cases.frozen import quick


@quick
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
    """A message that could not be applied. `headers` is JSON text. State: parked, replayed, dropped.

    `settled_reason` and `settled_by`: why an operator dropped it, and the operator's opaque id.
    """

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
    settled_reason: str = ""
    settled_by: str = ""
    settled_wall_s: float | None = None


@dataclass(frozen=True, slots=True)
class ResyncRow:
    """From which version on, and up to which, this copy of a case lacks events, because a snapshot took their
    place.

    `id`: of the letter that was dropped, or "joined-" and the case number for who joined late. `to_version`
    is None while the snapshot is awaited from `asked_of`; `highest_seen`: the newest version heard of
    meanwhile.
    """

    id: str
    case_number: str
    from_version: int
    to_version: int | None
    asked_of: str
    asked_wall_s: float
    attempts: int = 1
    highest_seen: int = 0
    done_wall_s: float | None = None


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease held: whoever has `epoch` may act until `expires_db_s` on the database's clock.

    The holder also watches a monotonic clock of its own from before it asked.
    """

    name: str
    holder: str
    epoch: int
    expires_db_s: float
