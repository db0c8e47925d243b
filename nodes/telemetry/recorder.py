"""How a hop is recorded: OpenTelemetry's Tracer over our own span (`hop`).

Knows the OpenTelemetry API and where in a trace a new span stands. Must not know where finished hops go. The
SDK's own span costs 43 us to start and end where this one costs 6, and cannot be given its id in advance, nor
be told its trace after it has begun; both are needed here. What leaves the process is made of the SDK's
types again (see `otlp`). Everything is recorded: sampling is for the collector alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from opentelemetry import trace as api
from opentelemetry.context import Context
from opentelemetry.trace import Link, SpanContext, SpanKind
from opentelemetry.util._decorator import _agnosticcontextmanager
from opentelemetry.util.types import AnyValue, Attributes
from typing_extensions import override

from nodes.telemetry import allowed, casetrace
from nodes.telemetry.casetrace import CaseTrace
from nodes.telemetry.hop import HopSpan
from nodes.telemetry.spans import SpanLink

_BY_MESSAGE: Final = (SpanKind.CONSUMER, SpanKind.PRODUCER)


class HopTracer(api.Tracer):
    """Starts hops of one node. Thread-safe, as it keeps nothing."""

    def __init__(self, region: str, finish: Callable[[HopSpan], None]) -> None:
        self._region = region
        self._finish = finish

    @override
    def start_span(
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
    ) -> HopSpan:
        """As in OpenTelemetry; in a `CaseTrace.reserved_context` the span takes the reserved id."""
        here, caller = _place(context, kind)
        span = HopSpan(name, kind, here, self._region, self._finish)
        if caller is not None:
            span.add_link(caller)
        if attributes:
            span.attributes.update(attributes)
            named = allowed.case_number_or_empty(attributes.get(allowed.CASE_NUMBER))
            span.case_number = span.case_number or named
        if links:
            for link in links:
                span.add_link(link.context, link.attributes)
        if start_time is not None:
            span.started_at(start_time)
        return span

    @override
    @_agnosticcontextmanager
    def start_as_current_span(
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
        end_on_exit: bool = True,
    ) -> Iterator[api.Span]:
        """As in OpenTelemetry."""
        span = self.start_span(name, context, kind, attributes, links, start_time)
        with api.use_span(span, end_on_exit, record_exception, set_status_on_exception):
            yield span

    def hop(
        self,
        name: str,
        parent: CaseTrace,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Mapping[str, AnyValue] | None = None,
        links: Sequence[SpanLink] = (),
        start_ns: int | None = None,
    ) -> HopSpan:
        """A hop under `parent`, without a context being built: the short way on the hot path."""
        here = CaseTrace(parent.case_number, parent.trace_id, casetrace.new_span_id(), parent.span_id)
        return self.span_with_id(name, here, kind, attributes, links, start_ns)

    def span_with_id(
        self,
        name: str,
        here: CaseTrace,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Mapping[str, AnyValue] | None = None,
        links: Sequence[SpanLink] = (),
        start_ns: int | None = None,
        recovered: bool = False,
    ) -> HopSpan:
        """The span of a hop whose id was reserved. With `recovered`, one whose process died before it was
        written: give `start_ns` and the end from what was stored.
        """
        span = HopSpan(name, kind, here, self._region, self._finish)
        if attributes:
            span.attributes.update(attributes)
        span.links.extend(links)
        span.recovered = recovered
        if start_ns is not None:
            span.started_at(start_ns)
        return span


def _place(context: Context | None, kind: SpanKind) -> tuple[CaseTrace, SpanContext | None]:
    """Where a span started in this context stands: the reserved hop, a child of the current one, or a root;
    and the caller's context to be linked to. What came with a message is a parent, what came with a call is
    not.
    """
    current = api.get_current_span(context)
    if isinstance(current, HopSpan):
        current.get_span_context()
        case = current.case_number
        return CaseTrace(case, current.trace_id, casetrace.new_span_id(), current.span_id), None
    if (reserved := casetrace.reserved_in(context)) is not None:
        return reserved, None
    parent = current.get_span_context()
    case = casetrace.case_of(context)
    if parent.is_valid and (case or kind in _BY_MESSAGE or not parent.is_remote):
        return CaseTrace(case, parent.trace_id, casetrace.new_span_id(), parent.span_id), None
    return CaseTrace(case, casetrace.new_trace_id(), casetrace.new_span_id()), parent
