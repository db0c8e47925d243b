"""FileMany: a stream of filings in, an answer a line out, many in flight.

Knows windows and back pressure: while `window` lines are under way or their answers not yet taken, nothing
more is read, so a caller who does not read his answers stops himself and nobody else. A line that is
refused ends nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

import grpc
from opentelemetry.trace import Tracer

from nodes.codec.requests import FILE_REQUEST, fingerprint
from nodes.rpc.drain import Drain, ended
from nodes.rpc.faults import Fault, detail_of, fault_of_answer, missing
from nodes.rpc.gates import MAX_CLIENT, peer_of
from nodes.rpc.interceptors import call_span, fault_noted, note_fault, note_status
from nodes.rpc.looking import checked_size
from nodes.rpc.ports import FilesAndActs
from nodes.rpc.roles import admit
from tongban.v1 import case_service_pb2 as pb

METHOD: Final = "tongban.v1.CaseService/FileMany"


class Lines:
    """The lines of one node's FileMany calls."""

    def __init__(
        self, region: str, desk: FilesAndActs, tracer: Tracer, drain: Drain,
        pass_pace: Callable[[str, str], None], *, window: int, timeout_s: float,
    ) -> None:  # fmt: skip
        """`pass_pace`: raises Fault for a (peer, client) that sends too fast; `window`: lines of one call
        under way at once; `timeout_s`: what one line may take.
        """
        self._region, self._desk, self._tracer, self._drain = region, desk, tracer, drain
        self._pass_pace, self._window, self._timeout_s = pass_pace, window, timeout_s

    async def answer(self, requests: AsyncIterator[Any], context: Any) -> AsyncIterator[pb.FileManyResponse]:
        """Answers in the order of completion. When the node stops, what was read is answered, then Fault
        DRAINING.
        """
        call = _Call(self._window, context.invocation_metadata(), peer_of(context))
        reading = asyncio.create_task(self._read(requests, call))
        try:
            while (answered := await call.done.get()) is not None:
                yield answered
                call.room.release()
            if (cut := await reading) is not None:
                raise cut
        finally:
            for task in (reading, *call.under_way):
                await ended(task)

    async def _read(self, requests: AsyncIterator[Any], call: _Call) -> Fault | None:
        """Until all that was read is answered; why the stream was cut short, if it was."""
        cut: Fault | None = None
        try:
            if not await self._drain.unless_stopping(self._take(requests, call)):
                cut = Fault("DRAINING")
        except Exception as error:  # noqa: BLE001  # the stream broke: what was read is answered all the same
            cut = error if isinstance(error, Fault) else Fault("UNAVAILABLE")
        while call.under_way:
            await asyncio.wait(set(call.under_way))
        call.done.put_nowait(None)
        return cut

    async def _take(self, requests: AsyncIterator[Any], call: _Call) -> bool:
        """Reads lines as there is room for them; True once there are no more."""
        while True:
            await call.room.acquire()
            line = await anext(requests, None)
            if line is None:
                return True
            task = asyncio.create_task(self._line(line, call))
            call.under_way.add(task)
            task.add_done_callback(call.under_way.discard)

    async def _line(self, line: pb.FileManyRequest, call: _Call) -> None:
        answered = pb.FileManyResponse(request_id=line.request.request_id)
        with call_span(self._tracer, METHOD, call.metadata) as span:
            try:
                async with asyncio.timeout(self._timeout_s):
                    answered.filed.MergeFromString(await self._file(line, call.peer))
                note_status(span, grpc.StatusCode.OK)
            except Exception as error:  # noqa: BLE001  # each becomes the answer of its line
                fault = fault_noted(error, METHOD)
                note_fault(span, fault)
                answered.refused.CopyFrom(detail_of(fault))
        call.done.put_nowait(answered)

    async def _file(self, line: pb.FileManyRequest, peer: str) -> bytes:
        """The bytes of a FileResponse. Raises whatever refuses it."""
        if not line.HasField("request"):
            raise missing("request")
        request = line.request
        self._pass_pace(peer, request.client[:MAX_CLIENT])
        checked_size(request)
        admit("CaseService/FileMany", request.actor if request.HasField("actor") else None, self._region)
        answer = await self._desk.file(FILE_REQUEST.take(request), fingerprint(request))
        if answer.refused:
            raise fault_of_answer(answer)
        return answer.body


class _Call:
    """One call: room for lines, the lines under way, the answers not yet taken (None: no more come)."""

    def __init__(self, window: int, metadata: Any, peer: str) -> None:
        self.room = asyncio.Semaphore(window)
        self.metadata = metadata
        self.peer = peer
        self.under_way: set[asyncio.Task[None]] = set()
        self.done: asyncio.Queue[pb.FileManyResponse | None] = asyncio.Queue()
