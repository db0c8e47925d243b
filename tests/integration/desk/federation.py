"""A small federation for tests: several nodes without faces, in one process.

On one embedded bus and a database file a region, unless `ground` was put on something else.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from opentelemetry.trace import SpanKind

from nodes.assembly import NodeConfig, Parts, open_parts
from nodes.cases.case import Actor, Case, Decision, Material, Party, Role
from nodes.cases.commands import Accept, Command, Decide, FinishStep, PreCheck, StartReview
from nodes.codec.requests import ActRequest, FileRequest, NewFiling
from nodes.desk.work import Answer
from tongban.v1 import case_service_pb2

IDENTITY = "11010519491231002X"
PATIENCE_S = 60.0
"""How long a test waits for what must come."""


def person(name: str = "测试甲", id_no: str = IDENTITY) -> Party:
    return Party("person", name, "identity_card", id_no)


def filing(matter: str = "HF-003", origin: str = "320100", **changes: object) -> NewFiling:
    """Filed in Nanjing, decided where the fund is held: in Shanghai."""
    new = NewFiling(
        matter=matter,
        origin_area=origin,
        channel="online",
        applicant=person(),
        consent="consent-1",
        places=(("fund_centre", "310000"),),
    )
    return replace(new, **changes)  # type: ignore[arg-type]


def material(code: str, fill: str = "a") -> Material:
    return Material(code, fill * 64, 10, "application/pdf")


class Node:
    """One region's node, with the verbs a test needs."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.region = parts.config.region

    async def file(self, new: NewFiling, request_id: str = "", role: Role = Role.APPLICANT) -> Answer:
        request = FileRequest("test", request_id or uuid.uuid4().hex, Actor(role, self.region, "a1"), new)
        with self._call("tongban.v1.CaseService/File"):
            return await self.parts.desk.file(request, repr(new).encode())

    async def filed(self, new: NewFiling, **options: object) -> str:
        answer = await self.file(new, **options)  # type: ignore[arg-type]
        assert not answer.refused, answer.body
        return case_service_pb2.FileResponse.FromString(answer.body).case_number

    async def act(
        self,
        number: str,
        command: Command,
        role: Role = Role.OFFICER,
        request_id: str = "",
        expected: int = 0,
    ) -> Answer:
        actor = Actor(role, self.region, "o1", await self._authority(number))
        request = ActRequest("test", request_id or uuid.uuid4().hex, actor, number, command, expected)
        with self._call("tongban.v1.CaseService/Act"):
            return await self.parts.desk.act(request, repr(command).encode())

    def _call(self, name: str) -> AbstractContextManager[object]:
        """The span that the gRPC face would have opened."""
        return self.parts.telemetry.tracer.start_as_current_span(name, kind=SpanKind.SERVER)

    async def _authority(self, number: str) -> str:
        view = await self.parts.reader.get(number)
        return view.case.authority if view else ""

    async def case(self, number: str) -> Case | None:
        view = await self.parts.reader.get(number)
        return view.case if view else None

    async def until(self, number: str, holds: Callable[[Case], bool], timeout_s: float = PATIENCE_S) -> Case:
        """The case as soon as it is so; fails with what it is."""
        case: Case | None = None
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    case = await self.case(number)
                    if case is not None and holds(case):
                        return case
                    await asyncio.sleep(0.01)
        except TimeoutError:
            said = case.state if case else "unknown"
            raise AssertionError(f"{self.region}: {number} is {said}") from None

    async def eventually(
        self, look: Callable[[], Awaitable[object]], wanted: object, timeout_s: float = PATIENCE_S
    ) -> None:
        """Until `look` gives what is wanted; fails with what it gave last."""
        found: object = None
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    found = await look()
                    if found == wanted:
                        return
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise AssertionError(f"{found!r}, wanted {wanted!r}") from None

    async def settle(self, number: str, *, granted: bool = True) -> None:
        """An officer takes the case from filed to decided."""
        await self.applied(number, PreCheck())
        await self.applied(number, Accept())
        await self.settle_from_accepted(number, granted=granted)

    async def settle_from_accepted(self, number: str, *, granted: bool = True) -> None:
        """An officer takes the case from accepted to decided."""
        steps: tuple[Command, ...] = (StartReview(), *[FinishStep("ok")] * 3)
        for command in steps:
            await self.applied(number, command)
        decision = Decision(granted, "依据充分", "" if granted else "可申请行政复议")
        await self.applied(number, Decide(decision))

    async def applied(self, number: str, command: Command, role: Role = Role.OFFICER) -> int:
        answer = await self.act(number, command, role)
        assert not answer.refused, (command, answer.body)
        response = case_service_pb2.ActResponse.FromString(answer.body)
        assert response.WhichOneof("outcome") == "applied_version", response
        return int(response.applied_version)


@dataclass(frozen=True)
class Ground:
    """What the nodes of a federation stand on: one bus, and a database for each region."""

    bus_url: str
    database_url: Callable[[str], str]


def embedded(folder: Path) -> Ground:
    """Files in a folder."""
    return Ground(f"sqlite:///{folder}/bus.db", lambda region: f"sqlite:///{folder}/{region}.db")


ground: Callable[[Path], Ground] = embedded
"""Where federations stand; the tests of the servers put another in its place, for the same tests again."""


@asynccontextmanager
async def federation(folder: Path, *regions: str, **options: object) -> AsyncIterator[list[Node]]:
    under = ground(folder)
    async with AsyncExitStack() as stack:
        nodes = []
        for region in regions:
            config = NodeConfig(
                region=region,
                listen="127.0.0.1:0",
                database_url=under.database_url(region),
                materials_dir=folder / region,
                poll_s=0.05,
                **{"bus_url": under.bus_url, **options},  # type: ignore[arg-type]
            )
            nodes.append(Node(await open_parts(config, stack)))
        yield nodes
