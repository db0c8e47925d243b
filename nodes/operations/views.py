"""The shapes in which a node is shown to its operator.

Values only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from nodes.store.rows import ParkedRow
from nodes.telemetry.spans import SpanRow

UP: Final = "up"
DEGRADED: Final = "degraded"
DOWN: Final = "down"


@dataclass(frozen=True, slots=True)
class LaneView:
    """A lane of the relay. `holder`: the process with the lease, "" when nobody; `oldest_s`: age in wall
    seconds.
    """

    lane: int
    holder: str
    epoch: int
    waiting: int
    oldest_s: float


@dataclass(frozen=True, slots=True)
class PartView:
    """A part of a node and what its state means for the node: up, degraded (the node files and answers all
    the same), or down (it does not). `detail` is in words, without personal data.
    """

    name: str
    state: str
    detail: str = ""
    since_wall_s: float = 0.0


@dataclass(frozen=True, slots=True)
class HealthView:
    """How a node is. `state`: the worst of its parts; what could not be counted is 0."""

    state: str
    parts: tuple[PartView, ...]
    outbox_waiting: int
    inbox_lag: int
    parked: int
    business_now: datetime
    version: str


@dataclass(frozen=True, slots=True)
class TraceView:
    """The spans of a case from all regions that answered, and the regions that did not."""

    spans: tuple[SpanRow, ...]
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LetterPage:
    """Parked messages, newest first, and the cursor of the next page, "" after the last."""

    letters: tuple[ParkedRow, ...]
    next_cursor: str = field(default="")
