"""FileMany: an answer a line, many under way, none lost when a line is refused or the node stops."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from nodes.codec.requests import ActRequest, FileRequest
from nodes.desk.desk import Desk
from nodes.desk.work import Answer, Overloaded
from nodes.rpc.server import Limits
from tests.integration.rpc.faces import Served, drawn, fault_code, request, served
from tongban.v1 import case_service_pb2 as pb

shared = pytest.mark.asyncio(loop_scope="module")


def line(request_id: str = "", **changes: Any) -> pb.FileManyRequest:
    return pb.FileManyRequest(request=request(request_id, **changes))


@shared
async def test_every_line_is_answered_once_with_its_own_id(origin: Served) -> None:
    lines = [line(f"many-{i}", **({"consent": ""} if i % 7 == 0 else {})) for i in range(300)]
    lines.append(pb.FileManyRequest())
    answers = await drawn(origin.caller.cases.FileMany(iter(lines)))
    assert sorted(a.request_id for a in answers) == sorted(x.request.request_id for x in lines)
    refused = {a.request_id: a.refused for a in answers if a.WhichOneof("outcome") == "refused"}
    assert refused.keys() == {f"many-{i}" for i in range(0, 300, 7)} | {""}
    assert refused["many-7"].fields[0].field == "filing.consent"
    assert refused["many-7"].fields[0].message_zh
    assert refused["many-7"].advice_zh or refused["many-7"].code == "MISSING"
    assert [f.field for f in refused[""].fields] == ["request"]
    numbers = [a.filed.case_number for a in answers if a.WhichOneof("outcome") == "filed"]
    assert len(set(numbers)) == len(numbers) == 300 - len(refused) + 1
    assert len(await origin.parts.reader.cases(numbers)) == len(numbers)


@shared
async def test_the_same_line_again_gets_the_same_answer(origin: Served) -> None:
    asked = line("again")
    answers = await drawn(origin.caller.cases.FileMany(iter([asked] * 10)))
    assert len({a.SerializeToString() for a in answers}) == 1
    alone = await origin.caller.cases.File(asked.request)
    assert alone == answers[0].filed
    other = line("again", origin_area="320500")
    (answer,) = await drawn(origin.caller.cases.FileMany(iter([other])))
    assert answer.refused.code == "REQUEST_ID_REUSED"


class Held:
    """A desk that keeps every filing until it is let go, and counts those under way."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.go = asyncio.Event()
        self.under_way = 0
        self.most = 0

    async def file(self, request: FileRequest, fingerprint: bytes) -> Answer:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            await self.go.wait()
            return await self._desk.file(request, fingerprint)
        finally:
            self.under_way -= 1

    async def act(self, request: ActRequest, fingerprint: bytes) -> Answer:
        return await self._desk.act(request, fingerprint)


async def until(holds: Any) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110  # what is counted has no signal of its own
            await asyncio.sleep(0.005)


async def test_as_many_lines_are_under_way_as_the_window_has_room_for(tmp_path: Path) -> None:
    held: list[Held] = []

    def before(desk: Desk) -> Held:
        held.append(Held(desk))
        return held[-1]

    limits = Limits(window=8, timeout_s=30)
    async with served(tmp_path, "32", limits=limits, desk=before) as (node,):
        sent = 0

        async def lines() -> AsyncIterator[pb.FileManyRequest]:
            nonlocal sent
            for _ in range(40):
                sent += 1
                yield line()

        answers = asyncio.create_task(drawn(node.caller.cases.FileMany(lines())))
        await until(lambda: held[0].under_way == 8)
        held[0].go.set()
        assert len(await answers) == sent == 40
        assert held[0].most == 8


class Choked:
    """A desk that has too much to do."""

    def __init__(self, _: Desk) -> None: ...

    async def file(self, request: FileRequest, fingerprint: bytes) -> Answer:
        raise Overloaded(retry_after_s=1.0)

    async def act(self, request: ActRequest, fingerprint: bytes) -> Answer:
        raise Overloaded(retry_after_s=1.0)


async def test_an_overloaded_node_says_when_to_come_again(tmp_path: Path) -> None:
    async with served(tmp_path, "32", desk=Choked) as (node,):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await node.caller.cases.File(request())
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert fault_code(caught.value) == "OVERLOADED"
        (answer,) = await drawn(node.caller.cases.FileMany(iter([line()])))
        assert answer.refused.code == "OVERLOADED"
        assert answer.refused.advice_en
        assert answer.refused.retry_after.ToTimedelta().total_seconds() == 1.0


async def test_a_stream_that_breaks_leaves_what_was_read_filed(tmp_path: Path) -> None:
    held: list[Held] = []

    def before(desk: Desk) -> Held:
        held.append(Held(desk))
        return held[-1]

    async with served(tmp_path, "32", desk=before) as (node,):
        call = node.caller.cases.FileMany()
        await call.write(line("cut-1"))
        await until(lambda: held[0].under_way == 1)
        call.cancel()
        await until(lambda: held[0].under_way == 0)
        held[0].go.set()
        again = await node.caller.cases.File(request("cut-1"))
        assert again.case_number


async def test_a_stopping_node_answers_what_it_has_read(tmp_path: Path) -> None:
    held: list[Held] = []

    def before(desk: Desk) -> Held:
        held.append(Held(desk))
        return held[-1]

    async with served(tmp_path, "32", desk=before) as (node,):
        call = node.caller.cases.FileMany()
        for i in range(5):
            await call.write(line(f"stop-{i}"))
        await until(lambda: held[0].under_way == 5)
        closing = asyncio.create_task(node.face.close(10))
        await asyncio.sleep(0)
        held[0].go.set()
        answers = [await call.read() for _ in range(5)]
        assert {a.request_id for a in answers} == {f"stop-{i}" for i in range(5)}
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call.read()
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        assert fault_code(caught.value) == "DRAINING"
        await closing
        numbers = [a.filed.case_number for a in answers]
        assert len(await node.parts.reader.cases(numbers)) == 5
