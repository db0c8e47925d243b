"""Streams of materials: up from a caller, down to a caller, from another region when the bytes are not here
yet.

Knows the store of materials and who may have a material of a case. Must not know files.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

from opentelemetry.trace import SpanKind, use_span

from nodes.cases.case import Actor, Case, Material
from nodes.desk.reader import CaseView
from nodes.materials.errors import DigestDiffers, NotStored, OffsetDiffers
from nodes.materials.store import Announced, MaterialStore
from nodes.rpc.faults import Fault, Wrong, malformed, missing
from nodes.rpc.looking import actor_of, checked_name, find_case
from nodes.rpc.ports import FetchesMaterials, Looks, NotesMaterials
from nodes.rpc.roles import sees_private
from nodes.telemetry.casetrace import CaseTrace
from nodes.telemetry.recorder import HopTracer
from tongban.v1 import case_service_pb2 as pb

MAX_CHUNK_BYTES: Final = 256 * 1024
FETCH: Final = "fetch_material"


class Transfers:
    """The material streams of one node."""

    def __init__(
        self, region: str, materials: MaterialStore, notes: NotesMaterials, looks: Looks, fetches:
        FetchesMaterials, tracer: HopTracer, *, idle_s: float,
    ) -> None:  # fmt: skip
        """`idle_s`: how long an upload may send nothing."""
        self._region, self._materials, self._notes, self._looks = region, materials, notes, looks
        self._fetches, self._tracer, self._idle_s = fetches, tracer, idle_s

    async def upload(self, pieces: AsyncIterator[Any]) -> pb.UploadResponse:
        """Header, then chunks. The same content again is answered the same and stored once.

        Raises Fault, MaterialError.
        """
        first = await self._next(pieces)
        if first is None or first.WhichOneof("piece") != "header":
            raise missing("header")
        header = first.header
        try:
            actor_of("CaseService/Upload", header, self._region)
        except Fault as fault:
            raise fault.under("header") from None
        for name in ("client", "request_id"):
            checked_name(getattr(header, name), f"header.{name}")
        announced = Announced(header.sha256.hex(), header.size, header.media_type)
        await self._materials.put(announced, self._chunks(pieces))
        await self._notes.note_stored(announced.sha256, announced.size, announced.media_type)
        return pb.UploadResponse(sha256=header.sha256, size=header.size)

    async def download(self, actor: Actor, request: pb.DownloadRequest) -> AsyncIterator[pb.DownloadResponse]:
        """The content from the offset on. Raises Fault, MaterialError."""
        view = await find_case(self._looks, request.case_number)
        if not sees_private(actor, view.case):
            raise Fault("NOT_YOURS", [Wrong("actor", "NOT_YOURS")])
        material = material_of(view.case, request.sha256)
        await self._bring(view, material)
        async for offset, size, piece in pieces_of(self._materials, material, request.offset):
            yield pb.DownloadResponse(chunk=piece, offset=offset, size=size)

    async def _bring(self, view: CaseView, material: Material) -> None:
        """Have the bytes here: a region fetches them from the one that holds them when it needs them."""
        if await self._materials.has(material.sha256):
            return
        if material.held_by in ("", self._region):
            raise NotStored
        here = CaseTrace.stored(view.row.number, view.row.trace_parent)
        attributes = {"tongban.peer_region": material.held_by}
        with use_span(self._tracer.hop(FETCH, here, SpanKind.CLIENT, attributes), end_on_exit=True):
            await self._fetches.fetch(material.held_by, view.row.number, material.sha256)
            await self._notes.note_stored(material.sha256, material.size, material.media_type)

    async def _chunks(self, pieces: AsyncIterator[Any]) -> AsyncIterator[bytes]:
        while (piece := await self._next(pieces)) is not None:
            if piece.WhichOneof("piece") != "chunk":
                raise malformed("header", "stands after the first piece")
            if len(piece.chunk) > MAX_CHUNK_BYTES:
                raise malformed("chunk", f"is longer than {MAX_CHUNK_BYTES} bytes")
            yield piece.chunk

    async def _next(self, pieces: AsyncIterator[Any]) -> Any:
        """The next piece, None after the last. Raises Fault: IDLE."""
        try:
            async with asyncio.timeout(self._idle_s):
                return await anext(pieces, None)
        except TimeoutError:
            raise Fault("IDLE") from None


def material_of(case: Case, sha256: bytes) -> Material:
    """The material of the case that has this digest. Raises Fault."""
    digest = sha256.hex()
    for material in (*case.materials, *case.filing.materials):
        if material.sha256 == digest:
            return material
    raise Fault("MATERIAL_NOT_OF_CASE", [Wrong("sha256", "MATERIAL_NOT_OF_CASE")])


async def pieces_of(
    materials: MaterialStore, material: Material, offset: int
) -> AsyncIterator[tuple[int, int, bytes]]:
    """(offset, size of the whole, piece). At the end of the content one empty piece tells the size."""
    size = await materials.size(material.sha256)
    if size != material.size:
        raise DigestDiffers
    if offset > size:
        raise OffsetDiffers(size)
    if offset == size:
        yield offset, size, b""
    async for piece in materials.read(material.sha256, offset):
        yield offset, size, piece
        offset += len(piece)
