"""The client to a peer: downloads that break and go on, slices of traces, deadlines, strange answers."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from typing_extensions import override

from nodes.materials.errors import DigestDiffers, TooLarge
from nodes.materials.store import MaterialStore
from nodes.rpc.faults import Fault
from nodes.rpc.peer import Peers
from nodes.telemetry import check_connected
from tests.integration.rpc.faces import Served, actor, known
from tests.integration.rpc.test_materials import download, material, pieces
from tongban.v1 import operator_service_pb2, trace_pb2
from tongban.v1 import peer_service_pb2 as pb
from tongban.v1.peer_service_pb2_grpc import PeerServiceServicer, add_PeerServiceServicer_to_server

shared = pytest.mark.asyncio(loop_scope="module")
NUMBER = "32010020261123000100000010"


class Strange(PeerServiceServicer):
    """A peer that gives `pieces_a_call` pieces of 1000 bytes and breaks, as often as it is asked."""

    def __init__(self, content: bytes, pieces_a_call: int = 10_000) -> None:
        self.content, self.pieces_a_call = content, pieces_a_call
        self.offsets: list[int] = []
        self.hangs = False
        self.size = len(content)
        self.spans: list[trace_pb2.Span] = []
        self.metadata: dict[str, Any] = {}

    @override
    async def FetchMaterial(self, request: Any, context: Any) -> Any:
        self.offsets.append(request.offset)
        self.metadata = dict(context.invocation_metadata())
        if self.hangs:
            await asyncio.Event().wait()
        at = request.offset
        for _ in range(self.pieces_a_call):
            chunk = self.content[at : at + 1000]
            if not chunk:
                return
            yield pb.FetchMaterialResponse(chunk=chunk, offset=at, size=self.size)
            at += len(chunk)
        await context.abort(grpc.StatusCode.UNAVAILABLE, "broken")

    @override
    async def GetTraceSlice(self, request: Any, context: Any) -> Any:
        if self.hangs:
            await asyncio.Event().wait()
        return pb.GetTraceSliceResponse(spans=self.spans)

    @override
    async def Ping(self, request: Any, context: Any) -> Any:
        if self.hangs:
            await asyncio.Event().wait()
        return pb.PingResponse(region="33")


@asynccontextmanager
async def strange(tmp_path: Path, peer: Strange, **limits: Any) -> AsyncIterator[tuple[Peers, MaterialStore]]:
    server = grpc.aio.server()
    add_PeerServiceServicer_to_server(peer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    store = MaterialStore(tmp_path, max_bytes=limits.pop("max_bytes", 1_000_000))
    peers = Peers("31", {"32": f"127.0.0.1:{port}"}, store, **{"timeout_s": 5.0, **limits})
    try:
        yield peers, store
    finally:
        await peers.close()
        await server.stop(0)


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


async def whole(store: MaterialStore, content: bytes) -> bytes:
    return b"".join([piece async for piece in store.read(digest(content))])


async def fault_of(call: Any) -> Fault:
    with pytest.raises(Fault) as caught:
        await call
    return caught.value


async def test_a_broken_download_goes_on_where_it_stopped(tmp_path: Path) -> None:
    content = os.urandom(9_500)
    peer = Strange(content, pieces_a_call=3)
    async with strange(tmp_path, peer) as (peers, store):
        await peers.fetch("32", NUMBER, digest(content))
        assert await whole(store, content) == content
        assert peer.offsets[0] == 0
        assert all(a <= b for a, b in zip(peer.offsets, peer.offsets[1:], strict=False))
        assert sum(b > a for a, b in zip(peer.offsets, peer.offsets[1:], strict=False)) >= 1
        await peers.fetch("32", NUMBER, digest(content))  # it is here: nobody is asked
        asked = len(peer.offsets)
        await peers.fetch("32", NUMBER, digest(content))
        assert len(peer.offsets) == asked


async def test_what_an_earlier_process_began_is_not_brought_twice(tmp_path: Path) -> None:
    content = os.urandom(9_500)
    peer = Strange(content)
    async with strange(tmp_path, peer) as (peers, store):
        await store.append(digest(content), 0, content[:4_321])
        await peers.fetch("32", NUMBER, digest(content))
        assert peer.offsets == [4_321]
        assert await whole(store, content) == content


async def test_the_wrong_content_is_thrown_away(tmp_path: Path) -> None:
    content = os.urandom(5_000)
    async with strange(tmp_path, Strange(b"x" * 5_000)) as (peers, store):
        with pytest.raises(DigestDiffers):
            await peers.fetch("32", NUMBER, digest(content))
        assert not await store.has(digest(content))
        assert await store.begun(digest(content)) == 0


async def test_more_than_a_node_takes_is_not_kept(tmp_path: Path) -> None:
    content = os.urandom(9_000)
    async with strange(tmp_path, Strange(content), max_bytes=5_000) as (peers, store):
        with pytest.raises(TooLarge):
            await peers.fetch("32", NUMBER, digest(content))
        assert await store.begun(digest(content)) == 0


async def test_a_peer_that_brings_nothing_new_is_given_up(tmp_path: Path) -> None:
    content = os.urandom(5_000)
    peer = Strange(content, pieces_a_call=0)
    async with strange(tmp_path, peer) as (peers, _):
        fault = await fault_of(peers.fetch("32", NUMBER, digest(content)))
        assert fault.code == "PEER_UNREACHABLE"
        assert peer.offsets == [0] * 4


async def test_two_who_want_the_same_share_one_download(tmp_path: Path) -> None:
    content = os.urandom(5_000)
    peer = Strange(content)
    async with strange(tmp_path, peer) as (peers, store):
        await asyncio.gather(*(peers.fetch("32", NUMBER, digest(content)) for _ in range(5)))
        assert peer.offsets == [0]
        assert await whole(store, content) == content


async def test_a_peer_that_hangs_is_not_waited_for(tmp_path: Path) -> None:
    peer = Strange(b"x")
    peer.hangs = True
    async with strange(tmp_path, peer, timeout_s=0.1) as (peers, _), asyncio.timeout(10):
        for call in (
            peers.ping("32"),
            peers.trace_slice("32", NUMBER),
            peers.fetch("32", NUMBER, digest(b"x")),
        ):
            assert (await fault_of(call)).code == "PEER_UNREACHABLE"


async def test_a_peer_that_is_not_there(tmp_path: Path) -> None:
    store = MaterialStore(tmp_path, max_bytes=1000)
    peers = Peers("31", {"32": "127.0.0.1:1"}, store, timeout_s=2.0)
    assert (await fault_of(peers.ping("32"))).code == "PEER_UNREACHABLE"
    assert (await fault_of(peers.ping("34"))).wrong[0].field == "region"
    await peers.close()


async def test_an_answer_that_makes_no_sense_is_refused(tmp_path: Path) -> None:
    peer = Strange(b"x")
    async with strange(tmp_path, peer) as (peers, _):
        assert (await fault_of(peers.ping("32"))).wrong[0].field == "region"
        for span, field in (
            (trace_pb2.Span(), "trace_id"),
            (trace_pb2.Span(trace_id=b"a" * 16), "span_id"),
            (trace_pb2.Span(trace_id=b"a" * 16, span_id=b"b" * 8, parent_span_id=b"c"), "parent_span_id"),
            (trace_pb2.Span(trace_id=b"a" * 16, span_id=b"b" * 8, region="33"), "region"),
        ):
            peer.spans = [span]
            fault = await fault_of(peers.trace_slice("32", NUMBER))
            assert (fault.code, fault.wrong[0].field) == ("PEER_REFUSED", field)
        peer.spans = [
            trace_pb2.Span(
                trace_id=b"a" * 16, span_id=b"b" * 8, region="32", name="测试甲 <script>", kind="x",
                attributes={"applicant.name": "测试甲", "tongban.version": "7", "tongban.state": "测试甲"},
            )
        ]  # fmt: skip
        (kept,) = await peers.trace_slice("32", NUMBER)
        assert (kept.name, kept.kind) == ("unnamed", "internal")
        assert kept.attributes == {"tongban.version": 7}


@shared
async def test_peers_know_each_other(pair: list[Served]) -> None:
    origin, competent = pair
    pong = await origin.peers.ping("31")
    assert (pong.region, pong.schema_min) == ("31", 1)
    assert pong.schema_max >= 1
    assert pong.business_now.tzinfo is not None
    number = await origin.caller.file()
    await known(competent, number)
    spans = await competent.peers.trace_slice("32", number)
    assert {s.region for s in spans} == {"32"}
    assert "tongban.v1.CaseService/File" in {s.name for s in spans}


@shared
async def test_a_case_has_one_connected_trace_with_the_fetch_of_its_material(pair: list[Served]) -> None:
    origin, competent = pair
    content = os.urandom(5_000)
    await origin.caller.cases.Upload(iter(pieces(content)))
    number = await origin.caller.file(materials=[material(content)])
    await known(competent, number)
    await known(origin, number)
    await download(competent, number, content, 0, "officer")
    ask = operator_service_pb2.TraceRequest(actor=actor("operator"), case_number=number)
    answer = await origin.caller.operator.Trace(ask)
    assert not answer.missing
    names = {(s.region, s.name) for s in answer.spans}
    assert {("31", "fetch_material"), ("32", "tongban.v1.PeerService/FetchMaterial")} <= names
    own = await origin.peers.trace_slice("31", number)
    mine = await competent.peers.trace_slice("32", number)
    assert not check_connected([*own, *mine])
    fetched = next(s for s in mine if s.name.endswith("FetchMaterial"))
    asked = next(s for s in own if s.name == "fetch_material")
    assert [(link.span_id, link.kind) for link in fetched.links] == [(asked.span_id, "peer")]
