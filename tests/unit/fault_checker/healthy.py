"""A healthy run for the checker's own tests: three nodes over one embedded bus, every mode, on a moved clock.

What it leaves behind (databases, bus, history) is copied and damaged by the tests.
"""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from typing_extensions import override

from nodes.business_time import BusinessClock
from nodes.cases.case import Custody, Defect, Rating, Role, Shipment, State
from nodes.cases.commands import (
    Accept,
    AcceptWithLack,
    Command,
    ConfirmDelivery,
    Correct,
    Dispatch,
    PreCheck,
    Rate,
    RequestCorrection,
    ReturnOriginal,
    StartReview,
    SupplyLack,
    TakeCustody,
    Withdraw,
)
from nodes.cases.filing import Delivery
from nodes.codec.requests import NewFiling
from nodes.desk.work import Answer
from tests.fault.checker.facts import Call
from tests.fault.checker.history import History
from tests.fault.checker.judge import Places, check
from tests.integration.desk.federation import Node, federation, filing, material
from tongban.v1 import case_service_pb2, errors_pb2

REGIONS = ("31", "32", "33")
START = datetime.fromisoformat("2026-09-21T10:00:00+08:00")


class Moved(BusinessClock):
    """Business time that stands until the test moves it."""

    __slots__ = ("at",)
    at: datetime

    def __init__(self) -> None:
        super().__init__(START, 0.0, 1.0)
        object.__setattr__(self, "at", START)

    @override
    def now(self) -> datetime:
        return self.at

    @override
    def wall_seconds_until(self, at: datetime) -> float:
        return 0.0 if at <= self.at else 0.02

    def move(self, **by: int) -> None:
        object.__setattr__(self, "at", self.at + timedelta(**by))


class Watched(Node):
    """A node whose every call is noted."""

    def __init__(self, node: Node, history: History) -> None:
        super().__init__(node.parts)
        self._history = history
        self._count = 0

    @override
    async def file(self, new: NewFiling, request_id: str = "", role: Role = Role.APPLICANT) -> Answer:
        request_id = request_id or self._next()
        began = time.time_ns()
        answer = await super().file(new, request_id, role)
        filed = None if answer.refused else case_service_pb2.FileResponse.FromString(answer.body)
        self._note("file", request_id, repr(new), began, answer, filed.case_number if filed else "")
        return answer

    @override
    async def act(
        self,
        number: str,
        command: Command,
        role: Role = Role.OFFICER,
        request_id: str = "",
        expected: int = 0,
    ) -> Answer:
        request_id = request_id or self._next()
        began = time.time_ns()
        answer = await super().act(number, command, role, request_id, expected)
        self._note(type(command).__name__, request_id, repr(command), began, answer, number)
        return answer

    def _next(self) -> str:
        self._count += 1
        return f"{self.region}-{self._count}"

    def _note(self, verb: str, request_id: str, said: str, began: int, answer: Answer, number: str) -> None:
        done = case_service_pb2.ActResponse()
        code = ""
        if answer.refused:
            code = errors_pb2.ErrorDetail.FromString(answer.body).code
        elif verb != "file":
            done = case_service_pb2.ActResponse.FromString(answer.body)
        self._history.note(
            Call(
                self.region, verb, began, time.time_ns(), "test", request_id,
                hashlib.sha256(said.encode()).hexdigest(),
                "refused" if answer.refused else "acknowledged",
                hashlib.sha256(answer.body).hexdigest(), code, number, done.applied_version,
                done.requested_ask_id,
            )
        )  # fmt: skip


@dataclass(frozen=True)
class Run:
    """Where a run left its traces, and its cases by what became of them."""

    folder: Path
    cases: dict[str, str]
    business_now: datetime

    def copy(self, folder: Path) -> Run:
        shutil.copytree(self.folder, folder)
        return Run(folder, self.cases, self.business_now)

    def database(self, region: str) -> Path:
        return self.folder / f"{region}.db"

    @property
    def bus(self) -> Path:
        return self.folder / "bus.db"

    @property
    def history(self) -> Path:
        return self.folder / "history.jsonl"

    @property
    def places(self) -> Places:
        return Places(
            databases={region: f"sqlite:///{self.database(region)}" for region in REGIONS},
            bus=f"sqlite:///{self.bus}",
            history=self.history,
            business_now=self.business_now,
        )


async def healthy_run(folder: Path) -> Run:
    """Lets the federation live through it and settle, in a folder that is there and empty."""
    clock = Moved()
    cases: dict[str, str] = {}
    with History(folder / "history.jsonl") as history:
        async with federation(folder, *REGIONS, clock=clock, resend_after_s=1.0) as made:
            nodes = {node.region: Watched(node, history) for node in made}
            await asyncio.gather(
                _corrected(nodes, cases), _collected(nodes, cases), _too_late(nodes, cases), _refused(nodes)
            )
            await asyncio.gather(_waiting(nodes, cases), _joint(nodes, cases))
            clock.move(days=35)
            await nodes["32"].until(cases["deemed"], lambda c: c.state is State.ACCEPTED)
            await nodes["33"].applied(cases["lacking"], StartReview())
            await _local(nodes, cases)
            run = Run(folder, cases, clock.now())
            await _settled(run)
    return run


async def _settled(run: Run) -> None:
    """Until nothing is on its way any more."""
    deadline = time.monotonic() + 30
    while True:
        verdict = await check(run.places)
        if not verdict.violations:
            return
        if time.monotonic() > deadline:
            raise AssertionError("\n".join(map(str, verdict.violations[:40])))
        await asyncio.sleep(0.2)


async def _corrected(nodes: dict[str, Watched], cases: dict[str, str]) -> None:
    origin, competent = nodes["32"], nodes["31"]
    new = filing(materials=(material("application_form"),))
    number = cases["corrected"] = await origin.filed(new, request_id="again")
    assert await origin.filed(new, request_id="again") == number
    await competent.until(number, lambda c: not c.awaiting_receipt)
    await competent.applied(number, RequestCorrection((Defect("id_card", "missing"),)))
    await origin.until(number, lambda c: c.state is State.CORRECTION)
    await origin.act(number, Correct((material("id_card", "b"),)), Role.APPLICANT)
    await competent.until(number, lambda c: c.state is State.CORRECTED)
    await competent.applied(number, Accept())
    await competent.settle_from_accepted(number)
    await origin.until(number, lambda c: c.state is State.CLOSED)


async def _collected(nodes: dict[str, Watched], cases: dict[str, str]) -> None:
    origin, competent = nodes["32"], nodes["33"]
    new = filing("DP-001", channel="window", places=(("household", "330106"),), delivery=Delivery("pickup"))
    number = cases["collected"] = await origin.filed(new, role=Role.WINDOW)
    now = origin.parts.context.now()
    listed = (await origin.until(number, lambda _: True)).filing.terms.materials[0].code
    await origin.applied(number, TakeCustody(Custody(listed, "32", "window-1", now)), Role.WINDOW)
    await origin.applied(number, PreCheck(), Role.WINDOW)
    await competent.until(number, lambda c: c.owner == "33" and not c.awaiting_receipt)
    await competent.applied(number, Accept())
    await competent.settle_from_accepted(number, granted=False)
    await competent.applied(number, Dispatch(Shipment("s1", "outward", "EMS", "W1", now, ("result",))))
    await origin.until(number, lambda c: c.state is State.DELIVERING)
    await origin.act(number, ConfirmDelivery("applicant"), Role.WINDOW)
    await competent.until(number, lambda c: c.state is State.DELIVERED)
    await origin.act(number, ReturnOriginal(listed, now), Role.WINDOW)
    await origin.until(number, lambda c: c.state is State.CLOSED)
    await origin.act(number, Rate(Rating("competent", 2)), Role.APPLICANT)
    await origin.until(number, lambda c: len(c.ratings) == 1)


async def _too_late(nodes: dict[str, Watched], cases: dict[str, str]) -> None:
    """A withdrawal after the decision is refused, one before it is not."""
    origin, competent = nodes["32"], nodes["31"]
    number = cases["too late"] = await origin.filed(filing(delivery=Delivery("pickup")))
    await competent.until(number, lambda c: not c.awaiting_receipt)
    await competent.settle(number)
    await origin.act(number, Withdraw("changed my mind"), Role.APPLICANT)
    number = cases["withdrawn"] = await origin.filed(filing())
    await origin.act(number, Withdraw("changed my mind"), Role.APPLICANT)
    await origin.until(number, lambda c: c.state is State.WITHDRAWN)


async def _refused(nodes: dict[str, Watched]) -> None:
    for _ in range(2):
        assert (await nodes["32"].file(filing(consent=""), request_id="refused")).refused
    assert (await nodes["32"].file(filing("XX-000"), request_id="unknown matter")).refused


async def _waiting(nodes: dict[str, Watched], cases: dict[str, str]) -> None:
    """One that nobody looks at, one whose lack is made good."""
    origin, competent = nodes["32"], nodes["33"]
    cases["deemed"] = await origin.filed(filing())
    new = filing("SS-015", places=(("household", "330106"),), materials=(material("id_card"),))
    number = cases["lacking"] = await origin.filed(new)
    await competent.until(number, lambda c: not c.awaiting_receipt)
    await competent.applied(number, PreCheck())
    await competent.applied(number, AcceptWithLack(("application_form",)))
    await origin.until(number, lambda c: c.state is State.ACCEPTED_WITH_LACK)
    await origin.act(number, SupplyLack((material("application_form", "c"),)), Role.APPLICANT)
    await competent.until(number, lambda c: c.state is State.ACCEPTED)


async def _joint(nodes: dict[str, Watched], cases: dict[str, str]) -> None:
    origin = nodes["32"]
    places = (("transfer_out", "310000"), ("transfer_in", "330100"))
    lead = cases["lead"] = await origin.filed(filing("TV-008", places=places))
    await origin.applied(lead, PreCheck(), Role.WINDOW)
    case = await origin.until(lead, lambda c: all(p.case_number for p in c.parts))
    for part in case.parts:
        await nodes[part.region].until(part.case_number, lambda c: not c.awaiting_receipt)
        await nodes[part.region].settle(part.case_number)
    await origin.until(lead, lambda c: not c.open)


async def _local(nodes: dict[str, Watched], cases: dict[str, str]) -> None:
    """Decided where it is filed."""
    node = nodes["31"]
    number = cases["local"] = await node.filed(filing(origin="310115"))
    await node.settle(number)
    await node.until(number, lambda c: c.state is State.CLOSED)
