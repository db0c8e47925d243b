"""What a kept span is: the row that a node stores, a peer is shown and the waterfall draws.

Knows the shape of a span and the times on it. Must not know where rows are stored, how they travel,
or the OpenTelemetry objects they come from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from nodes.cases.frozen import quick

AttributeValue = str | int | float | bool
Kind = Literal["internal", "server", "client", "producer", "consumer"]
Status = Literal["unset", "ok", "error"]

KINDS: Final[tuple[Kind, ...]] = ("internal", "server", "client", "producer", "consumer")
STATUSES: Final[tuple[Status, ...]] = ("unset", "ok", "error")


@dataclass(frozen=True, slots=True)
class SpanLink:
    """A pointer to a span that is no parent of ours. trace_id: 32 hex digits; span_id: 16; kind: what it is
    (caller: the context a caller brought; peer: one a message brought; case: a case that a call touched).
    """

    trace_id: str
    span_id: str
    kind: str = "caller"


@quick
@dataclass(frozen=True, slots=True)
class SpanRow:
    """One finished hop of a case.

    trace_id: 32 lower-case hex digits; span_id: 16; parent_span_id: 16, or "" for a root. case_number: the
    federation's number, "" when the span belongs to no case. kind and status: OpenTelemetry's words.
    start_ns, end_ns: wall time, nanoseconds since the Unix epoch, end_ns >= start_ns. attributes: only keys
    of the allow-list. recovered: rebuilt from what was stored, because its process died before it was
    written. region: short code of the region that recorded it. (trace_id, span_id) identifies a row; where a
    row is there twice, the one that is not recovered is the better.
    """

    trace_id: str
    span_id: str
    parent_span_id: str
    case_number: str
    name: str
    kind: Kind
    start_ns: int
    end_ns: int
    status: Status
    attributes: Mapping[str, AttributeValue]
    links: tuple[SpanLink, ...]
    recovered: bool
    region: str

    @property
    def duration_ns(self) -> int:
        """How long it took, nanoseconds."""
        return self.end_ns - self.start_ns

    @property
    def key(self) -> tuple[str, str]:
        """What identifies the span over all regions."""
        return (self.trace_id, self.span_id)
