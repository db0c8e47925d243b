"""A hop under way: OpenTelemetry's Span, cut down to what a hop of a case needs.

Knows the OpenTelemetry API and the rows of `spans`. Must not know who starts hops or where finished ones go:
they are handed to one function.

Three things differ from the SDK's span, each on purpose: a span has no events and a status no description
(free text is where personal data hides), a recorded exception leaves its class name alone, and its trace may
be settled after it has begun, for a call learns which case it concerns only on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import perf_counter_ns, time_ns
from typing import Final

from opentelemetry import trace as api
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode
from opentelemetry.util.types import AnyValue, Attributes
from typing_extensions import override

from nodes.telemetry import allowed, casetrace
from nodes.telemetry.casetrace import CaseTrace
from nodes.telemetry.spans import KINDS, SpanLink, SpanRow
from nodes.telemetry.spans import Status as RowStatus

_STATUS: Final[Mapping[StatusCode, RowStatus]] = {
    StatusCode.UNSET: "unset",
    StatusCode.OK: "ok",
    StatusCode.ERROR: "error",
}


class HopSpan(api.Span):
    """One hop under way. Made by `HopTracer`; used like any OpenTelemetry span, and see `join_case`."""

    __slots__ = (
        "_context", "_finish", "_started", "attributes", "case_number", "end_ns", "kept", "kind", "links",
        "name", "parent_span_id", "recovered", "region", "span_id", "start_ns", "status", "trace_id",
    )  # fmt: skip

    def __init__(
        self, name: str, kind: SpanKind, here: CaseTrace, region: str, finish: Callable[[HopSpan], None]
    ) -> None:
        self.name = name
        self.kind = kind
        self.trace_id = here.trace_id
        self.span_id = here.span_id
        self.parent_span_id = here.parent_span_id
        self.case_number = here.case_number
        self.region = region
        self.attributes: dict[str, object] = {}
        self.links: list[SpanLink] = []
        self.status = StatusCode.UNSET
        self.recovered = False
        self.kept = False
        """Its row is stored already, with the work it describes: only a collector is still to be told."""
        self.end_ns = 0
        self._finish = finish
        self._context: SpanContext | None = None
        self._started = perf_counter_ns()
        self.start_ns = time_ns()

    @property
    def here(self) -> CaseTrace:
        """This hop as the parent of others."""
        self.get_span_context()
        return CaseTrace(self.case_number, self.trace_id, self.span_id, self.parent_span_id)

    @property
    def is_settled(self) -> bool:
        """Whether its trace can no longer change: it has a case, or its context has been used."""
        return self._context is not None or bool(self.case_number)

    def leave_case(self) -> None:
        """What it was told of a case is not proven yet: until it begins or joins one, it is in none."""
        self.case_number = ""
        self.attributes.pop(allowed.CASE_NUMBER, None)

    def started_at(self, start_ns: int) -> None:
        """Moves the start to where the work began: wall time, nanoseconds since the Unix epoch."""
        self._started -= self.start_ns - start_ns
        self.start_ns = start_ns

    def begin_case(self, case_number: str) -> CaseTrace:
        """The call has brought a new case into being: its trace is this span's own. A call that brings
        several gives each a trace of its own (`new_case_trace`) and is linked from it.
        """
        self.case_number = case_number
        return self.here

    def join_case(self, case: CaseTrace) -> CaseTrace:
        """The call turned out to concern a stored case: hang this span under that hop. Returns the parent for
        what follows: this span, or, when its context has been used already or it belongs to another case, the
        stored hop, with a link from here to it.
        """
        if self.trace_id == case.trace_id:
            self.case_number = self.case_number or case.case_number
            return self.here
        if self._context is None and self.case_number in ("", case.case_number):
            if self.parent_span_id:
                self.links.append(SpanLink(f"{self.trace_id:032x}", f"{self.parent_span_id:016x}", "peer"))
            self.trace_id, self.parent_span_id = case.trace_id, case.span_id
            self.case_number = case.case_number
            return self.here
        self.links.append(SpanLink(f"{case.trace_id:032x}", f"{case.span_id:016x}", "case"))
        return case

    @override
    def get_span_context(self) -> SpanContext:
        if self._context is None:
            self._context = casetrace.span_context(self.trace_id, self.span_id)
        return self._context

    @override
    def end(self, end_time: int | None = None) -> None:
        """Ends it, once; later calls do nothing. The length is measured on the monotonic clock."""
        if self.end_ns:
            return
        self.end_ns = max(self.start_ns, self._now() if end_time is None else end_time)
        self._finish(self)

    def _now(self) -> int:
        return self.start_ns + perf_counter_ns() - self._started

    @override
    def set_attributes(self, attributes: Mapping[str, AnyValue]) -> None:
        self.attributes.update(attributes)

    @override
    def set_attribute(self, key: str, value: AnyValue) -> None:
        self.attributes[key] = value

    @override
    def add_event(self, name: str, attributes: Attributes = None, timestamp: int | None = None) -> None:
        """Kept nowhere: a moment that matters is a hop."""

    @override
    def add_link(self, context: SpanContext, attributes: Attributes = None) -> None:
        if context.is_valid:
            kind = (attributes or {}).get(allowed.LINK_KIND, "caller")
            self.links.append(SpanLink(f"{context.trace_id:032x}", f"{context.span_id:016x}", str(kind)))

    @override
    def update_name(self, name: str) -> None:
        self.name = name

    @override
    def is_recording(self) -> bool:
        return self.end_ns == 0

    @override
    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        """Sets the code; what is said about it is not kept. OK is final."""
        if self.status is not StatusCode.OK:
            self.status = status.status_code if isinstance(status, Status) else status

    @override
    def record_exception(
        self,
        exception: BaseException,
        attributes: Attributes = None,
        timestamp: int | None = None,
        escaped: bool = False,
    ) -> None:
        """Keeps the class name alone, as error.type."""
        self.attributes[allowed.ERROR_TYPE] = type(exception).__name__

    def row(self) -> tuple[SpanRow, int]:
        """The row, and how many attributes were not permitted.

        Of a span still under way: as if it ended now. Stored in the transaction of the work it describes,
        such a row outlives the process; the final one is the same span, a little longer.
        """
        attributes, dropped = allowed.sift(self.attributes)
        case_number = allowed.case_number_or_empty(self.case_number or attributes.get(allowed.CASE_NUMBER))
        attributes[allowed.REGION] = self.region
        if case_number:
            attributes[allowed.CASE_NUMBER] = case_number
        recovered = self.recovered or attributes.get(allowed.RECOVERED) is True
        if recovered:
            attributes[allowed.RECOVERED] = True
        links = tuple(SpanLink(k.trace_id, k.span_id, allowed.plain_name(k.kind)) for k in self.links)
        parent = f"{self.parent_span_id:016x}" if self.parent_span_id else ""
        row = SpanRow(
            f"{self.trace_id:032x}", f"{self.span_id:016x}", parent, case_number,
            allowed.plain_name(self.name), KINDS[self.kind.value], self.start_ns, self.end_ns or self._now(),
            _STATUS[self.status], attributes, links, recovered, self.region,
        )  # fmt: skip
        return row, dropped
