"""Who takes too much: refused early, told when to come again, and others are served meanwhile."""

from __future__ import annotations

import asyncio
import os
import socket
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc
import pytest

from nodes.codec.requests import ActRequest, FileRequest
from nodes.desk.desk import Desk
from nodes.desk.work import Answer
from nodes.desk.writer import SOON
from nodes.rpc import core
from nodes.rpc.faults import Fault, fault_of_call
from nodes.rpc.gates import Crowd
from nodes.rpc.server import Limits
from nodes.rpc.watching import BEGUN_AT
from tests.fault.proxy.proxy import Weather, proxy
from tests.integration.rpc.faces import Caller, Served, actor, drawn, new_id, refusal, request, served
from tongban.v1 import case_service_pb2 as pb

STREAMS = 10_000 if os.environ.get("STREAMS") == "all" else 600
"""The test run opens some hundreds, over several connections; STREAMS=all opens ten thousand."""
PER_CONNECTION = 200
FILED = 40
STORM = 600
NARROW = (
    ("grpc.max_receive_message_length", 65_536), ("grpc.http2.lookahead_bytes", 65_536),
    ("grpc.http2.bdp_probe", 0),
)  # fmt: skip
"""A caller to whom no more than that is sent ahead of his reading."""
WITHIN_S = 20.0


class Held:
    """A desk that keeps every filing until it is let go."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.go = asyncio.Event()
        self.under_way = 0

    async def file(self, asked: FileRequest, fingerprint: bytes) -> Answer:
        self.under_way += 1
        await self.go.wait()
        return await self._desk.file(asked, fingerprint)

    async def act(self, asked: ActRequest, fingerprint: bytes) -> Answer:
        return await self._desk.act(asked, fingerprint)


async def until(holds: Callable[[], bool], within_s: float = WITHIN_S) -> None:
    async with asyncio.timeout(within_s):
        while not holds():  # noqa: ASYNC110  # what is counted has no signal of its own
            await asyncio.sleep(0.01)


def watch(caller: Caller) -> Any:
    return caller.cases.Watch(pb.WatchRequest(actor=actor("operator"), resume_token="0"))


async def told(call: Awaitable[Any]) -> Fault:
    """Why a call was refused: early, with a time to come again."""
    status, fault = await refusal(call)
    assert status is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert fault.retry_after_s > 0
    return fault


async def test_streams_beyond_a_hosts_share_are_refused_and_calls_are_answered(tmp_path: Path) -> None:
    crowd = Crowd(peer_streams=STREAMS // 2, max_open_streams=STREAMS)
    async with served(tmp_path, "32", limits=Limits(crowd=crowd, max_streams=PER_CONNECTION)) as (node,):
        callers = [lone(node, n) for n in range(STREAMS // PER_CONNECTION)]
        streams, codes = [], Counter[str]()
        for caller in callers:
            wave = [watch(caller) for _ in range(PER_CONNECTION)]
            codes.update(await asyncio.gather(*map(opened, wave)))
            streams += wave
        assert codes == {"": STREAMS // 2, "TOO_MANY_STREAMS": STREAMS // 2}
        assert node.face.gate.open_streams == STREAMS // 2
        assert await node.caller.file()
        for stream in streams:
            stream.cancel()
        await until(lambda: node.face.gate.open_streams == 0)
        for caller in callers:
            await caller.channel.close()


async def opened(stream: Any) -> str:
    """Why it was refused, "" once it follows."""
    if dict(await stream.initial_metadata()).get(BEGUN_AT):
        return ""
    return (await told(drawn(stream))).code


def lone(node: Served, number: int, *more: tuple[str, int]) -> Caller:
    """A caller on a connection of its own."""
    caller = Caller(node.address, "32")
    options = (("grpc.enable_http_proxy", 0), ("grpc.use_local_subchannel_pool", 1), ("test", number), *more)
    channel = grpc.aio.insecure_channel(node.address, options=options)
    caller.channel, caller.cases = channel, type(caller.cases)(channel)
    return caller


async def test_one_client_does_not_take_what_others_need(tmp_path: Path) -> None:
    held: list[Held] = []

    def before(desk: Desk) -> Held:
        held.append(Held(desk))
        return held[-1]

    crowd = Crowd(client_calls=3, peer_calls=5)
    async with served(tmp_path, "32", limits=Limits(crowd=crowd), desk=before) as (node,):

        def file(client: str) -> Any:
            asked = request()
            asked.client = client
            return node.caller.cases.File(asked, timeout=WITHIN_S)

        greedy = [file("greedy") for _ in range(3)]
        await until(lambda: held[0].under_way == 3)
        assert (await told(file("greedy"))).code == "TOO_MANY_CALLS"
        others = [file("other"), file("third")]
        await until(lambda: held[0].under_way == 5)
        assert (await told(file("fourth"))).code == "TOO_MANY_CALLS"
        held[0].go.set()
        answers = await asyncio.gather(*greedy, *others)
        assert len({a.case_number for a in answers}) == 5


async def test_who_comes_too_fast_is_told_when_to_come_again(tmp_path: Path) -> None:
    async with served(tmp_path, "32", limits=Limits(crowd=Crowd(client_rate=2.0))) as (node,):
        asked = [request() for _ in range(3)]
        for each in asked[:2]:
            await node.caller.cases.File(each, timeout=WITHIN_S)
        fault = await told(node.caller.cases.File(asked[2], timeout=WITHIN_S))
        assert (fault.code, fault.retry_after_s <= 0.5) == ("TOO_FAST", True)
        line = pb.FileManyRequest(request=request())
        (answer,) = await drawn(node.caller.cases.FileMany(iter([line])))
        assert answer.refused.code == "TOO_FAST"
        other = request()
        other.client = "another"
        assert (await node.caller.cases.File(other, timeout=WITHIN_S)).case_number


async def test_a_full_queue_before_the_writer_refuses_early(tmp_path: Path) -> None:
    async with served(tmp_path, "32", queue_limit=2) as (node,):
        await node.caller.file()
        settled = asyncio.gather(*(file_once(node) for _ in range(60)))
        codes = await settled
        assert set(codes) == {"", "OVERLOADED"}
        assert await node.caller.file()


async def test_whoever_would_have_to_wait_too_long_is_refused_before_the_others_are_served(
    tmp_path: Path,
) -> None:
    held: list[Held] = []

    def before(desk: Desk) -> Held:
        held.append(Held(desk))
        return held[-1]

    limits = Limits(crowd=Crowd(patience_s=0.2))
    async with served(tmp_path, "32", limits=limits, desk=before) as (node,):
        answers = [asyncio.create_task(file_once(node)) for _ in range(STORM)]
        await until(lambda: held[0].under_way + sum(a.done() for a in answers) == STORM)
        assert {a.result() for a in answers if a.done()} == {"OVERLOADED"}
        assert SOON <= held[0].under_way < STORM / 2
        file: Any = node.caller.channel.unary_unary("/tongban.v1.CaseService/File")
        said = Counter([(await refusal(file(b"\xff" * 9)))[1].code for _ in range(20)])
        assert set(said) <= {"OVERLOADED", "MALFORMED"}
        assert said["OVERLOADED"] > 15  # nobody reads what is not served, but for what grpc.aio takes itself
        held[0].go.set()
        codes = Counter(await asyncio.gather(*answers))
        assert codes[""] == held[0].under_way
        assert await file_once(node) == ""  # nobody waits any more


async def test_a_grpc_with_another_inside_is_served_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(core, "_CYGRPC", object())
    async with served(tmp_path, "32") as (node,):
        assert await node.caller.file()


async def file_once(node: Served) -> str:
    """Why it was refused, "" when it was not."""
    try:
        await node.caller.cases.File(request(new_id()), timeout=WITHIN_S)
    except grpc.aio.AioRpcError as error:
        fault = fault_of_call(error)
        assert fault is not None  # every refusal is one of ours
        assert fault.retry_after_s > 0
        return fault.code
    return ""


async def test_a_reader_who_does_not_read_is_dropped_and_goes_on_where_he_was(tmp_path: Path) -> None:
    async with served(tmp_path, "32", limits=Limits(crowd=Crowd(slow_reader_s=0.5))) as (node,):
        wide = "x" * 3000
        for _ in range(FILED):
            await node.caller.file(facts={f"f{i}": wide for i in range(12)})
        slow = lone(node, 1, *NARROW)
        read = [await begun(call := slow.cases.Watch(following("0")))]
        assert node.face.gate.open_streams == 1
        await until(lambda: node.parts.changes.followers == 0)
        assert node.face.gate.open_streams == 1
        async with asyncio.timeout(WITHIN_S):
            read += await left(call)
        await until(lambda: node.face.gate.open_streams == 0)
        assert len(read) < 2 * FILED
        again = slow.cases.Watch(following(read[-1].resume_token))
        while len(read) < 2 * FILED:
            read.append(await again.read())
        again.cancel()
        assert [int(r.resume_token) for r in read] == list(range(1, 2 * FILED + 1))
        await slow.channel.close()


def following(token: str) -> pb.WatchRequest:
    return pb.WatchRequest(actor=actor("window"), resume_token=token)


async def left(call: Any) -> list[pb.WatchResponse]:
    """What was sent before the stream was dropped."""
    found: list[pb.WatchResponse] = []

    async def rest() -> None:
        while isinstance(change := await call.read(), pb.WatchResponse):
            found.append(change)

    assert (await told(rest())).code == "SLOW_READER"
    return found


async def begun(call: Any) -> pb.WatchResponse:
    """The first change."""
    first: pb.WatchResponse = await call.read()
    return first


async def test_a_connection_that_is_half_open_is_found_and_dropped(tmp_path: Path) -> None:
    limits = Limits(keepalive_s=1.0)
    async with served(tmp_path, "32", limits=limits) as (node,):
        host, _, port = node.address.rpartition(":")
        async with proxy(host, int(port), seed=1) as between:
            caller = Caller(between.address, "32")
            stream = watch(caller)
            await stream.initial_metadata()
            assert node.face.gate.open_streams == 1
            between.now(Weather(to_server=False, to_client=False))
            await until(lambda: node.face.gate.open_streams == 0)
            stream.cancel()
            await caller.channel.close()
        assert await node.caller.file()


@pytest.mark.parametrize(
    "said",
    [
        b"", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01" + b"\xff" * 200,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
    ids=["nothing", "HTTP 1.1", "TLS", "half a greeting"],
)  # fmt: skip
async def test_who_does_not_speak_the_protocol_is_hung_up_on(tmp_path: Path, said: bytes) -> None:
    async with served(tmp_path, "32", limits=Limits(handshake_s=1.0, keepalive_s=1.0)) as (node,):
        host, _, port = node.address.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port), family=socket.AF_INET)
        writer.write(said)
        async with asyncio.timeout(WITHIN_S):
            while await reader.read(4096):
                pass
        writer.close()
        assert await node.caller.file()


async def test_an_upload_that_never_ends_is_ended(tmp_path: Path) -> None:
    async with served(tmp_path, "32", limits=Limits(idle_s=0.3)) as (node,):
        header = pb.UploadHeader(
            client="test",
            request_id="u",
            sha256=b"a" * 32,
            size=10,
            media_type="text/plain",
            actor=actor("window"),
        )
        call = node.caller.cases.Upload()
        await call.write(pb.UploadRequest(header=header))
        await call.write(pb.UploadRequest(chunk=b"12"))
        status, fault = await refusal(call)
        assert (status, fault.code) == (grpc.StatusCode.DEADLINE_EXCEEDED, "IDLE")
        assert not [path for path in (tmp_path / "32").rglob("*") if path.is_file()]
