"""How much one caller may have under way at once, and for how long he may leave unread what he asked for.

Knows gRPC handlers, and callers by what there is to know them by: the host they call from (a peer) and,
within it, the name they give themselves (a client). A name is its bearer's word until callers are identified,
so it only ever divides what its host may have. Who has too much is refused before anything is done, and told
when to come again; others are served. Must not know services.
"""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

import grpc
import structlog
from typing_extensions import override

from nodes.rpc.faults import Fault, Wrong, status_of
from nodes.rpc.interceptors import OURS, Handler, around
from nodes.rpc.pace import Pace

Bounds = list[tuple[Hashable, int]]
"""Names under which a call is counted, and how many each may have."""
ALL: Final = ""
MAX_CLIENT: Final = 64
RETRY_CALLS_S: Final = 1.0
RETRY_STREAMS_S: Final = 5.0
TOLD_S: Final = 0.1
"""A wait to expect is told in steps of that, so that few different refusals are made."""
log = structlog.get_logger("tongban.rpc")


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """What may be under way at once, of all, of a peer, of a client; calls a second, 0 for any.

    `patience_s`: wall seconds that a filing or a verb may have to wait for the node, beyond it it is refused
    at once; `slow_reader_s`: how long an answer of a stream may lie untaken before the stream is dropped.
    """

    max_calls: int = 1000
    peer_calls: int = 600
    client_calls: int = 400
    max_open_streams: int = 2000
    peer_streams: int = 600
    peer_rate: float = 10_000.0
    client_rate: float = 5000.0
    patience_s: float = 0.5
    slow_reader_s: float = 60.0

    @property
    def everything(self) -> int:
        """Where whatever comes is refused before it is read: beyond all of it, with room for refusals."""
        return 2 * (self.max_calls + self.max_open_streams)


class Gate(grpc.aio.ServerInterceptor):
    """Stands innermost, before every handler of the server, ours or not. All of it belongs to one loop."""

    def __init__(self, crowd: Crowd, wait_s: Callable[[int], float], arrived: Callable[[], None]) -> None:
        """`wait_s`: how long a filing or a verb that comes now would have to wait while so many are
        under way, wall seconds; `arrived`: is told of calls.
        """
        self.crowd, self._wait_s, self._arrived = crowd, wait_s, arrived
        self._changing = 0
        self._refused: tuple[float, grpc.Status] | None = None
        self._calls: Counter[Hashable] = Counter()
        self._streams: Counter[Hashable] = Counter()
        self._telling: set[asyncio.Task[None]] = set()
        self._peer_pace, self._client_pace = Pace(crowd.peer_rate), Pace(crowd.client_rate)

    @property
    def calls(self) -> int:
        """Calls under way that are no streams."""
        return self._calls[ALL]

    @property
    def open_streams(self) -> int:
        """Streams under way."""
        return self._streams[ALL]

    def refusal(self, open_calls: int = 0) -> grpc.Status | None:
        """What a filing or a verb that comes now is refused with, None when it is not.

        `open_calls`: how many have begun, those among them whose message is not there yet.
        """
        if open_calls >= self.crowd.everything:
            return status_of(Fault("TOO_MANY_CALLS", retry_after_s=RETRY_CALLS_S))
        wait_s = self._wait_s(self._changing)
        if wait_s <= self.crowd.patience_s:
            return None
        said_s = math.ceil(wait_s / TOLD_S) * TOLD_S
        if self._refused is None or self._refused[0] != said_s:
            self._refused = (said_s, status_of(Fault("OVERLOADED", retry_after_s=said_s)))
        return self._refused[1]

    def pass_pace(self, peer: str, client: str) -> None:
        """One changing call, or one line of a stream. Raises Fault: TOO_FAST."""
        wait_s = max(self._peer_pace.take(peer), self._client_pace.take((peer, client)))
        if wait_s:
            raise Fault("TOO_FAST", [Wrong("client", "TOO_FAST")], retry_after_s=wait_s)

    @override
    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler:
        """Wraps our handlers, and every stream."""
        handler = await continuation(handler_call_details)
        is_stream = handler is not None and (handler.request_streaming or handler.response_streaming)
        if handler is None or not (is_stream or str(handler_call_details.method).startswith(OURS)):
            return handler  # whether the node is well may be asked however full it is
        return around(handler, self._answered(handler), self._streamed(handler), handler.request_deserializer)

    def _answered(self, handler: Handler) -> Callable[[Any, Any], Awaitable[Any]]:
        inner = handler.stream_unary if handler.request_streaming else handler.unary_unary

        async def call(request: Any, context: Any) -> Any:
            if handler.request_streaming:
                async with self._stream(context):
                    return await inner(request, context)
            client = getattr(request, "client", None)
            async with self._call(context, client[:MAX_CLIENT] if isinstance(client, str) else None):
                return await inner(request, context)

        return call

    def _streamed(self, handler: Handler) -> Callable[[Any, Any], AsyncIterator[Any]]:
        inner = handler.stream_stream if handler.request_streaming else handler.unary_stream

        async def call(request: Any, context: Any) -> AsyncIterator[Any]:
            async with self._stream(context) as bounds:
                answers = inner(request, context)
                if asyncio.iscoroutine(answers):
                    await answers  # it writes by itself, as health does
                    return
                loop, task = asyncio.get_running_loop(), asyncio.current_task()
                async for answer in answers:
                    dropping = loop.call_later(self.crowd.slow_reader_s, self._drop, task, context, bounds)
                    try:
                        yield answer  # flow control holds it until the caller has room for it
                    finally:
                        dropping.cancel()

        return call

    @asynccontextmanager
    async def _call(self, context: Any, client: str | None) -> AsyncIterator[None]:
        """One call under way; refused at once when there is no room for it."""
        self._arrived()
        crowd, peer = self.crowd, peer_of(context)
        bounds: Bounds = [(ALL, crowd.max_calls), (peer, crowd.peer_calls)]
        if client is not None:
            bounds.append(((peer, client), crowd.client_calls))
        changes = client is not None
        try:
            if client is not None:
                if (status := self.refusal()) is not None:
                    await context.abort_with_status(status)
                self.pass_pace(peer, client)
            _enter(self._calls, bounds, "TOO_MANY_CALLS", RETRY_CALLS_S)
        except Fault as fault:
            await context.abort_with_status(status_of(fault))
        self._changing += changes
        try:
            yield
        finally:
            self._changing -= changes
            _leave(self._calls, bounds)

    @asynccontextmanager
    async def _stream(self, context: Any) -> AsyncIterator[Bounds]:
        """One stream under way; refused at once when there is no room for it."""
        crowd, peer = self.crowd, peer_of(context)
        bounds: Bounds = [(ALL, crowd.max_open_streams), (peer, crowd.peer_streams)]
        try:
            _enter(self._streams, bounds, "TOO_MANY_STREAMS", RETRY_STREAMS_S)
        except Fault as fault:
            await context.abort_with_status(status_of(fault))
        try:
            yield bounds
        finally:
            _leave(self._streams, bounds)

    def _drop(self, task: asyncio.Task[Any] | None, context: Any, bounds: Bounds) -> None:
        """Nobody reads: what was kept for him is let go, and he is told once he reads again. Until then, or
        until his connection ends, he has the place of one stream.
        """
        log.warning("a stream that nobody reads was dropped", peer=peer_of(context))
        for name, _ in bounds:
            self._streams[name] += 1
        if task is not None:
            task.cancel()
        telling = asyncio.create_task(self._tell(context, bounds), name="slow-reader")
        self._telling.add(telling)
        telling.add_done_callback(self._telling.discard)

    async def _tell(self, context: Any, bounds: Bounds) -> None:
        fault = Fault("SLOW_READER", retry_after_s=RETRY_CALLS_S)
        try:
            with suppress(Exception):  # told, which raises too; or he is gone
                await context.abort_with_status(status_of(fault))
        finally:
            _leave(self._streams, bounds)


def _enter(count: Counter[Hashable], bounds: Bounds, code: str, retry_s: float) -> None:
    if any(count[name] >= most for name, most in bounds):
        raise Fault(code, retry_after_s=retry_s)
    for name, _ in bounds:
        count[name] += 1


def _leave(count: Counter[Hashable], bounds: Bounds) -> None:
    for name, _ in bounds:
        count[name] -= 1
        if not count[name]:
            del count[name]


def peer_of(context: Any) -> str:
    """The host that a call comes from, without its port."""
    peer = str(context.peer())
    return peer.rpartition(":")[0] if peer.startswith("ip") else peer
