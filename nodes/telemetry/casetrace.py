"""Where a case's trace goes on: one trace id for a case and its joint parts, kept as text beside the case.

Knows trace ids, span ids, W3C traceparent and the OpenTelemetry context that carries them. Must not know who
records a span or where rows go. The rule of the room: only what this federation stored for the case is a
parent; what a caller or a peer brings is at most a link.
"""

from __future__ import annotations

import os
import random
import re
from dataclasses import dataclass
from typing import Final, Self

from opentelemetry.context import Context, get_value, set_value
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, TraceState, set_span_in_context

from nodes.cases.frozen import quick
from nodes.telemetry.spans import SpanLink

_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_CASE_KEY: Final = "tongban-case"
_RESERVED_KEY: Final = "tongban-reserved"
_SAMPLED: Final = TraceFlags(TraceFlags.SAMPLED)
_NO_STATE: Final = TraceState()
_random = random.Random()  # noqa: S311  an id needs to be unique, not secret
"""Seeded from the system, on purpose not the shared generator: a seeded test must not repeat ids."""
os.register_at_fork(after_in_child=_random.seed)  # or two forks of one process give the same ids


class BadTraceparent(ValueError):
    """A stored trace context is not a traceparent; `field` names it."""

    def __init__(self, field: str = "traceparent") -> None:
        super().__init__(f"{field}: not a W3C traceparent")
        self.field = field


def new_trace_id() -> int:
    """128 random bits, never 0."""
    return _random.getrandbits(128) or 1


def new_span_id() -> int:
    """64 random bits, never 0."""
    return _random.getrandbits(64) or 1


def span_context(trace_id: int, span_id: int, is_remote: bool = False) -> SpanContext:
    """A sampled context: every hop of a case is kept by the nodes, sampling is for OTLP alone."""
    return SpanContext(trace_id, span_id, is_remote, _SAMPLED, _NO_STATE)


def read_traceparent(text: str | None) -> tuple[int, int] | None:
    """Trace id and span id of a foreign traceparent; None when it is missing, malformed or all zero.

    By the W3C rule a malformed one is as good as none: never an error, for anybody may send anything.
    """
    if text is None or len(text) > 128 or (found := _TRACEPARENT.fullmatch(text)) is None:
        return None
    version, trace, span, _, more = found.groups()
    if version == "ff" or (version == "00" and more):
        return None
    trace_id, span_id = int(trace, 16), int(span, 16)
    return (trace_id, span_id) if trace_id and span_id else None


def foreign_link(text: str | None, kind: str = "caller") -> tuple[SpanLink, ...]:
    """The link to what a caller's or peer's traceparent names; empty when it names nothing."""
    ids = read_traceparent(text)
    return () if ids is None else (SpanLink(f"{ids[0]:032x}", f"{ids[1]:016x}", kind),)


@quick
@dataclass(frozen=True, slots=True)
class CaseTrace:
    """The hop of a case under which the next one hangs.

    trace_id, span_id: integers as OpenTelemetry has them; parent_span_id: the parent of this hop itself, 0
    for a root or where it is not known. What is stored is `traceparent` (55 characters), and for a hop that
    may have to be rebuilt also `parent_hex`.
    """

    case_number: str
    trace_id: int
    span_id: int
    parent_span_id: int = 0

    @classmethod
    def stored(cls, case_number: str, traceparent: str, parent_hex: str = "") -> Self:
        """From the columns. Raises BadTraceparent: what we stored ourselves must be right."""
        ids = read_traceparent(traceparent)
        if ids is None:
            raise BadTraceparent
        try:
            parent = int(parent_hex, 16) if parent_hex else 0
        except ValueError:
            raise BadTraceparent("parent_hex") from None
        return cls(case_number, ids[0], ids[1], parent)

    @property
    def traceparent(self) -> str:
        """The W3C text that is stored and sent."""
        return f"00-{self.trace_id:032x}-{self.span_id:016x}-01"

    @property
    def parent_hex(self) -> str:
        """16 hex digits, "" for a root."""
        return f"{self.parent_span_id:016x}" if self.parent_span_id else ""

    @property
    def log_fields(self) -> dict[str, str]:
        """What a log line about this hop carries: `log.info("sent", **hop.log_fields)`."""
        ids = {"trace_id": f"{self.trace_id:032x}", "span_id": f"{self.span_id:016x}"}
        return {"case_number": self.case_number, **ids}

    @property
    def context(self) -> Context:
        """A context in which a started span becomes a child of this hop and has its case number."""
        parent = NonRecordingSpan(span_context(self.trace_id, self.span_id, is_remote=True))
        return set_span_in_context(parent, set_value(_CASE_KEY, self.case_number, Context()))

    def reserve(self) -> CaseTrace:
        """A child hop whose id is fixed now and whose span is recorded later, by this process or the next
        one.
        """
        return CaseTrace(self.case_number, self.trace_id, new_span_id(), self.span_id)

    @property
    def reserved_context(self) -> Context:
        """A context in which the next span that is started *is* this reserved hop, whichever tracer user
        starts it.
        """
        parent = NonRecordingSpan(span_context(self.trace_id, self.parent_span_id, is_remote=True))
        kept = set_value(_CASE_KEY, self.case_number, Context())
        return set_span_in_context(parent, set_value(_RESERVED_KEY, self, kept))

    def part(self, part_number: str) -> CaseTrace:
        """The same hop, as the parent of a joint part's first: a part lives in its lead's trace."""
        return CaseTrace(part_number, self.trace_id, self.span_id, self.parent_span_id)

    def after_message(self, traceparent: str | None) -> tuple[CaseTrace, tuple[SpanLink, ...]]:
        """The parent for handling a message of this known case, and links: the sender's hop when it lies in
        this case's own trace, else what is stored here, with the sender's context as a link.
        """
        ids = read_traceparent(traceparent)
        if ids is not None and ids[0] == self.trace_id:
            return CaseTrace(self.case_number, ids[0], ids[1]), ()
        return self, foreign_link(traceparent, "peer")


def new_case_trace(case_number: str) -> CaseTrace:
    """A trace of its own for a new case, with the id of its root span reserved."""
    return CaseTrace(case_number, new_trace_id(), new_span_id())


def case_of(context: Context | None) -> str:
    """The case number that a context carries, or ""."""
    value = get_value(_CASE_KEY, context)
    return value if isinstance(value, str) else ""


def reserved_in(context: Context | None) -> CaseTrace | None:
    """The hop that the next span in this context shall be, if one is reserved."""
    value = get_value(_RESERVED_KEY, context)
    return value if isinstance(value, CaseTrace) else None


def with_case(context: Context, case_number: str) -> Context:
    """The context, in which spans belong to this case."""
    return set_value(_CASE_KEY, case_number, context)
