"""Watch: every change once, in order, from wherever the last stream stopped."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc import StatusCode

from tests.integration.rpc.faces import MARKER, Served, actor, drawn, fault_code, known, refusal, served
from tongban.v1 import case_service_pb2 as pb

shared = pytest.mark.asyncio(loop_scope="module")


def watch(node: Served, token: str = "", role: str = "window", **wanted: Any) -> Any:
    ask = pb.WatchRequest(
        resume_token=token, filter=pb.CaseFilter(**wanted), actor=actor(role, node.caller.region)
    )
    return node.caller.cases.Watch(ask)


async def read(call: Any, count: int) -> list[pb.WatchResponse]:
    async with asyncio.timeout(15):
        return [await call.read() for _ in range(count)]


def versions(changes: list[pb.WatchResponse]) -> list[tuple[str, int]]:
    return [(c.event.core.case_number, c.event.core.version) for c in changes]


@shared
async def test_resumed_again_and_again_it_has_no_gap_and_no_doubling(origin: Served) -> None:
    numbers = [await origin.caller.file() for _ in range(10)]
    for number in numbers:
        await known(origin, number)
    every = await _whole(origin)
    token = "0"
    pieced: list[pb.WatchResponse] = []
    while len(pieced) < len(every):
        call = watch(origin, token)
        pieced += await read(call, min(3, len(every) - len(pieced)))
        call.cancel()
        token = pieced[-1].resume_token
    assert versions(pieced) == versions(every)
    assert len({c.resume_token for c in pieced}) == len(pieced)
    for number in numbers:
        mine = [version for of, version in versions(pieced) if of == number]
        assert mine == list(range(1, len(mine) + 1))


async def _whole(node: Served) -> list[pb.WatchResponse]:
    call = watch(node, "0")
    found = await read(call, await node.parts.changes.last())
    call.cancel()
    return found


@shared
async def test_an_empty_token_begins_now_and_says_where_that_is(origin: Served) -> None:
    old = await origin.caller.file()
    await known(origin, old)
    await placed(origin, old)
    call = watch(origin)
    metadata = dict(await call.initial_metadata())
    new = await origin.caller.file()
    (first,) = await read(call, 1)
    call.cancel()
    assert versions([first]) == [(new, 1)]
    resumed = watch(origin, str(metadata["tongban-resume-token"]))
    assert versions(await read(resumed, 1)) == [(new, 1)]
    resumed.cancel()


async def placed(node: Served, number: str) -> None:
    """Once every event of the case has its place in the order."""
    async with asyncio.timeout(15):
        while True:
            history = await node.parts.reader.history(number)
            if all(event.log_seq is not None for event in history):
                return
            await asyncio.sleep(0.01)


@shared
async def test_only_what_is_asked_for_comes(origin: Served) -> None:
    wanted = await origin.caller.file()
    await origin.caller.file()
    last = await origin.caller.file()
    await known(origin, wanted)
    await known(origin, last)
    call = watch(origin, "0", role="applicant", case_numbers=[wanted])
    changes = await read(call, 3)
    call.cancel()
    assert {of for of, _ in versions(changes)} == {wanted}
    assert changes[0].event.private_part.applicant.name == MARKER
    call = watch(origin, "0", role="operator", case_numbers=[wanted])
    (first,) = await read(call, 1)
    call.cancel()
    assert not first.event.HasField("private_part")
    call = watch(origin, "0", matter="HF-001")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await call.read()


@shared
@pytest.mark.parametrize("token", ["x", "-1", "1.5", "１", "9" * 30, " 1"])
async def test_a_token_that_was_never_given(origin: Served, token: str) -> None:
    status, fault = await refusal(drawn(watch(origin, token)))
    assert (status, fault.code) == (StatusCode.INVALID_ARGUMENT, "TOKEN")
    assert [w.field for w in fault.wrong] == ["resume_token"]


@shared
async def test_an_applicant_follows_named_cases_only(origin: Served) -> None:
    status, fault = await refusal(drawn(watch(origin, role="applicant")))
    assert (status, fault.code) == (StatusCode.PERMISSION_DENIED, "FILTER_NEEDED")


async def test_it_ends_when_the_node_stops_and_goes_on_at_the_next(tmp_path: Path) -> None:
    async with served(tmp_path, "32") as (node,):
        first = await node.caller.file()
        call = watch(node, "0")
        (change,) = await read(call, 1)
        closing = asyncio.create_task(node.face.close(5))
        told: list[pb.WatchResponse] = [change]
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await rest(call, told)
        assert caught.value.code() is StatusCode.UNAVAILABLE
        assert fault_code(caught.value) == "DRAINING"
        await asyncio.wait_for(closing, 4)
    async with served(tmp_path, "32") as (node,):
        second = await node.caller.file()
        call = watch(node, told[-1].resume_token)
        seen: list[tuple[str, int]] = []
        async with asyncio.timeout(15):
            while (second, 1) not in seen:
                seen += versions([await call.read()])
        call.cancel()
        history = await node.parts.reader.history(first)
        assert [v for n, v in versions(told) + seen if n == first] == [e.version for e in history]


async def rest(call: Any, told: list[pb.WatchResponse]) -> None:
    """Everything that still comes, until the stream ends with an error."""
    async with asyncio.timeout(10):
        while True:
            told.append(await call.read())


@shared
async def test_a_caller_who_does_not_read_holds_nobody_up(origin: Served) -> None:
    idle = [watch(origin, "0") for _ in range(20)]
    for call in idle:
        await call.wait_for_connection()
    assert await origin.caller.file()
    for call in idle:
        call.cancel()
