"""What a node does with gRPC's core that grpc.aio has no words for: everything of gRPC that is not public.

Knows the inside of one version of grpcio, the locked one. Must not know a service, nor who is refused. With
another version that has not the same inside, a server works as grpc.aio has it, slower under a storm.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any, Final

import grpc

Call = Any
"""A call that the core has handed over: an RPCState."""
_CYGRPC: Final[Any] = import_module("grpc._cython.cygrpc")


class OtherInside(Exception):
    """This grpcio has not the inside that is known here."""


def begin() -> None:
    """Begins gRPC for asyncio in this loop, so that its poller does not wait for the loop. Goes with `end`.

    The poller, a thread, says that something has happened by one byte into a pair of sockets, and the loop
    reads one byte a turn. With 278 unread bytes the socket is full: the thread waits, Linux wakes it when
    three quarters have been read, and for those 208 turns the loop hears of nothing. A byte more than those
    that lie there says nothing, so the thread need not wait until there is room.
    """
    pairs: list[tuple[socket.socket, socket.socket]] = []
    make, here = socket.socketpair, threading.get_ident()

    def noted(*args: Any, **more: Any) -> tuple[socket.socket, socket.socket]:
        pair = make(*args, **more)
        if threading.get_ident() == here:
            pairs.append(pair)
        return pair

    socket.socketpair = noted  # gRPC makes its pair now, if it has none yet
    try:
        grpc.aio.init_grpc_aio()
    finally:
        socket.socketpair = make
    for _, said in pairs:
        said.setblocking(False)


def end() -> None:
    """What `begin` began, unless others use it."""
    grpc.aio.shutdown_grpc_aio()


class Core:
    """The core of one server, as far as calls are taken from it by hand."""

    def __init__(
        self,
        server: grpc.aio.Server,
        handlers: Mapping[str, Any],
        interceptors: Sequence[grpc.aio.ServerInterceptor],
    ) -> None:
        """`handlers`: by the whole name of the method, registered with the server. Raises OtherInside."""
        try:
            self._request = _inside(_inside(server, "_server"), "_request_registered_call")
            self._ended: type[Exception] = _inside(_CYGRPC, "_RequestCallError")
            self._handle, self._schedule = (
                _inside(_CYGRPC, "_handle_rpc"),
                _inside(_CYGRPC, "_schedule_rpc_coro"),
            )
            self._batch = _inside(_CYGRPC, "execute_batch")
            self._gone: type[Exception] = _inside(_CYGRPC, "ExecuteBatchError")
            self._first = _inside(_CYGRPC, "SendInitialMetadataOperation")
            self._last = _inside(_CYGRPC, "SendStatusFromServerOperation")
            self._close = _inside(_CYGRPC, "ReceiveCloseOnServerOperation")
            self._resolver = _inside(_CYGRPC, "_MethodResolver")([], dict(handlers))
        except (AttributeError, TypeError) as error:
            raise OtherInside(str(error)) from error
        self._interceptors = tuple(interceptors)

    async def take(self, method: str) -> Call | None:
        """The next call of a registered method; None when the server has ended. Many may wait at once."""
        try:
            return await self._request(method.encode())
        except self._ended:
            return None

    async def answer(self, method: str, call: Call) -> None:
        """Does with the call what grpc.aio does, until it is over."""
        loop = asyncio.get_running_loop()
        full = False
        handled = self._handle(method, self._resolver, self._interceptors, call, loop, full)
        await self._schedule(handled, call, loop, method)

    async def refuse(self, call: Call, status: grpc.Status) -> None:
        """Ends the call with a status, without reading what it asks for. Takes as long as its caller takes to
        read that.
        """
        said = (
            self._first((), 0),
            self._last(status.trailing_metadata, status.code.value[0], status.details, 0),
            self._close(0),
        )
        with suppress(self._gone):  # the caller has gone meanwhile
            await self._batch(call, said, asyncio.get_running_loop())


def _inside(whole: Any, name: str) -> Any:
    return getattr(whole, name)
