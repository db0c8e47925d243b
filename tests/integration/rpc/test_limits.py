"""What a face takes, and what becomes of a call that asks for more."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc import StatusCode

from nodes.codec.requests import ActRequest, FileRequest
from nodes.desk.desk import Desk
from nodes.desk.work import Answer
from nodes.rpc.gates import Crowd
from nodes.rpc.server import Limits
from tests.integration.rpc.faces import (
    MARKER,
    Served,
    actor,
    assert_clean,
    code_of,
    drawn,
    fault_code,
    filing,
    refusal,
    request,
    served,
)
from tongban.v1 import case_service_pb2 as pb

shared = pytest.mark.asyncio(loop_scope="module")


async def error_of(call: Any) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    assert_clean(caught.value)
    return caught.value


@shared
async def test_a_method_that_there_is_not(origin: Served) -> None:
    for method in ("/tongban.v1.CaseService/Burn", "/tongban.v2.CaseService/File", "/x"):
        channel: Any = origin.caller.channel
        assert (await error_of(channel.unary_unary(method)(b""))).code() is StatusCode.UNIMPLEMENTED


@shared
@pytest.mark.parametrize(
    "body", [b"\xff" * 50, b"\x0a\xff\xff\xff\xff\x0f", MARKER.encode()], ids=["wire", "length", "text"]
)
async def test_bytes_that_are_no_message(origin: Served, body: bytes) -> None:
    channel: Any = origin.caller.channel
    service = "/tongban.v1.CaseService"
    for call in (
        channel.unary_unary(f"{service}/File")(body),
        channel.stream_unary(f"{service}/Upload")(iter([body])),
        drawn(channel.unary_stream(f"{service}/Watch")(body)),
        drawn(channel.stream_stream(f"{service}/FileMany")(iter([body]))),
    ):
        status, fault = await refusal(call)
        assert (status, fault.code) == (StatusCode.INVALID_ARGUMENT, "MALFORMED")


@shared
async def test_lines_before_one_that_cannot_be_read_are_answered(origin: Served) -> None:
    channel: Any = origin.caller.channel
    lines = [pb.FileManyRequest(request=request()).SerializeToString() for _ in range(3)]
    call = channel.stream_stream("/tongban.v1.CaseService/FileMany")(iter([*lines, b"\xff", lines[0]]))
    answers = [pb.FileManyResponse.FromString(await call.read()) for _ in range(3)]
    assert all(answer.filed.case_number for answer in answers)
    assert fault_code(await error_of(call.read())) == "MALFORMED"


@shared
async def test_a_message_that_is_too_large(origin: Served) -> None:
    big = pb.FileRequest(request_id="big", client="t", actor=actor("applicant"), filing=filing())
    big.filing.consent = "x" * (5 * 1024 * 1024)
    error = await error_of(origin.caller.cases.File(big))
    assert error.code() is StatusCode.RESOURCE_EXHAUSTED


@shared
async def test_metadata_that_are_too_large(origin: Served) -> None:
    metadata = (("x-much", "y" * 9000),)
    error = await error_of(origin.caller.cases.File(request(), metadata=metadata))
    assert error.code() is StatusCode.RESOURCE_EXHAUSTED
    assert await origin.caller.file()


@shared
async def test_a_deadline_that_has_passed_files_nothing_twice(origin: Served) -> None:
    asked = request("in-no-time")
    error = await error_of(origin.caller.cases.File(asked, timeout=-1.0))
    assert error.code() is StatusCode.DEADLINE_EXCEEDED
    first = await origin.caller.cases.File(asked)
    assert await origin.caller.cases.File(asked) == first


class Slow:
    """A desk that never answers, and says when it was let off."""

    def __init__(self, _: Desk) -> None:
        self.begun, self.ended = asyncio.Event(), asyncio.Event()

    async def file(self, request: FileRequest, fingerprint: bytes) -> Answer:
        self.begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.ended.set()
        raise AssertionError

    async def act(self, request: ActRequest, fingerprint: bytes) -> Answer:
        return await self.file(request, fingerprint)  # type: ignore[arg-type]  # it looks at neither


async def test_what_takes_too_long_is_given_up_whoever_waits(tmp_path: Path) -> None:
    slow: list[Slow] = []

    def before(desk: Desk) -> Slow:
        slow.append(Slow(desk))
        return slow[-1]

    async with served(tmp_path, "32", limits=Limits(timeout_s=0.2), desk=before) as (node,):
        status, fault = await refusal(node.caller.cases.File(request()))
        assert (status, fault.code) == (StatusCode.DEADLINE_EXCEEDED, "TIMED_OUT")
        assert fault.retry_after_s > 0
        async with asyncio.timeout(5):
            await slow[0].ended.wait()


async def test_a_caller_who_hangs_up_is_not_worked_for(tmp_path: Path) -> None:
    slow: list[Slow] = []

    def before(desk: Desk) -> Slow:
        slow.append(Slow(desk))
        return slow[-1]

    async with served(tmp_path, "32", desk=before) as (node,), asyncio.timeout(10):
        call = node.caller.cases.File(request())
        await slow[0].begun.wait()
        call.cancel()
        await slow[0].ended.wait()
        error = await error_of(node.caller.cases.File(request(), timeout=0.2))
        assert error.code() is StatusCode.DEADLINE_EXCEEDED


async def test_more_calls_than_a_node_takes_are_turned_away(tmp_path: Path) -> None:
    slow: list[Slow] = []

    def before(desk: Desk) -> Slow:
        slow.append(Slow(desk))
        return slow[-1]

    async with served(tmp_path, "32", limits=Limits(crowd=Crowd(max_calls=3)), desk=before) as (node,):
        calls = [node.caller.cases.File(request()) for _ in range(3)]
        await asyncio.wait_for(slow[0].begun.wait(), 5)
        refused = [await error_of(node.caller.cases.File(request(), timeout=3)) for _ in range(2)]
        assert {e.code() for e in refused} == {StatusCode.RESOURCE_EXHAUSTED}
        assert {fault_code(e) for e in refused} == {"TOO_MANY_CALLS"}
        for call in calls:
            call.cancel()


class Broken:
    """A desk with a mistake in it, whose words hold what must not be told."""

    def __init__(self, _: Desk) -> None: ...

    async def file(self, request: FileRequest, fingerprint: bytes) -> Answer:
        raise RuntimeError(f"no room for {request.filing.applicant.name}")

    async def act(self, request: ActRequest, fingerprint: bytes) -> Answer:
        raise RuntimeError


async def test_a_mistake_of_ours_is_told_without_its_words(tmp_path: Path) -> None:
    async with served(tmp_path, "32", desk=Broken) as (node,):
        status, fault = await refusal(node.caller.cases.File(request()))
        assert (status, fault.code, fault.wrong) == (StatusCode.INTERNAL, "INTERNAL", ())
        answers = [a async for a in node.caller.cases.FileMany(iter([pb.FileManyRequest(request=request())]))]
        assert answers[0].refused.code == "INTERNAL"
        assert MARKER not in str(answers[0])


@shared
async def test_ten_thousand_streams_leave_the_node_answering(origin: Served) -> None:
    """They wait for room on their connection; another connection is served."""
    calls = [
        origin.caller.cases.Watch(pb.WatchRequest(actor=actor("operator"), resume_token="0"))
        for _ in range(10_000)
    ]
    async with grpc.aio.insecure_channel(origin.address) as channel:
        call = channel.unary_unary(
            "/tongban.v1.CaseService/File",
            request_serializer=pb.FileRequest.SerializeToString,
            response_deserializer=pb.FileResponse.FromString,
        )
        assert (await call(request(), timeout=30)).case_number
    for stream in calls:
        stream.cancel()


@shared
async def test_no_error_repeats_what_is_private(origin: Served) -> None:
    marked: list[dict[str, Any]] = [
        {"consent": MARKER * 200},
        {"channel": MARKER},
        {"matter": MARKER},
        {"origin_area": MARKER},
        {"authority": MARKER},
        {"guide_version": MARKER},
        {"places": pb.PlaceFacts(fund_centre=MARKER)},
        {"facts": {MARKER + "\x00": MARKER}},
        {"part_areas": {1: MARKER * 10}},
    ]
    for change in marked:
        assert await code_of(origin.caller.cases.File(request(**change))), change
    assert fault_code(await error_of(origin.caller.cases.Get(pb.GetRequest(case_number=MARKER))))
