"""Calls to nodes as bytes, each changing one noted in the history, and sent again until it is answered.

Knows gRPC, the error detail of the wire and the history. An error that may pass is no answer: the same
request goes out again under the same id, as a province's platform would do it.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self

import grpc
from google.rpc import status_pb2

from tests.fault.checker.facts import Call
from tests.fault.checker.history import History
from tongban.v1.case_service_pb2 import (
    ActRequest,
    ActResponse,
    FileRequest,
    FileResponse,
    GetRequest,
    GetResponse,
)
from tongban.v1.errors_pb2 import ErrorDetail

PASSING: Final = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNKNOWN,
    }
)
OPTIONS: Final = (
    ("grpc.enable_http_proxy", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
)
CASES: Final = "/tongban.v1.CaseService/"


class GaveUp(Exception):
    """No answer within the caller's patience."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a call came to: an answer, or a refusal by rule with its code."""

    answer: bytes
    code: str = ""

    @property
    def refused(self) -> bool:
        """Whether it was refused."""
        return bool(self.code)


class Callers:
    """A platform's connections to every node. `patience_s`: how long a call is sent again."""

    def __init__(
        self, nodes: Mapping[str, str], history: History, *, timeout_s: float = 5.0, patience_s: float = 60.0
    ) -> None:
        """`nodes`: region -> host:port."""
        self._channels = {r: grpc.aio.insecure_channel(address, OPTIONS) for r, address in nodes.items()}
        self._history = history
        self._timeout_s, self._patience_s = timeout_s, patience_s
        self.calls = 0
        self.passing = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for channel in self._channels.values():
            await channel.close(None)

    async def file(self, region: str, request: FileRequest) -> Outcome:
        """A filing, until it is answered. Raises GaveUp."""
        return await self._insist(region, "File", "file", request, "")

    async def act(self, region: str, request: ActRequest) -> Outcome:
        """A verb, until it is answered. Raises GaveUp."""
        verb = request.command.WhichOneof("verb") or ""
        return await self._insist(region, "Act", verb, request, request.case_number)

    async def get(self, region: str, request: GetRequest) -> GetResponse | None:
        """A case; None when the node has none, or is away."""
        try:
            raw = await self._send(region, "Get", request)
        except grpc.aio.AioRpcError:
            return None
        return GetResponse.FromString(raw)

    async def _insist(
        self, region: str, method: str, verb: str, request: FileRequest | ActRequest, number: str
    ) -> Outcome:
        deadline = time.monotonic() + self._patience_s
        tries = 0
        while True:
            began = time.time_ns()
            outcome, code = None, ""
            try:
                outcome = Outcome(await self._send(region, method, request))
            except grpc.aio.AioRpcError as error:
                detail = _detail(error)
                code = detail[0] if detail else error.code().name
                if detail and error.code() not in PASSING:
                    outcome = Outcome(detail[1], code)
            self._note(region, verb, request, began, outcome, code, number)
            self.calls += 1
            if outcome is not None:
                return outcome
            self.passing += 1
            if time.monotonic() > deadline:
                raise GaveUp(f"{verb} {request.request_id} at {region}: {code}")
            tries += 1
            await asyncio.sleep(min(1.0, 0.05 * 2**tries) * random.uniform(0.5, 1.0))

    async def _send(self, region: str, method: str, request: Any) -> bytes:
        """As bytes, so that the answer is seen as it was sent."""
        call: Any = self._channels[region].unary_unary(
            CASES + method, request_serializer=lambda m: m.SerializeToString(), response_deserializer=bytes
        )
        answer: bytes = await call(request, timeout=self._timeout_s)
        return answer

    def _note(
        self, region: str, verb: str, request: FileRequest | ActRequest, began: int, outcome: Outcome | None,
        code: str, number: str,
    ) -> None:  # fmt: skip
        done = ActResponse()
        if outcome is not None and not outcome.refused:
            if verb == "file":
                number = FileResponse.FromString(outcome.answer).case_number
            else:
                done = ActResponse.FromString(outcome.answer)
        said = "unknown" if outcome is None else "refused" if outcome.refused else "acknowledged"
        self._history.note(
            Call(
                region=region, verb=verb, start_ns=began, end_ns=time.time_ns(), client=request.client,
                request_id=request.request_id, request=_digest(request.SerializeToString(deterministic=True)),
                outcome=said, answer="" if outcome is None else _digest(outcome.answer), code=code,
                case_number=number, version=done.applied_version, ask_id=done.requested_ask_id,
            )
        )  # fmt: skip


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _detail(error: grpc.aio.AioRpcError) -> tuple[str, bytes] | None:
    """Code and bytes of the refusal that a status carries; None when it carries none of ours."""
    for name, value in error.trailing_metadata() or ():
        if name == "grpc-status-details-bin" and isinstance(value, bytes):
            for packed in status_pb2.Status.FromString(value).details:
                detail = ErrorDetail()
                if packed.Unpack(detail):
                    return detail.code, packed.value
    return None
