"""The hop of a piece of work: the span under which everything that follows from it in a case hangs.

Knows how a span joins a case's trace. Must not know who opened the span, nor where its row is stored: the
batch stores it with the work itself, so that a trace stays connected when the process dies before the span
has ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from opentelemetry import trace

from nodes.telemetry.casetrace import CaseTrace, new_case_trace
from nodes.telemetry.hop import HopSpan
from nodes.telemetry.recorder import HopTracer

Hop = Callable[[str, str], str]
"""(case number, stored trace context or "") -> the context of the hop that does the work."""


def stay(_: str, stored: str) -> str:
    """The Hop of work that is no hop of its own."""
    return stored


@dataclass(slots=True)
class SpanHop:
    """The hop that one span is: a caller's RPC, the handling of one message. It begins a new case's trace, or
    joins a stored case's.
    """

    span: trace.Span
    spans: list[HopSpan] = field(default_factory=list)

    def __call__(self, number: str, stored: str) -> str:
        """See `Hop`."""
        span = self.span
        if not isinstance(span, HopSpan):
            return stored or new_case_trace(number).traceparent
        if not self.spans:
            self.spans.append(span)
        if not stored:
            return span.begin_case(number).traceparent
        return span.join_case(CaseTrace.stored(number, stored)).traceparent


@dataclass(slots=True)
class OwnHop:
    """A hop of the node itself, one span a case: a timer that is due, an own step. Work that is run again
    after a lost transaction stays the same hop.
    """

    tracer: HopTracer
    name: str
    _opened: dict[str, HopSpan] = field(default_factory=dict)

    @property
    def spans(self) -> Iterable[HopSpan]:
        """Those that were opened."""
        return self._opened.values()

    def __call__(self, number: str, stored: str) -> str:
        """See `Hop`."""
        if number not in self._opened:
            context = CaseTrace.stored(number, stored).context
            span = self._opened[number] = self.tracer.start_span(self.name, context=context)
            span.kept = True  # its row is written with the work, or there was none
            span.end()
        return self._opened[number].here.traceparent


def spans_of(hops: Iterable[Hop]) -> list[HopSpan]:
    """The spans of hops that touched a case."""
    return [span for hop in hops for span in getattr(hop, "spans", ()) if span.case_number]
