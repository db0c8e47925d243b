"""Takes filings and verbs from gRPC's core as they come, and refuses at once what would wait too long.

grpc.aio asks its core for one call of a method at a time, and hears of the next some turns of the loop later.
Under a storm the others wait in the core, where nobody counts them and from where they are turned away
without a word. Here many are asked for at once, and whoever cannot be served is told so before his message is
read. Knows which methods those are. Must not know why a call is refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import grpc
import structlog

from nodes.rpc.core import Core, OtherInside

METHODS: Final = ("/tongban.v1.CaseService/File", "/tongban.v1.CaseService/Act")
AT_ONCE: Final = 64
"""Calls of a method that may be handed over within one turn of the loop. grpc.aio goes on asking for one of
its own beside them: what that takes is read first, and refused by the gate.
"""
log = structlog.get_logger("tongban.rpc")


class Taking:
    """Of one server. Registered handlers are told it on the way to the server."""

    def __init__(
        self,
        server: grpc.aio.Server,
        interceptors: Sequence[grpc.aio.ServerInterceptor],
        refusal: Callable[[int], grpc.Status | None],
        arrived: Callable[[], None],
        *,
        most: int,
    ) -> None:
        """`refusal`: what a call that comes now is refused with while so many that were taken are not over,
        None when it is served; `arrived`: is told of each call that comes; `most`: calls that are not over
        beyond which whoever comes is not even told so.
        """
        self._server, self._interceptors = server, interceptors
        self._refusal, self._arrived, self._most = refusal, arrived, most
        self._handlers: dict[str, Any] = {}
        self._takers: set[asyncio.Task[None]] = set()
        self._calls: set[asyncio.Task[None]] = set()

    def add_generic_rpc_handlers(self, handlers: Iterable[Any]) -> None:
        """As the server has it."""
        self._server.add_generic_rpc_handlers(tuple(handlers))

    def add_registered_method_handlers(self, service: str, handlers: Mapping[str, Any]) -> None:
        """As the server has it."""
        server: Any = self._server
        server.add_registered_method_handlers(service, handlers)
        self._handlers.update({f"/{service}/{name}": handler for name, handler in handlers.items()})

    def start(self) -> None:
        """Begins, once the server has started; it ends with the server."""
        try:
            core = Core(self._server, self._handlers, self._interceptors)
        except OtherInside as error:
            log.warning("calls are taken one by one: gRPC is not as it is known", error=str(error))
            return
        for method in METHODS:
            for _ in range(AT_ONCE):
                _keep(self._takers, asyncio.create_task(self._take(core, method), name="taking"))

    async def _take(self, core: Core, method: str) -> None:
        while (call := await core.take(method)) is not None:
            self._arrived()
            if len(self._calls) < self._most:
                status = self._refusal(len(self._calls))
                over = core.answer(method, call) if status is None else core.refuse(call, status)
                _keep(self._calls, asyncio.create_task(over, name="call"))
            del call  # the core ends it once nobody has it any more


def _keep(tasks: set[asyncio.Task[None]], task: asyncio.Task[None]) -> None:
    tasks.add(task)
    task.add_done_callback(tasks.discard)
