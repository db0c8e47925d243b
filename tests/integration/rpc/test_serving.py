"""Health and reflection, where a face listens, and how it ends: nothing that was acknowledged is lost."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool
from grpc_health.v1 import health_pb2
from grpc_health.v1.health_pb2_grpc import HealthStub, add_HealthServicer_to_server
from grpc_reflection.v1alpha import reflection_pb2
from grpc_reflection.v1alpha.reflection_pb2_grpc import ServerReflectionStub

from nodes.operations.views import DEGRADED, DOWN, UP, HealthView
from nodes.rpc.faults import fault_of_call
from nodes.rpc.server import CannotListen, Face, NotLoopback
from nodes.rpc.serving import SERVICES, Serving
from tests.integration.rpc.faces import Caller, Served, code_of, drawn, fault_code, new_id, request, served
from tongban.v1 import case_service_pb2 as pb

shared = pytest.mark.asyncio(loop_scope="module")
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


async def health(channel: Any, service: str) -> int:
    answer = await HealthStub(channel).Check(health_pb2.HealthCheckRequest(service=service), timeout=5)
    return int(answer.status)


@shared
async def test_every_service_has_a_status(origin: Served) -> None:
    for service in ("", *SERVICES):
        assert await health(origin.caller.channel, service) == SERVING
    assert await code_of(health(origin.caller.channel, "nothing")) == "NOT_FOUND"


class Looked:
    """An operator's desk that knows its health alone."""

    def __init__(self, view: HealthView) -> None:
        self.view: HealthView | None = view

    async def health(self) -> HealthView:
        if self.view is None:
            raise OSError("gone")
        return self.view


async def test_a_node_without_its_database_serves_what_needs_none(tmp_path: Path) -> None:
    async with served(tmp_path, "32") as (node,):
        now = node.parts.context.now()
        looked = Looked(HealthView(UP, (), 0, 0, 0, now, "1"))
        serving = Serving(looked, every_s=0.01)  # type: ignore[arg-type]  # health is all it asks
        server = grpc.aio.server()
        add_HealthServicer_to_server(serving.servicer, server)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        await serving.start()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            cases = await _followed(channel, SERVICES[0], looked, now)
            assert cases == [SERVING, NOT_SERVING, SERVING, NOT_SERVING, SERVING]
            assert await health(channel, "tongban.v1.CatalogueService") == SERVING
            assert await health(channel, "tongban.v1.OperatorService") == SERVING
            await serving.stop()
            for service in ("", *SERVICES):
                assert await health(channel, service) == NOT_SERVING
        await server.stop(0)


async def _followed(channel: Any, service: str, looked: Looked, now: Any) -> list[int]:
    """The statuses that a watcher is told while the node goes down, up, unknown and up again."""
    watch = HealthStub(channel).Watch(health_pb2.HealthCheckRequest(service=service))
    seen = [int((await watch.read()).status)]
    for view in (
        HealthView(DOWN, (), 0, 0, 0, now, "1"), HealthView(DEGRADED, (), 0, 0, 0, now, "1"), None,
        HealthView(UP, (), 0, 0, 0, now, "1"),
    ):  # fmt: skip
        looked.view = view
        seen.append(int((await asyncio.wait_for(watch.read(), 5)).status))
    watch.cancel()
    return seen


@shared
async def test_reflection_tells_all_that_a_caller_needs_to_know(origin: Served) -> None:
    asked = [
        reflection_pb2.ServerReflectionRequest(list_services=""),
        *[reflection_pb2.ServerReflectionRequest(file_containing_symbol=name) for name in SERVICES],
    ]
    stub: Any = ServerReflectionStub(origin.caller.channel)
    listed, *files = await drawn(stub.ServerReflectionInfo(iter(asked)))
    names = {service.name for service in listed.list_services_response.service}
    assert {*SERVICES, "grpc.health.v1.Health"} <= names
    pool = descriptor_pool.DescriptorPool()
    for found in files:
        _add(pool, found.file_descriptor_response.file_descriptor_proto)
    for name in SERVICES:
        assert pool.FindServiceByName(name).methods


def _add(pool: Any, bodies: Any) -> None:
    """A caller's own pool, filled with what the node sent: dependencies first."""
    files = {f.name: f for f in map(descriptor_pb2.FileDescriptorProto.FromString, bodies)}

    def put(name: str) -> None:
        try:
            pool.FindFileByName(name)
        except KeyError:
            for needed in files[name].dependency:
                put(needed)
            pool.Add(files[name])

    for name in files:
        put(name)


@shared
async def test_only_loopback_unless_told_otherwise(origin: Served) -> None:
    for listen in ("0.0.0.0:0", "[::]:0", "192.0.2.1:0", "example.org:0", ":0"):
        with pytest.raises(NotLoopback):
            await face_of(origin).start(listen)
    face = face_of(origin)
    address = await face.start("0.0.0.0:0", insecure=True)
    assert int(address.rpartition(":")[2]) > 0
    await face.close(0)
    await face.close(0)


def face_of(node: Served) -> Face:
    """Another face of the same node."""
    parts = node.parts
    return Face(
        parts.config.region, desk=parts.desk, reader=parts.reader, changes=parts.changes,
        operations=node.operations, materials=node.materials, book=node.book, peers=node.peers,
        tracer=parts.telemetry.tracer, now=parts.context.now, calendar=parts.context.calendar,
        limits=node.limits,
    )  # fmt: skip


@shared
async def test_a_port_that_is_taken(origin: Served) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(CannotListen):
            await face_of(origin).start(f"127.0.0.1:{taken.getsockname()[1]}")
    with pytest.raises(CannotListen):
        await face_of(origin).start(origin.address)


async def test_health_says_so_first_when_a_node_stops(tmp_path: Path) -> None:
    async with served(tmp_path, "32") as (node,):
        stub = HealthStub(node.caller.channel)
        watch = stub.Watch(health_pb2.HealthCheckRequest(service=SERVICES[0]))
        assert (await watch.read()).status == SERVING
        closing = asyncio.create_task(node.face.close(2))
        assert (await watch.read()).status == NOT_SERVING
        watch.cancel()
        await closing
        assert await code_of(node.caller.file()) in ("UNAVAILABLE", "DRAINING")


async def test_stopping_under_load_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """Unary calls, lines and uploads are under way from all sides when the node is told to stop."""
    told: dict[str, str] = {}
    sent: set[str] = set()

    async with served(tmp_path, "32") as (node,):
        stopping = asyncio.Event()
        callers = [Caller(node.address, "32") for _ in range(4)]
        loads = [asyncio.create_task(_unary(c, told, sent, stopping)) for c in callers[:2]]
        loads += [asyncio.create_task(_lines(c, told, sent, stopping)) for c in callers[2:]]
        async with asyncio.timeout(30):
            while len(told) < 60:  # noqa: ASYNC110  # what is counted has no signal of its own
                await asyncio.sleep(0.01)
        await node.face.close(20)
        stopping.set()
        ends = await asyncio.gather(*loads)
        assert set(ends) <= {"UNAVAILABLE", "DRAINING"}
        for caller in callers:
            await caller.channel.close()
    async with served(tmp_path, "32") as (node,):
        found = await node.parts.reader.cases(list(told.values()))
        assert len(found) == len(told) == len(set(told.values()))
        for request_id, number in list(told.items())[:20]:  # asked again, it is the same case
            again = await node.caller.cases.File(request(request_id))
            assert again.case_number == number
        for request_id in sorted(sent - told.keys())[
            :20
        ]:  # what was not acknowledged is filed now, once, or was
            assert (await node.caller.cases.File(request(request_id))).case_number not in told.values()


async def _unary(caller: Caller, told: dict[str, str], sent: set[str], stopping: asyncio.Event) -> str:
    while not stopping.is_set():
        request_id = new_id()
        sent.add(request_id)
        try:
            answer = await caller.cases.File(request(request_id), timeout=20)
        except grpc.aio.AioRpcError as error:
            return fault_code(error)
        told[request_id] = answer.case_number
    return "DRAINING"


async def _lines(caller: Caller, told: dict[str, str], sent: set[str], stopping: asyncio.Event) -> str:
    async def lines() -> AsyncIterator[pb.FileManyRequest]:
        while not stopping.is_set():
            request_id = new_id()
            sent.add(request_id)
            yield pb.FileManyRequest(request=request(request_id))
            await asyncio.sleep(0)

    try:
        async for answer in caller.cases.FileMany(lines()):
            if answer.WhichOneof("outcome") == "filed":
                told[answer.request_id] = answer.filed.case_number
    except grpc.aio.AioRpcError as error:
        # A line written into a stream that was just ended is an error of the client library's core, which
        # hides the status then; a fault of ours is never without its detail.
        ours = fault_of_call(error) is not None
        core = not ours and error.code() is grpc.StatusCode.INTERNAL
        return "DRAINING" if core else fault_code(error)
    return "DRAINING"
