"""Filing as a platform does it: lines of streams that stay open, answers in the order in which they come.

Knows FileMany. Must not know rates or figures.
"""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import grpc

from tongban.v1 import case_service_pb2 as pb

FILE_MANY = "/tongban.v1.CaseService/FileMany"
STREAMS = 4
"""So many platforms file with one node."""


class Refused(Exception):
    """A line was refused. code: of the refusal."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Streams:
    """Some streams to one node; a line goes to the next of them."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._streams = itertools.cycle([_Stream(channel) for _ in range(STREAMS)])

    async def file(self, request: bytes) -> str:
        """The case number. Raises Refused, grpc.aio.AioRpcError."""
        return await next(self._streams).file(request)


class _Stream:
    """One stream, opened with its first line, and again after it broke."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._channel = channel
        self._call: Any = None
        self._reading: asyncio.Task[None] | None = None
        self._waiting: dict[str, asyncio.Future[str]] = {}
        self._writing = asyncio.Lock()

    async def file(self, request: bytes) -> str:
        filed = pb.FileRequest.FromString(request)
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiting[filed.request_id] = answer
        async with self._writing:
            if self._reading is None or self._reading.done():
                self._call = self._channel.stream_stream(
                    FILE_MANY,
                    request_serializer=pb.FileManyRequest.SerializeToString,
                    response_deserializer=pb.FileManyResponse.FromString,
                )()
                self._reading = asyncio.create_task(self._read(self._call))
            await self._call.write(pb.FileManyRequest(request=filed))
        return await answer

    async def _read(self, call: Any) -> None:
        try:
            async for line in call:
                answer = self._waiting.pop(line.request_id)
                if answer.done():
                    continue  # nobody waits any more
                if line.HasField("filed"):
                    answer.set_result(line.filed.case_number)
                else:
                    answer.set_exception(Refused(line.refused.code))
        except grpc.aio.AioRpcError as error:
            waiting, self._waiting = self._waiting, {}
            for answer in waiting.values():
                if not answer.done():
                    answer.set_exception(error)
