"""A piece of work: what waits in the desk's queue, and the answer that its author waits for.

Knows what a batch must load for it and what it may do to the sheets. The kinds of work are in `acts` and
`arrivals`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from nodes.cases.errors import CaseError
from nodes.store.rows import Claim

if TYPE_CHECKING:
    from nodes.desk.batch import Batch


class DeskError(Exception):
    """The desk could not do it, for a reason that may pass: nothing is stored of the attempt."""


class Overloaded(DeskError):
    """The queue is full; `retry_after_s` says when to come again."""

    def __init__(self, retry_after_s: float) -> None:
        super().__init__("the node has more waiting than it takes; come again later")
        self.retry_after_s = retry_after_s


class Unavailable(DeskError):
    """The database cannot be reached or refused to answer in time."""


class CatchingUp(Unavailable):
    """The node was restored from a backup and takes nothing in before it knows what it did afterwards;
    `retry_after_s` says when to come again.
    """

    def __init__(self, retry_after_s: float) -> None:
        super().__init__("the node was restored and is catching up; come again later")
        self.retry_after_s = retry_after_s


class Rejected(DeskError):
    """The database rejects what the work would write: trying again does not help."""


class RequestIdReused(DeskError):
    """The same request id was used before with another body."""

    def __init__(self, request_id: str) -> None:
        super().__init__("request_id: was used before with another body")
        self.request_id = request_id


class VersionMoved(DeskError):
    """The caller expected another version of the case."""

    def __init__(self, number: str, version: int) -> None:
        super().__init__(f"expected_version: the case has version {version}")
        self.number = number
        self.version = version


@dataclass(frozen=True, slots=True)
class Problem:
    """One field that is wrong. `field`: dotted path into the request; words without personal data."""

    field: str
    code: str
    en: str = ""
    zh: str = ""


class Refused(Exception):
    """A request was refused by rule before it reached a case; every field that is wrong is named, at once."""

    def __init__(self, code: str, problems: tuple[Problem, ...], guide_version: str = "") -> None:
        super().__init__(f"{code}: {', '.join(p.field for p in problems)}")
        self.code = code
        self.problems = problems
        self.guide_version = guide_version


@dataclass(frozen=True, slots=True)
class Answer:
    """What is stored and given back, byte for byte. `refused`: a refusal by rule, told as an error."""

    refused: bool
    body: bytes

    def stored(self) -> bytes:
        """One byte that tells refusals apart, then the body."""
        return (b"\x00" if self.refused else b"\x01") + self.body

    @classmethod
    def read(cls, stored: bytes) -> Answer:
        """The inverse of `stored`."""
        return cls(stored[:1] == b"\x00", stored[1:])


class Work(Protocol):
    """One entry of the queue.

    `claim`: the request id it answers, None for the node's own work. `numbers`: cases to load. `needs`: what
    else to load, see `batch.Needs`. `do` acts on the sheets or raises; what it raises by rule (CaseError)
    becomes its answer.
    """

    done: asyncio.Future[Answer]
    urgent: bool  # filings and acts of people go before backlog

    claim: Claim | None

    @property
    def numbers(self) -> Sequence[str]:
        """The cases concerned."""
        ...

    def do(self, batch: Batch) -> Answer:
        """Raises CaseError for a refusal by rule, DeskError for what may pass."""
        ...

    def refusal(self, error: CaseError) -> Answer:
        """The answer that a refusal becomes."""
        ...
