"""What is done around every call of ours: a span for what changes a case, and a status for every error.

Knows gRPC handlers and nothing of a service. The order is [Tracing, Errors, Gate]: the first is outermost,
so that a span is still open when an error is told.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Final

import grpc
import structlog
from google.protobuf.message import DecodeError
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from typing_extensions import override

from nodes.rpc.faults import Fault, fault_of, malformed, status_of

OURS: Final = "/tongban.v1."
log = structlog.get_logger("tongban.rpc")

Handler = Any
"""grpc.RpcMethodHandler: its four attributes are not typed."""
_PROPAGATOR: Final = TraceContextTextMapPropagator()


class Errors(grpc.aio.ServerInterceptor):
    """Turns whatever a handler raises into the status of the one table, and ends a unary call in time.

    `timeout_s`: what a call that is no stream may take, whatever its caller allows it.
    """

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s

    @override
    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler:
        """Wraps our handlers; health and reflection look after themselves."""
        handler = await continuation(handler_call_details)
        method = str(handler_call_details.method)
        if handler is None or not method.startswith(OURS):
            return handler
        within_s = None if handler.request_streaming else self._timeout_s
        parse = _lenient(handler.request_deserializer)
        return around(handler, _answered(handler, method, within_s), _streamed(handler, method), parse)


def _answered(handler: Handler, method: str, within_s: float | None) -> Callable[[Any, Any], Awaitable[Any]]:
    inner = handler.stream_unary if handler.request_streaming else handler.unary_unary

    async def call(request: Any, context: Any) -> Any:
        try:
            async with asyncio.timeout(within_s):
                return await inner(_readable(request), context)
        except Exception as error:  # noqa: BLE001  # each becomes a status; what is unexpected is logged
            await _abort(context, method, error)

    return call


def _streamed(handler: Handler, method: str) -> Callable[[Any, Any], AsyncIterator[Any]]:
    inner = handler.stream_stream if handler.request_streaming else handler.unary_stream

    async def call(request: Any, context: Any) -> AsyncIterator[Any]:
        try:
            async for answer in inner(_readable(request), context):
                yield answer
        except Exception as error:  # noqa: BLE001  # each becomes a status; what is unexpected is logged
            await _abort(context, method, error)

    return call


async def _abort(context: Any, method: str, error: Exception) -> None:
    if isinstance(error, grpc.aio.AbortError):
        raise error
    if isinstance(error, grpc.aio.InternalError):  # the caller was gone before he could be told anything
        raise asyncio.CancelledError from error
    fault = fault_noted(error, method)
    note_fault(get_current_span(), fault)
    await context.abort_with_status(status_of(fault))


def fault_noted(error: Exception, method: str) -> Fault:
    """What an exception means to the caller; what nobody expected is logged."""
    fault = fault_of(error)
    if fault.code == "INTERNAL":
        log.error("call failed", method=method, error=type(error).__name__, exc_info=error)
    return fault


def around(
    handler: Handler,
    answered: Callable[[Any, Any], Awaitable[Any]],
    streamed: Callable[[Any, Any], AsyncIterator[Any]],
    parse: Callable[[bytes], Any],
) -> Handler:
    """The same handler with other insides: `answered` where it gives one answer, `streamed` where many."""
    make: Mapping[tuple[bool, bool], Callable[..., Handler]] = {
        (False, False): grpc.unary_unary_rpc_method_handler,
        (True, False): grpc.stream_unary_rpc_method_handler,
        (False, True): grpc.unary_stream_rpc_method_handler,
        (True, True): grpc.stream_stream_rpc_method_handler,
    }
    return make[handler.request_streaming, handler.response_streaming](
        streamed if handler.response_streaming else answered,
        request_deserializer=parse,
        response_serializer=handler.response_serializer,
    )


class _Unreadable:
    """Bytes that are no message: told by a status of ours, not by whatever parses them."""


def _lenient(parse: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    def deserialize(body: bytes) -> Any:
        try:
            return parse(body)
        except DecodeError:
            return _Unreadable()

    return deserialize


def _readable(request: Any) -> Any:
    """The request, or its stream. Raises Fault MALFORMED, of a stream once it comes to what is unreadable."""
    if isinstance(request, _Unreadable):
        raise malformed("", "is not a message of this contract")
    return _all_readable(request) if isinstance(request, AsyncIterator) else request


async def _all_readable(requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
    async for request in requests:
        yield _readable(request)


TRACED: Final = frozenset({"tongban.v1.CaseService/File", "tongban.v1.CaseService/Act"})
"""Calls that are a hop of a case. Lines of FileMany are spans of their own (`call_span`); reads are none."""


class Tracing(grpc.aio.ServerInterceptor):
    """A server span around each call that is a hop of a case. What the caller's traceparent names becomes a
    link.
    """

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    @override
    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler:
        """Wraps the traced handlers, all of them unary."""
        handler = await continuation(handler_call_details)
        method = str(handler_call_details.method).removeprefix("/")
        if handler is None or method not in TRACED:
            return handler
        metadata = handler_call_details.invocation_metadata
        inner = handler.unary_unary

        async def call(request: Any, context: Any) -> Any:
            with call_span(self._tracer, method, metadata) as span:
                answer = await inner(request, context)
                note_status(span, grpc.StatusCode.OK)
                return answer

        return grpc.unary_unary_rpc_method_handler(
            call,
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )


def call_span(tracer: Tracer, method: str, metadata: Any) -> AbstractContextManager[Span]:
    """The span of one call, or of one line of a stream; it is the current one inside. A tracestate is left
    alone: a link needs none, and whoever parses it logs what a stranger wrote.
    """
    carried = {str(k): v for k, v in metadata or () if k == "traceparent" and isinstance(v, str)}
    return tracer.start_as_current_span(
        method,
        _PROPAGATOR.extract(carried) if carried else None,
        SpanKind.SERVER,
        attributes={"rpc.system.name": "grpc", "rpc.method": method},
        record_exception=False,
        set_status_on_exception=False,
    )


def note_status(span: Span, code: grpc.StatusCode) -> None:
    """What the caller was told."""
    span.set_attribute("rpc.response.status_code", code.name)
    if code is not grpc.StatusCode.OK:
        span.set_status(Status(StatusCode.ERROR))


def note_fault(span: Span, fault: Fault) -> None:
    """Why the caller was refused."""
    span.set_attribute("tongban.reason", fault.code)
    note_status(span, fault.status)
