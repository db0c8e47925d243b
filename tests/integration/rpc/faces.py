"""Nodes with their gRPC faces in one process, and a caller's way to each."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest

from broker.topics import inbox, specs
from nodes.assembly import REGIONS, NodeConfig, Parts, open_parts
from nodes.cases.case import Case, State
from nodes.desk.desk import Desk
from nodes.materials.book import MaterialBook
from nodes.materials.store import MaterialStore
from nodes.operations.health import Health
from nodes.operations.operations import Operations
from nodes.operations.traces import Traces
from nodes.rpc.faults import Fault, fault_of_call
from nodes.rpc.peer import Peers
from nodes.rpc.ports import FilesAndActs
from nodes.rpc.server import Face, Limits
from tongban.v1 import case_pb2, command_pb2
from tongban.v1 import case_service_pb2 as pb
from tongban.v1.case_service_pb2_grpc import CaseServiceStub
from tongban.v1.catalogue_service_pb2_grpc import CatalogueServiceStub
from tongban.v1.operator_service_pb2_grpc import OperatorServiceStub
from tongban.v1.peer_service_pb2_grpc import PeerServiceStub

IDENTITY = "11010519491231002X"
MARKER = "测试标记甲"
"""A name that must not be found in any error."""
_ids = itertools.count(1)


def actor(role: str, region: str = "32", **more: str) -> case_pb2.Actor:
    return case_pb2.Actor(
        role=case_pb2.Role.Value(f"ROLE_{role.upper()}"), region=region, id=more.pop("id", "a1"), **more
    )


def filing(**changes: Any) -> pb.NewFiling:
    """Filed in Nanjing, decided where the fund is held: in Shanghai."""
    said: dict[str, Any] = {
        "matter": "HF-003",
        "origin_area": "320100",
        "channel": "online",
        "consent": "consent-1",
        "applicant": case_pb2.Party(kind="person", name=MARKER, id_type="identity_card", id_no=IDENTITY),
        "places": pb.PlaceFacts(fund_centre="310000"),
    }
    return pb.NewFiling(**{**said, **changes})


def request(request_id: str = "", role: str = "applicant", **changes: Any) -> pb.FileRequest:
    """A filing of its own, at the node of 32."""
    return pb.FileRequest(
        request_id=request_id or new_id(), client="test", actor=actor(role), filing=filing(**changes)
    )


def new_id() -> str:
    return f"r{next(_ids)}"


class Caller:
    """A platform at one node."""

    def __init__(self, address: str, region: str) -> None:
        self.address, self.region = address, region
        self.channel = grpc.aio.insecure_channel(address, options=(("grpc.enable_http_proxy", 0),))
        self.cases: Any = CaseServiceStub(self.channel)
        self.catalogue: Any = CatalogueServiceStub(self.channel)
        self.operator: Any = OperatorServiceStub(self.channel)
        self.peer: Any = PeerServiceStub(self.channel)

    async def file(self, **changes: Any) -> str:
        found = await self.cases.File(request(**changes), timeout=10)
        return str(found.case_number)

    async def act(self, number: str, role: str = "officer", authority: str = "", **verb: Any) -> Any:
        request = pb.ActRequest(
            request_id=new_id(),
            client="test",
            actor=actor(role, self.region, authority=authority),
            case_number=number,
            command=command_pb2.Command(**verb),
        )
        return await self.cases.Act(request, timeout=10)

    async def get(self, number: str, role: str = "applicant", **more: str) -> pb.GetResponse:
        found: pb.GetResponse = await self.cases.Get(
            pb.GetRequest(case_number=number, actor=actor(role, self.region, **more)), timeout=10
        )
        return found


@dataclass(slots=True, kw_only=True)
class Served:
    """A node, its face, and a caller of it."""

    parts: Parts
    face: Face
    address: str
    materials: MaterialStore
    book: MaterialBook
    peers: Peers
    operations: Operations
    limits: Limits
    caller: Caller


LIMITS = Limits(health_s=0.05)


@asynccontextmanager
async def served(
    folder: Path, *regions: str, limits: Limits = LIMITS,
    desk: Callable[[Desk], FilesAndActs] = lambda desk: desk, **options: Any,
) -> AsyncIterator[list[Served]]:  # fmt: skip
    """Nodes that know each other's addresses. `desk`: what stands before each node's desk."""
    async with AsyncExitStack() as stack:
        addresses: dict[str, str] = {}
        nodes = [await _served(folder, r, addresses, limits, desk, options, stack) for r in regions]
        addresses.update({s.parts.config.region: s.address for s in nodes})
        yield nodes


async def _served(
    folder: Path, region: str, addresses: Mapping[str, str], limits: Limits,
    desk: Callable[[Desk], FilesAndActs], options: Mapping[str, Any], stack: AsyncExitStack,
) -> Served:  # fmt: skip
    config = NodeConfig(
        region=region,
        listen="127.0.0.1:0",
        database_url=f"sqlite:///{folder}/{region}.db",
        materials_dir=folder / region,
        **{"bus_url": f"sqlite:///{folder}/bus.db", "poll_s": 0.05, **options},
    )
    parts = await open_parts(config, stack)
    materials = MaterialStore(config.materials_dir, max_bytes=config.max_material_bytes)
    peers = Peers(region, addresses, materials, timeout_s=2.0)
    stack.push_async_callback(peers.close)
    health = Health(
        parts.store, parts.bus, inbox=inbox(region), group=parts.inbox.group,
        topics=specs(REGIONS, config.topic_plan), rooms={"inbox": parts.inbox}, now=config.clock.now,
        wall_s=parts.context.wall_s, version="test",
    )  # fmt: skip
    traces = Traces(parts.store, parts.reader, region, peers, flush=parts.telemetry.flush)
    operations = Operations(parts.store, parts.writer, health, traces)
    book = MaterialBook(parts.store, parts.context.wall_s)
    face = Face(
        region, desk=desk(parts.desk), reader=parts.reader, changes=parts.changes, operations=operations,
        materials=materials, book=book, peers=peers, tracer=parts.telemetry.tracer, now=config.clock.now,
        calendar=parts.context.calendar, limits=limits, wait_s=parts.writer.wait_s,
        arrived=parts.writer.turns.arrived,
    )  # fmt: skip
    address = await face.start(config.listen)
    stack.push_async_callback(face.close, 0.2)
    node = Served(
        parts=parts, face=face, address=address, materials=materials, book=book, peers=peers,
        operations=operations, limits=limits, caller=Caller(address, region),
    )  # fmt: skip
    stack.push_async_callback(node.caller.channel.close)
    return node


async def known(node: Served, number: str, *states: State) -> Case:
    """The case as soon as the node has it, taken in by its owner, in one of these states if any is given."""
    async with asyncio.timeout(15):
        while True:
            view = await node.parts.reader.get(number)
            if view and not view.case.awaiting_receipt and (not states or view.case.state in states):
                return view.case
            await asyncio.sleep(0.01)


async def refusal(call: Any) -> tuple[grpc.StatusCode, Fault]:
    """The status and the detail of a call that must be refused."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    assert_clean(caught.value)
    fault = fault_of_call(caught.value)
    assert fault is not None, caught.value
    return caught.value.code(), fault


async def code_of(call: Any) -> str:
    """The code that a call, or a stream that is read to its end, is refused with; "" when it is not."""
    try:
        await (drawn(call) if hasattr(call, "__aiter__") else call)
    except grpc.aio.AioRpcError as error:
        assert_clean(error)
        return fault_code(error)
    return ""


def fault_code(error: grpc.aio.AioRpcError) -> str:
    fault = fault_of_call(error)
    return error.code().name if fault is None else fault.code


async def drawn(stream: Any) -> list[Any]:
    """Everything that a stream gives."""
    return [item async for item in stream]


def assert_clean(error: grpc.aio.AioRpcError) -> None:
    """No personal data, no stack trace, in anything that the caller was told."""
    said = repr((error.details(), error.trailing_metadata(), error.debug_error_string()))
    raw = b"".join(v if isinstance(v, bytes) else v.encode() for _, v in error.trailing_metadata() or ())
    for secret in (MARKER, IDENTITY, "Traceback", ".py"):
        assert secret not in said
        assert secret.encode() not in raw
