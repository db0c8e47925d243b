"""A collector for tests: the OTLP trace service over gRPC, keeping what it is sent; and mute ports."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager

import grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import (
    TraceServiceServicer,
    add_TraceServiceServicer_to_server,
)
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span
from typing_extensions import override


class Collector(TraceServiceServicer):
    """Keeps every request; refuses the first `refusals` as unavailable."""

    def __init__(self, refusals: int = 0) -> None:
        self.requests: list[ResourceSpans] = []
        self.refusals = refusals
        self.came = threading.Condition()

    @override
    def Export(
        self, request: ExportTraceServiceRequest, context: grpc.ServicerContext
    ) -> ExportTraceServiceResponse:
        with self.came:
            if self.refusals:
                self.refusals -= 1
                context.abort(grpc.StatusCode.INTERNAL, "refused")
            self.requests.extend(request.resource_spans)
            self.came.notify_all()
        return ExportTraceServiceResponse()

    @property
    def spans(self) -> list[Span]:
        return [span for r in self.requests for scope in r.scope_spans for span in scope.spans]

    def wait_for(self, count: int, timeout_s: float = 10.0) -> list[Span]:
        """The spans, once there are `count`; fails after the time-out."""
        with self.came:
            assert self.came.wait_for(lambda: len(self.spans) >= count, timeout_s), len(self.spans)
            return self.spans


@contextmanager
def collecting(collector: Collector, port: int = 0) -> Iterator[str]:
    """A running collector's endpoint."""
    server = grpc.server(futures.ThreadPoolExecutor(2))
    add_TraceServiceServicer_to_server(collector, server)  # type: ignore[no-untyped-call]
    bound = server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    try:
        yield f"http://127.0.0.1:{bound}"
    finally:
        server.stop(None).wait()


def free_port() -> int:
    """A port where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def black_hole() -> Iterator[str]:
    """An endpoint that takes connections and never says a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(16)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
