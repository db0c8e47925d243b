"""PeerService: what another region's node may ask for now.

Knows the messages of peer_service.proto, and that a peer is told of cases that its region has a part in.
Nothing personal but the materials of such a case is given.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

from opentelemetry.trace import SpanKind
from typing_extensions import override

from nodes.codec import SCHEMA
from nodes.codec.spans import put_span
from nodes.codec.times import encode_time
from nodes.desk.reader import CaseView
from nodes.materials.store import MaterialStore
from nodes.rpc.faults import Fault, Wrong
from nodes.rpc.looking import find_case
from nodes.rpc.ports import Business, Looks, Operates
from nodes.rpc.roles import admit_peer, is_party
from nodes.rpc.transfers import material_of, pieces_of
from nodes.telemetry.casetrace import CaseTrace, foreign_link
from nodes.telemetry.recorder import HopTracer
from tongban.v1 import peer_service_pb2 as pb
from tongban.v1.peer_service_pb2_grpc import PeerServiceServicer

FETCH: Final = "tongban.v1.PeerService/FetchMaterial"


class PeerFace(PeerServiceServicer):
    """The servicer of one node."""

    def __init__(
        self, region: str, looks: Looks, operates: Operates, materials: MaterialStore, tracer: HopTracer,
        now: Business,
    ) -> None:  # fmt: skip
        self._region, self._looks, self._operates = region, looks, operates
        self._materials, self._tracer, self._now = materials, tracer, now

    @override
    async def FetchMaterial(
        self, request: pb.FetchMaterialRequest, context: Any
    ) -> AsyncIterator[pb.FetchMaterialResponse]:
        """A material of a case that both have a part in, from an offset on. A hop of the case's trace."""
        caller = admit_peer("PeerService/FetchMaterial", request.region, self._region)
        view = await self._shared(caller, request.case_number)
        material = material_of(view.case, request.sha256)
        here = CaseTrace.stored(view.row.number, view.row.trace_parent)
        attributes = {"rpc.system.name": "grpc", "rpc.method": FETCH, "tongban.peer_region": caller}
        links = foreign_link(dict(context.invocation_metadata() or ()).get("traceparent"), "peer")
        span = self._tracer.hop(FETCH, here, SpanKind.SERVER, attributes, links)
        try:
            async for offset, size, piece in pieces_of(self._materials, material, request.offset):
                yield pb.FetchMaterialResponse(chunk=piece, offset=offset, size=size)
        finally:
            span.end()

    @override
    async def GetTraceSlice(self, request: pb.GetTraceSliceRequest, context: Any) -> pb.GetTraceSliceResponse:
        """The spans kept here of a case that both have a part in."""
        caller = admit_peer("PeerService/GetTraceSlice", request.region, self._region)
        view = await self._shared(caller, request.case_number)
        spans = await self._operates.slice(view.row.number, lambda case: is_party(case, caller))
        return pb.GetTraceSliceResponse(spans=[put_span(span) for span in spans])

    @override
    async def Ping(self, request: pb.PingRequest, context: Any) -> pb.PingResponse:
        """Here, and which contract is spoken."""
        admit_peer("PeerService/Ping", request.region, self._region)
        return pb.PingResponse(
            region=self._region, schema_min=1, schema_max=SCHEMA, business_now=encode_time(self._now())
        )

    async def _shared(self, caller: str, number: str) -> CaseView:
        view = await find_case(self._looks, number)
        if not is_party(view.case, caller):
            raise Fault("NOT_YOURS", [Wrong("region", "NOT_YOURS")])
        return view
