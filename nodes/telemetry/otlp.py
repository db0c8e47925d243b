"""Spans to a collector by OTLP over gRPC, without ever being waited for.

Knows the SDK's span type and exporter, and one thread. Must not know the node's database. The SDK's own
batching processor is not used: it writes a log line for each span that it has no room for, and its shutdown
is bounded by 30 s. A collector that is away costs the node a queue of bounded length and one attempt now and
then.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import Final

from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanKind, Status, StatusCode
from structlog.typing import FilteringBoundLogger

from nodes.telemetry.allowed import LINK_KIND
from nodes.telemetry.casetrace import span_context
from nodes.telemetry.keeper import OtlpCounts
from nodes.telemetry.spans import SpanRow

_KINDS: Final = {kind.name.lower(): kind for kind in SpanKind}
_STATUS: Final = {code.name.lower(): Status(code) for code in StatusCode}
_LOWER_HALF: Final = (1 << 64) - 1
_LONGEST_PAUSE_S: Final = 60.0


def readable(row: SpanRow, resource: Resource, scope: InstrumentationScope) -> ReadableSpan:
    """The row as a span of the SDK."""
    trace_id = int(row.trace_id, 16)
    links = [
        Link(span_context(int(k.trace_id, 16), int(k.span_id, 16), True), {LINK_KIND: k.kind})
        for k in row.links
    ]
    return ReadableSpan(
        row.name,
        context=span_context(trace_id, int(row.span_id, 16)),
        parent=span_context(trace_id, int(row.parent_span_id, 16)) if row.parent_span_id else None,
        resource=resource,
        attributes=row.attributes,
        links=links,
        kind=_KINDS[row.kind],
        status=_STATUS[row.status],
        start_time=row.start_ns,
        end_time=row.end_ns,
        instrumentation_scope=scope,
    )


class OtlpExport:
    """A bounded queue and the thread that sends it."""

    def __init__(
        self,
        endpoint: str,
        region: str,
        service_version: str,
        *,
        sample_ratio: float,
        timeout_s: float,
        log: FilteringBoundLogger,
        capacity: int = 16_384,
        batch: int = 512,
        interval_s: float = 0.5,
    ) -> None:
        """endpoint: http(s)://host:port. region, service_version: who speaks. sample_ratio: share of traces
        sent, by trace id, so that every region sends the same ones. timeout_s bounds one attempt.
        """
        self.counts = OtlpCounts()
        self._log = log
        self._exporter = OTLPSpanExporter(endpoint=endpoint, timeout=timeout_s)
        self._resource = _identity(region, service_version)
        self._scope = InstrumentationScope("tongban", service_version)
        self._bound = round(sample_ratio * (1 << 64))
        self._capacity = capacity
        self._batch = batch
        self._interval_s = interval_s
        self._queue: deque[SpanRow] = deque()
        self._pause_s = 0.0
        self._give_up_at = float("inf")
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="telemetry-otlp", daemon=True)
        self._thread.start()

    def offer(self, rows: Sequence[SpanRow]) -> None:
        """Takes the sampled ones, or counts them as dropped. Never blocks."""
        for row in rows:
            if int(row.trace_id[16:], 16) & _LOWER_HALF >= self._bound:
                continue
            if len(self._queue) >= self._capacity:
                self.counts.dropped += 1
            else:
                self._queue.append(row)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._stopping.wait(max(self._interval_s, self._pause_s))
            self._send_all()

    def _send_all(self) -> None:
        """Sends until the queue is empty, an attempt fails, or time is up."""
        while self._queue and time.monotonic() < self._give_up_at:
            rows = [self._queue.popleft() for _ in range(min(self._batch, len(self._queue)))]
            spans = [readable(row, self._resource, self._scope) for row in rows]
            if self._exporter.export(spans) is SpanExportResult.SUCCESS:
                self.counts.exported += len(rows)
                if self._pause_s:
                    self._pause_s = 0.0
                    self._log.info("collector_back", exported=self.counts.exported)
                continue
            self.counts.failures += 1
            if not self._pause_s:
                self._log.warning("collector_away", dropped=self.counts.dropped)
            self._pause_s = min(_LONGEST_PAUSE_S, max(1.0, self._pause_s * 2))
            room = self._capacity - len(self._queue)
            self._queue.extendleft(reversed(rows[:room]))
            self.counts.dropped += len(rows) - min(len(rows), room)
            return

    def stop(self, grace_s: float) -> None:
        """Blocks for at most about `grace_s`: sends what is left, then cuts the connection."""
        self._give_up_at = time.monotonic() + grace_s
        self._stopping.set()
        self._thread.join(grace_s)
        self._exporter.shutdown()
        self._thread.join(0.5)
        self.counts.dropped += len(self._queue)
        self._queue.clear()


def _identity(region: str, version: str) -> Resource:
    """Who speaks, by OpenTelemetry's conventions for services."""
    return Resource(
        {
            "service.name": "tongban-node",
            "service.namespace": "tongban",
            "service.version": version,
            "service.instance.id": f"region-{region}",
            "tongban.region": region,
        }
    )
