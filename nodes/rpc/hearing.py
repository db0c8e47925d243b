"""How long a filing waits before the node hears of it.

gRPC's core keeps the calls that the event loop has not taken yet, and tells nobody how many or how long. So,
while it is crowded, the node files with itself: a call that stands in the same queue as all others, is known
by a word that nobody else has, and is answered by what takes it in, without being a filing. Knows one
channel and two times. Must not know who is refused for it.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final

import grpc
from typing_extensions import override

Handler = Any
METHOD: Final = "/tongban.v1.CaseService/File"
WORD: Final = "tongban-hearing"
CROWDED: Final = 16
"""Calls under way from which on it is worth knowing."""
EVERY_S: Final = 0.05
ANSWER_WITHIN_S: Final = 10.0


class Hearing(grpc.aio.ServerInterceptor):
    """Stands outermost: what it hears is as early as Python can hear it. All of it belongs to one loop."""

    def __init__(self, under_way: Callable[[], int]) -> None:
        """`under_way`: how many calls were heard and are not answered yet."""
        self._count = under_way
        self._word = secrets.token_hex(16)
        self._asked_at = 0.0
        self._heard_at = 0.0
        self._waited_s = 0.0
        self._crowded = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._answer: Handler = grpc.unary_unary_rpc_method_handler(_nothing)

    async def start(self, address: str) -> None:
        """Listens to itself at host:port."""
        self._task = asyncio.create_task(self._ask(address), name="hearing")

    async def close(self) -> None:
        """Ends it."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def note(self) -> None:
        """A call was heard."""
        if not self._crowded.is_set() and self._count() >= CROWDED:
            self._crowded.set()

    def wait_s(self) -> float:
        """How long a call of now waits until it is heard, wall seconds, as far as is known."""
        if self._count() < CROWDED:
            return 0.0
        waiting_s = time.perf_counter() - self._asked_at if self._asked_at else 0.0
        return max(self._waited_s, waiting_s)

    @override
    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler:
        """Answers its own call; hands on all others."""
        if self._asked_at and any(
            key == WORD and value == self._word for key, value in handler_call_details.invocation_metadata
        ):
            self._waited_s, self._asked_at = time.perf_counter() - self._asked_at, 0.0
            return self._answer
        return await continuation(handler_call_details)

    async def _ask(self, address: str) -> None:
        alone = (("grpc.use_local_subchannel_pool", 1),)  # not behind what else the node sends
        async with grpc.aio.insecure_channel(_near(address), alone) as channel:
            call: Any = channel.unary_unary(METHOD)
            while True:
                if self._count() < CROWDED:
                    self._crowded.clear()
                    self._waited_s = 0.0
                    await self._crowded.wait()
                self._asked_at = time.perf_counter()
                try:
                    await call(b"", metadata=((WORD, self._word),), timeout=ANSWER_WITHIN_S)
                except grpc.aio.AioRpcError:
                    self._asked_at = 0.0  # not heard at all: what that means is for others to find out
                await asyncio.sleep(EVERY_S)


async def _nothing(_request: bytes, _context: Any) -> bytes:
    return b""


def _near(address: str) -> str:
    """The address under which a node that listens there reaches itself."""
    host, _, port = address.rpartition(":")
    if host in {"0.0.0.0", "*", ""}:  # noqa: S104
        return f"127.0.0.1:{port}"
    return f"[::1]:{port}" if host == "[::]" else address
