"""A node for the command line to talk to: the real services on a real port, with canned cases behind them.

A test double, in tests only. It keeps every request, answers a repeated request id with the first answer, and
refuses what its `refuse` names.
"""

import asyncio
import hashlib
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future
from typing import Any, Self

import grpc
from google.protobuf.any_pb2 import Any as Packed
from google.rpc.status_pb2 import Status
from typing_extensions import override

from regions.casenumber import case_number, parse_case_number
from tests.integration.cli import canned
from tests.integration.cli.operator_double import OperatorDouble
from tongban.v1 import case_service_pb2 as api
from tongban.v1 import operator_service_pb2 as ops
from tongban.v1.case_service_pb2_grpc import CaseServiceServicer, add_CaseServiceServicer_to_server
from tongban.v1.errors_pb2 import ErrorDetail, FieldError
from tongban.v1.event_pb2 import CaseEvent
from tongban.v1.operator_service_pb2_grpc import (
    add_OperatorServiceServicer_to_server,
)


def refusal(code: str, field: str, zh: str, en: str, advice: tuple[str, str] = ("", "")) -> ErrorDetail:
    wrong = FieldError(field=field, code=code, message_zh=zh, message_en=en)
    return ErrorDetail(code=code, fields=[wrong], advice_zh=advice[0], advice_en=advice[1])


def requests_of(node: "NodeDouble", kind: str) -> list[Any]:
    """What the node was asked of that kind, by the name of the message."""
    return [request for request in node.requests if type(request).__name__ == kind]


class NodeDouble(OperatorDouble, CaseServiceServicer):
    """One region's node on 127.0.0.1; `address` once started."""

    def __init__(self, region: str = "32") -> None:
        self.region = region
        self.requests: list[Any] = []
        self.answers: dict[tuple[str, str], bytes] = {}
        self.filings: Counter[str] = Counter()
        self.materials: dict[bytes, bytes] = {}
        self.case = canned.case(region)
        self.events: list[CaseEvent] = []
        self.health = ops.HealthResponse(region=region, state="up", version="0.1.0")
        self.refuse: Callable[[Any], tuple[grpc.StatusCode, ErrorDetail | None] | None] = lambda _request: (
            None
        )
        self.stop_after: int | None = None
        self.mute = False
        self.letters = [canned.letter()]
        self.watching = threading.Event()
        self.address = ""
        self._serial = 0

    # ---- life ------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server: grpc.aio.Server = self._do(self._start())
        return self

    def __exit__(self, *_error: object) -> None:
        self._do(self._server.stop(grace=0))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def tell(self, event: CaseEvent) -> None:
        """Append an event; whoever watches gets it."""

        async def append() -> None:
            self.events.append(event)
            self.case.case.version = event.core.version
            self.case.case.state = event.core.after.state
            self._changed.set()

        self._do(append())

    def cut(self) -> None:
        """End every open stream as a dying connection would."""

        async def end() -> None:
            self._cut += 1
            self._changed.set()

        self._do(end())

    def _do(self, work: Any) -> Any:
        waiting: Future[Any] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return waiting.result(10)

    async def _start(self) -> grpc.aio.Server:
        self._changed, self._cut = asyncio.Event(), 0
        server = grpc.aio.server()
        add_CaseServiceServicer_to_server(self, server)
        add_OperatorServiceServicer_to_server(self, server)
        self.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        await server.start()
        return server

    @override
    async def _check(self, request: Any, context: Any) -> None:
        self.requests.append(request)
        refused = self.refuse(request)
        if refused is None:
            return
        code, detail = refused
        if detail is None:
            await context.abort(code, "as the test wants it")
            return
        packed = Packed()
        packed.Pack(detail)
        status = Status(code=code.value[0], message="refused", details=[packed])
        await context.abort(code, "refused", (("grpc-status-details-bin", status.SerializeToString()),))

    # ---- cases -----------------------------------------------------------------------------------------

    def _file(self, request: api.FileRequest) -> api.FileResponse:
        key = (request.client, request.request_id)
        if key not in self.answers:
            self._serial += 1
            self.filings[request.request_id] += 1
            city = "310000" if self.region == "31" else f"{request.filing.origin_area[:4]}00"
            number = case_number(city, canned.DAY, 1, self._serial)
            self.answers[key] = canned.filed(number.text, request).SerializeToString()
        return api.FileResponse.FromString(self.answers[key])

    @override
    async def File(self, request: Any, context: Any) -> Any:
        await self._check(request, context)
        return self._file(request)

    @override
    async def FileMany(self, request_iterator: Any, context: Any) -> AsyncIterator[Any]:
        answered = 0
        async for line in request_iterator:
            self.requests.append(line.request)
            if self.stop_after is not None and answered >= self.stop_after:
                self.stop_after = None
                await context.abort(grpc.StatusCode.UNAVAILABLE, "gone")
            refused = self.refuse(line.request)
            answered += 1
            if refused and refused[1]:
                yield api.FileManyResponse(request_id=line.request.request_id, refused=refused[1])
            else:
                yield api.FileManyResponse(request_id=line.request.request_id, filed=self._file(line.request))

    @override
    async def Act(self, request: Any, context: Any) -> Any:
        await self._check(request, context)
        if request.actor.region == self.case.case.owner:
            return api.ActResponse(applied_version=self.case.case.version + 1)
        return api.ActResponse(requested_ask_id="018f-ask")

    @override
    async def Get(self, request: Any, context: Any) -> Any:
        await self._check(request, context)
        if parse_case_number(request.case_number).text != self.case.case.filing.case_number:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such case")
        return self.case

    @override
    async def List(self, request: Any, context: Any) -> Any:
        await self._check(request, context)
        return canned.page(request.cursor, request.limit)

    @override
    async def History(self, request: Any, context: Any) -> Any:
        await self._check(request, context)
        return api.HistoryResponse(events=self.events)

    @override
    async def Watch(self, request: Any, context: Any) -> AsyncIterator[Any]:
        await self._check(request, context)
        at = int(request.resume_token or len(self.events))
        cut = self._cut
        self.watching.set()
        while True:
            while at < len(self.events) and not self.mute:
                at += 1
                yield api.WatchResponse(resume_token=str(at), event=self.events[at - 1])
            if self._cut != cut:
                await context.abort(grpc.StatusCode.UNAVAILABLE, "cut")
            self._changed.clear()
            await self._changed.wait()

    @override
    async def Upload(self, request_iterator: Any, context: Any) -> Any:
        pieces = [piece async for piece in request_iterator]
        header = pieces[0].header
        self.requests.append(header)
        content = b"".join(piece.chunk for piece in pieces[1:])
        digest = hashlib.sha256(content).digest()
        assert (digest, len(content)) == (header.sha256, header.size)
        self.materials[digest] = content
        return api.UploadResponse(sha256=digest, size=len(content))

    @override
    async def Download(self, request: Any, context: Any) -> AsyncIterator[Any]:
        await context.abort(grpc.StatusCode.UNIMPLEMENTED, "no command downloads")
        yield api.DownloadResponse()
