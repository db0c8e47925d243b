"""The load generator: repeatable, insistent under one request id, and honest in its history."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import any_pb2
from google.rpc import status_pb2
from grpc_status import rpc_status

from tests.fault.checker.history import History, read_history
from tests.fault.traffic.caller import Callers, GaveUp
from tests.fault.traffic.filings import filing_of
from tests.fault.traffic.plan import SHARES, planned
from tongban.v1.case_service_pb2 import FileRequest, FileResponse
from tongban.v1.errors_pb2 import ErrorDetail

Answer = Callable[[int], FileResponse | grpc.StatusCode | ErrorDetail]


def test_the_same_seed_plans_the_same_run() -> None:
    plan = planned(7, rate=20.0, seconds=60.0)
    assert plan == planned(7, rate=20.0, seconds=60.0)
    assert plan != planned(8, rate=20.0, seconds=60.0)
    assert set(Counter(j.kind for j in plan)) == set(SHARES)
    assert 1000 < len(plan) < 1400
    assert [j.at_s for j in plan] == sorted(j.at_s for j in plan)
    assert all((j.origin == j.competent) == (j.kind == "local") for j in plan)


def test_every_kind_files_something() -> None:
    for journey in planned(1, rate=50.0, seconds=10.0):
        new = filing_of(journey)
        assert new.matter
        assert new.origin_area.startswith(journey.origin)


class Moody:
    """A node that answers each filing as it is told to."""

    def __init__(self, answer: Answer) -> None:
        self.answer, self.seen = answer, list[FileRequest]()

    async def file(self, request: FileRequest, context: Any) -> FileResponse:
        self.seen.append(request)
        said = self.answer(len(self.seen))
        if isinstance(said, grpc.StatusCode):
            await context.abort(said, "no")
        if isinstance(said, ErrorDetail):
            packed = any_pb2.Any()
            packed.Pack(said)
            refused = status_pb2.Status(code=3, message="refused", details=[packed])
            await context.abort_with_status(rpc_status.to_status(refused))
        assert isinstance(said, FileResponse)
        return said

    @property
    def handler(self) -> grpc.GenericRpcHandler:
        method = grpc.unary_unary_rpc_method_handler(
            self.file, FileRequest.FromString, FileResponse.SerializeToString
        )
        return grpc.method_handlers_generic_handler("tongban.v1.CaseService", {"File": method})


@asynccontextmanager
async def at(answer: Answer, tmp_path: Path, **options: float) -> AsyncIterator[tuple[Callers, Moody]]:
    server, moody = grpc.aio.server(), Moody(answer)
    server.add_generic_rpc_handlers((moody.handler,))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        with History(tmp_path / "history") as history:
            async with Callers({"32": f"127.0.0.1:{port}"}, history, **options) as callers:
                yield callers, moody
    finally:
        await server.stop(None)


REQUEST = FileRequest(request_id="r1", client="c")


async def test_it_asks_again_under_the_same_id_until_it_is_answered(tmp_path: Path) -> None:
    filed = FileResponse(case_number="n1", version=2)

    def third(count: int) -> FileResponse | grpc.StatusCode:
        return filed if count == 3 else grpc.StatusCode.UNAVAILABLE

    async with at(third, tmp_path) as (callers, moody):
        outcome = await callers.file("32", REQUEST)
    assert outcome.answer == filed.SerializeToString()
    assert moody.seen == [REQUEST] * 3
    calls = read_history(tmp_path / "history")
    assert [call.outcome for call in calls] == ["unknown", "unknown", "acknowledged"]
    assert calls[-1].case_number == "n1"
    assert calls[-1].answer == hashlib.sha256(outcome.answer).hexdigest()
    assert len({call.request for call in calls}) == 1
    assert all(call.start_ns < call.end_ns for call in calls)


async def test_a_refusal_is_an_answer(tmp_path: Path) -> None:
    async with at(lambda _: ErrorDetail(code="MATTER_UNKNOWN"), tmp_path) as (callers, moody):
        outcome = await callers.file("32", REQUEST)
    assert outcome.refused
    assert len(moody.seen) == 1
    (call,) = read_history(tmp_path / "history")
    assert (call.outcome, call.code) == ("refused", "MATTER_UNKNOWN")


async def test_it_gives_up_in_the_end(tmp_path: Path) -> None:
    async with at(lambda _: grpc.StatusCode.UNAVAILABLE, tmp_path, patience_s=0.2) as (callers, _):
        with pytest.raises(GaveUp, match="file r1"):
            await callers.file("32", REQUEST)
    assert {call.outcome for call in read_history(tmp_path / "history")} == {"unknown"}
