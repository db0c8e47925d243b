"""What every piece of work at a desk is given: who we are, the time, the calendar, the lanes.

Values only; nothing here does anything.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import Final
from zlib import crc32

from nodes.cases.case import Case, Party
from regions.calendar import WorkCalendar

LONGEST: Final = 5
"""Doublings of the time between two attempts at most."""


@dataclass(frozen=True, slots=True)
class Context:
    """A node as its desk sees it. `now` gives business time, `wall_s` wall time in seconds since 1970."""

    region: str
    calendar: WorkCalendar
    now: Callable[[], datetime]
    wall_s: Callable[[], float]
    lanes: int = 16
    hold_limit: int = 1000
    resend_after_s: float = 30.0
    process: str = field(default="node")
    applicant_secret: bytes = b""
    refuse_handover: Callable[[Case], str] | None = None
    """Why this region does not take a case that was handed to it, "" when it does."""

    def lane(self, case_number: str) -> int:
        """The lane of the relay in which everything of this case is sent, in order."""
        return crc32(case_number.encode()) % self.lanes

    def asked_again_at(self, attempts: int) -> float:
        """The wall time to be noted for what is sent again after so many attempts, so that it is overdue once
        more only after twice the time each time: who is away for hours is not sent the same all along.
        """
        return self.wall_s() + self.resend_after_s * (2.0 ** min(attempts, LONGEST) - 1)

    def applicant_key(self, applicant: Party) -> str:
        """Hex of a keyed hash of the normalised identity: finds a person's cases, shows nobody's."""
        said = f"{applicant.id_type}:{applicant.id_no}".encode()
        return blake2b(said, key=self.applicant_secret, digest_size=16).hexdigest()


def recipients(case: Case, region: str) -> tuple[str, ...]:
    """The other regions that are owed the events of a case, in order of their code."""
    return tuple(sorted({p.region for p in case.parties} - {region}))
