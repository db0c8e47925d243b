"""Rows of materials and spans. Units and kinds of time: see the package."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


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
