"""A platform's way to its node: the gRPC face as anybody has it, with patience for what passes.

Knows stubs, statuses and which of them pass. Must not know who calls or why.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final, TypeVar

import grpc
from grpc_status import rpc_status

from tongban.v1 import case_pb2, case_service_pb2, operator_service_pb2
from tongban.v1.case_service_pb2_grpc import CaseServiceStub
from tongban.v1.errors_pb2 import ErrorDetail
from tongban.v1.operator_service_pb2_grpc import OperatorServiceStub

Answer = TypeVar("Answer")
PASSING: Final = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.ABORTED,
    }
)
PASSING_CODES: Final = frozenset(
    {"OVERLOADED", "RESOURCE_EXHAUSTED", "UNAVAILABLE", "TRY_AGAIN", "TIMED_OUT", "DRAINING"}
)
"""Refusals of a line of FileMany that say nothing of the filing."""
OPTIONS: Final = (("grpc.enable_http_proxy", 0), ("grpc.max_receive_message_length", 64 * 1024 * 1024))
CHUNK_BYTES: Final = 64 * 1024


class Refusal(Exception):
    """A call was refused by rule. detail: what the node says, code and fields."""

    def __init__(self, detail: ErrorDetail) -> None:
        super().__init__(f"{detail.code} {', '.join(f.field for f in detail.fields)}".strip())
        self.detail = detail
        self.code = detail.code


def refusal_of(error: grpc.aio.AioRpcError) -> Refusal:
    """What a status says, with its detail where it has one."""
    detail = ErrorDetail(code=error.code().name)
    try:
        status = rpc_status.from_call(error)
    except ValueError:
        status = None
    for packed in status.details if status is not None else ():
        if packed.Unpack(detail):
            break
    return Refusal(detail)


class Calls:
    """One node, over one channel. patience_s: wall seconds for which a passing failure is tried again."""

    def __init__(self, region: str, address: str, patience_s: float = 20.0) -> None:
        self.region, self.address, self.patience_s = region, address, patience_s
        self._channel = grpc.aio.insecure_channel(address, options=OPTIONS)
        self.cases = CaseServiceStub(self._channel)
        self.operator = OperatorServiceStub(self._channel)
        self._lines: asyncio.Queue[case_service_pb2.FileRequest] = asyncio.Queue()
        self._answers: dict[str, asyncio.Future[case_service_pb2.FileManyResponse]] = {}
        self._stream: asyncio.Task[None] | None = None

    async def close(self) -> None:
        """Ends the stream and the channel."""
        if self._stream is not None:
            self._stream.cancel()
        await self._channel.close(grace=0.5)

    async def patiently(self, call: Callable[[], Awaitable[Answer]]) -> Answer:
        """The answer; what passes is tried again. Raises Refusal."""
        until, pause = time.monotonic() + self.patience_s, 0.02
        while True:
            try:
                return await call()
            except grpc.aio.AioRpcError as error:
                if error.code() not in PASSING or time.monotonic() > until:
                    raise refusal_of(error) from None
            await asyncio.sleep(pause)
            pause = min(0.5, pause * 2)

    async def file(self, request: case_service_pb2.FileRequest) -> case_service_pb2.FileResponse:
        """One filing. Raises Refusal."""
        found: case_service_pb2.FileResponse = await self.patiently(
            lambda: self.cases.File(request, timeout=self.patience_s)
        )
        return found

    async def file_line(self, request: case_service_pb2.FileRequest) -> case_service_pb2.FileResponse:
        """One filing as a line of the platform's lasting FileMany stream. Raises Refusal."""
        if self._stream is None:
            self._stream = asyncio.create_task(self._file_many(), name=f"file-many-{self.region}")
        while True:
            turn: asyncio.Future[case_service_pb2.FileManyResponse]
            turn = asyncio.get_running_loop().create_future()
            self._answers[request.request_id] = turn
            await self._lines.put(request)
            async with asyncio.timeout(self.patience_s):
                answer = await turn
            if answer.WhichOneof("outcome") == "filed":
                return answer.filed
            if answer.refused.code not in PASSING_CODES:
                raise Refusal(answer.refused)
            await asyncio.sleep(0.05)

    async def _file_many(self) -> None:
        async def pieces() -> AsyncIterator[case_service_pb2.FileManyRequest]:
            while True:
                yield case_service_pb2.FileManyRequest(request=await self._lines.get())

        try:
            async for answer in self.cases.FileMany(pieces()):
                if (turn := self._answers.pop(answer.request_id, None)) is not None and not turn.done():
                    turn.set_result(answer)
        except grpc.aio.AioRpcError as error:
            for turn in self._answers.values():
                if not turn.done():
                    turn.set_exception(refusal_of(error))
            self._answers.clear()
            self._stream = None

    async def act(self, request: case_service_pb2.ActRequest) -> case_service_pb2.ActResponse:
        """One verb. Raises Refusal."""
        found: case_service_pb2.ActResponse = await self.patiently(
            lambda: self.cases.Act(request, timeout=self.patience_s)
        )
        return found

    async def get(self, number: str, actor: case_pb2.Actor) -> case_service_pb2.GetResponse:
        """One case. Raises Refusal."""
        request = case_service_pb2.GetRequest(case_number=number, actor=actor)
        found: case_service_pb2.GetResponse = await self.patiently(
            lambda: self.cases.Get(request, timeout=self.patience_s)
        )
        return found

    async def has_cases(self) -> bool:
        """Whether the node has any case at all. Raises Refusal."""
        actor = case_pb2.Actor(role=case_pb2.ROLE_OPERATOR, region=self.region, id="demo-operator")
        request = case_service_pb2.ListRequest(actor=actor, limit=1)
        found = await self.patiently(lambda: self.cases.List(request, timeout=self.patience_s))
        return bool(found.cases)

    async def history(self, number: str, actor: case_pb2.Actor) -> case_service_pb2.HistoryResponse:
        """What this region knows of the case, in order. Raises Refusal."""
        request = case_service_pb2.HistoryRequest(case_number=number, actor=actor)
        found: case_service_pb2.HistoryResponse = await self.patiently(
            lambda: self.cases.History(request, timeout=self.patience_s)
        )
        return found

    async def trace(self, number: str) -> operator_service_pb2.TraceResponse:
        """The case's spans in all regions. Raises Refusal."""
        actor = case_pb2.Actor(role=case_pb2.ROLE_OPERATOR, region=self.region, id="demo-operator")
        request = operator_service_pb2.TraceRequest(actor=actor, case_number=number)
        found: operator_service_pb2.TraceResponse = await self.patiently(
            lambda: self.operator.Trace(request, timeout=self.patience_s)
        )
        return found

    async def health(self) -> operator_service_pb2.HealthResponse:
        """How the node is. Raises Refusal."""
        actor = case_pb2.Actor(role=case_pb2.ROLE_OPERATOR, region=self.region, id="demo-operator")
        request = operator_service_pb2.HealthRequest(actor=actor)
        found: operator_service_pb2.HealthResponse = await self.patiently(
            lambda: self.operator.Health(request, timeout=self.patience_s)
        )
        return found

    async def upload(self, content: bytes, media_type: str, client: str, actor: case_pb2.Actor) -> bytes:
        """Puts a material; its SHA-256. Raises Refusal."""
        digest = hashlib.sha256(content)
        header = case_service_pb2.UploadHeader(
            client=client, request_id=digest.hexdigest(), sha256=digest.digest(), size=len(content),
            media_type=media_type, actor=actor,
        )  # fmt: skip

        async def pieces() -> AsyncIterator[case_service_pb2.UploadRequest]:
            yield case_service_pb2.UploadRequest(header=header)
            for start in range(0, len(content), CHUNK_BYTES):
                yield case_service_pb2.UploadRequest(chunk=content[start : start + CHUNK_BYTES])

        answer = await self.patiently(lambda: self.cases.Upload(pieces(), timeout=self.patience_s))
        return bytes(answer.sha256)

    async def download(self, sha256: bytes, number: str, actor: case_pb2.Actor) -> bytes:
        """The content of a material of that case. Raises Refusal."""
        request = case_service_pb2.DownloadRequest(sha256=sha256, case_number=number, actor=actor)

        async def whole() -> bytes:
            parts = [part.chunk async for part in self.cases.Download(request, timeout=self.patience_s)]
            return b"".join(parts)

        return await self.patiently(whole)
