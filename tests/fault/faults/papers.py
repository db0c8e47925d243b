"""What nodes ask each other for directly: the bytes of a material that lies with another, slices of traces.

Knows the wire of uploads, downloads and traces, and the load generator's calls.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, Self

import grpc

from tests.fault.checker.history import History
from tests.fault.cluster.cluster import Cluster
from tests.fault.traffic.caller import CASES, OPTIONS, Callers
from tests.fault.traffic.filings import filing_of
from tests.fault.traffic.plan import Journey
from tongban.v1 import operator_service_pb2 as op
from tongban.v1.case_pb2 import Actor, Material, Role
from tongban.v1.case_service_pb2 import (
    DownloadRequest,
    DownloadResponse,
    FileRequest,
    FileResponse,
    GetRequest,
    UploadHeader,
    UploadRequest,
    UploadResponse,
)

TRACE: Final = "/tongban.v1.OperatorService/Trace"
PIECE: Final = 128 * 1024
WITHIN_S: Final = 120.0
CLIENT: Final = "papers"


@dataclass(frozen=True, slots=True)
class Paper:
    """A material of a case. `authority`: the body that may look at it."""

    number: str
    content: bytes
    authority: str

    @property
    def sha256(self) -> bytes:
        """Its digest."""
        return hashlib.sha256(self.content).digest()


class Papers:
    """Cases filed with a real file in `origin`, looked at in `competent`."""

    def __init__(self, cluster: Cluster, origin: str, competent: str) -> None:
        self._cluster, self._origin, self._competent = cluster, origin, competent
        self._filed = 0
        self._channels: dict[str, grpc.aio.Channel] = {}
        self._callers: Callers

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Self]:
        """With connections to both."""
        addresses = {r: self._cluster.addresses[r] for r in (self._origin, self._competent)}
        self._channels = {r: grpc.aio.insecure_channel(address, OPTIONS) for r, address in addresses.items()}
        try:
            with History(self._cluster.history) as history:
                async with Callers(addresses, history) as self._callers:
                    yield self
        finally:
            for channel in self._channels.values():
                await channel.close()

    async def filed(self, content: bytes) -> Paper:
        """Uploaded and filed at the origin, and arrived at the competent region."""
        self._filed += 1
        name = f"paper-{self._origin}-{self._competent}-{time.time_ns()}-{self._filed}"
        applicant = Actor(role=Role.ROLE_APPLICANT, region=self._origin, id=name)
        digest = hashlib.sha256(content).digest()
        header = UploadHeader(
            client=CLIENT, request_id=f"{name}-up", sha256=digest, size=len(content),
            media_type="application/pdf", actor=applicant,
        )  # fmt: skip
        pieces = [content[at : at + PIECE] for at in range(0, len(content), PIECE)]
        upload = self._channels[self._origin].stream_unary(
            CASES + "Upload",
            request_serializer=UploadRequest.SerializeToString,
            response_deserializer=UploadResponse.FromString,
        )
        await upload(
            iter([UploadRequest(header=header), *(UploadRequest(chunk=p) for p in pieces)]), timeout=WITHIN_S
        )
        filing = filing_of(Journey(name, 0.0, "plain", self._origin, self._competent, self._origin, 0))
        filing.materials.append(
            Material(code="application_form", sha256=digest, size=len(content), media_type="application/pdf")
        )
        request = FileRequest(request_id=name, client=CLIENT, actor=applicant, filing=filing)
        number = FileResponse.FromString((await self._callers.file(self._origin, request)).answer).case_number
        return Paper(number, content, await self._arrived(number))

    async def brought(self, paper: Paper) -> str:
        """Looked at in the competent region: "" when the bytes are those that were filed, else why not."""
        download = self._channels[self._competent].unary_stream(
            CASES + "Download",
            request_serializer=DownloadRequest.SerializeToString,
            response_deserializer=DownloadResponse.FromString,
        )
        officer = Actor(role=Role.ROLE_OFFICER, region=self._competent, id="o1", authority=paper.authority)
        request = DownloadRequest(sha256=paper.sha256, case_number=paper.number, actor=officer)
        got = b""
        try:
            async for piece in download(request, timeout=WITHIN_S):
                got += piece.chunk
        except grpc.aio.AioRpcError as error:
            return error.code().name
        return "" if got == paper.content else "OTHER_BYTES"

    async def comes(self, paper: Paper) -> bool:
        """Whether it can be looked at within a while."""
        deadline = time.monotonic() + WITHIN_S
        while True:
            if not await self.brought(paper):
                return True
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(0.2)

    async def missing(self, paper: Paper) -> set[str]:
        """The regions that do not answer when an operator asks for the case's trace."""
        trace: Any = self._channels[self._competent].unary_unary(
            TRACE,
            request_serializer=op.TraceRequest.SerializeToString,
            response_deserializer=op.TraceResponse.FromString,
        )
        operator = Actor(role=Role.ROLE_OPERATOR, region=self._competent, id="p1")
        request = op.TraceRequest(actor=operator, case_number=paper.number)
        deadline = time.monotonic() + WITHIN_S
        while True:
            try:
                return set((await trace(request, timeout=WITHIN_S)).missing)
            except grpc.aio.AioRpcError as error:  # busy with a backlog: again, as callers do
                if error.code() is not grpc.StatusCode.UNAVAILABLE or time.monotonic() > deadline:
                    raise
            await asyncio.sleep(0.5)

    async def _arrived(self, number: str) -> str:
        officer = Actor(role=Role.ROLE_OFFICER, region=self._competent, id="o1")
        request = GetRequest(case_number=number, actor=officer)
        async with asyncio.timeout(WITHIN_S):
            while True:
                found = await self._callers.get(self._competent, request)
                here = found is not None and found.case.owner == self._competent
                if found is not None and here and not found.case.awaiting_receipt:
                    return found.case.authority
                await asyncio.sleep(0.1)
