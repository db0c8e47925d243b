"""What the rehearsal is tried on: desks whose entries a test writes, nodes that say what a test says."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, cast

import grpc
from typing_extensions import override

from nodes.business_time import SHANGHAI
from nodes.demo.calls import Calls, Refusal
from nodes.demo.docket import Docket, Entry
from nodes.demo.lines import Act, Line
from nodes.demo.papers import Papers
from nodes.demo.people import Place
from tongban.v1 import case_pb2, case_service_pb2
from tongban.v1.errors_pb2 import ErrorDetail
from tongban.v1.event_pb2 import CaseEvent, EventCore

NUMBER = "3205002026091400010000012S"
FIRST = datetime(2026, 9, 14, 9, 30, tzinfo=SHANGHAI)
DUE = datetime(2026, 9, 21, 17, 30, tzinfo=SHANGHAI)


class Said(Calls):
    """A node without a network. found: by Get; streams: what Watch tells, each broken at its end."""

    def __init__(self, region: str) -> None:
        self.region = region
        self.found: dict[str, case_service_pb2.GetResponse] = {}
        self.streams: list[list[case_service_pb2.WatchResponse]] = []
        self.asked: list[str] = []
        self.cases = cast("Any", self)

    @override
    async def get(self, number: str, actor: case_pb2.Actor) -> case_service_pb2.GetResponse:
        """What was put there. Raises Refusal for anything else."""
        if number not in self.found:
            raise Refusal(ErrorDetail(code="NOT_FOUND"))
        return self.found[number]

    async def Watch(  # noqa: N802  # the stub's name
        self, request: case_service_pb2.WatchRequest
    ) -> AsyncIterator[case_service_pb2.WatchResponse]:
        """One stream after the other."""
        self.asked.append(request.resume_token)
        stream = self.streams.pop(0) if self.streams else []
        for change in stream:
            yield change
        raise grpc.aio.AioRpcError(
            grpc.StatusCode.UNAVAILABLE, grpc.aio.Metadata(), grpc.aio.Metadata(), "broken"
        )


def place(region: str, patience_s: float = 2.0) -> Place:
    """A platform that sees nothing yet."""
    calls = Said(region)
    return Place(calls, Docket(calls, patience_s), "demo", Papers())


def said(where: Place) -> Said:
    """The node of that platform."""
    assert isinstance(where.calls, Said)
    return where.calls


def entry(number: str = NUMBER, **fields: Any) -> Entry:
    """A case between Jiangsu, where it was filed, and Shanghai, which owns it."""
    given: dict[str, Any] = {
        "state": "closed", "version": 12, "owner": "31", "origin": "32", "competent": "31",
        "parties": frozenset({"31", "32"}), **fields,
    }  # fmt: skip
    return Entry(number, **given)


def line(request_id: str = "demo-0001", expect: dict[str, Any] | None = None, **fields: Any) -> Line:
    """A filing with nothing to do afterwards."""
    given: dict[str, Any] = {
        "number": 1, "request_id": request_id, "at": FIRST, "node": "32", "by": "applicant",
        "title": ("一件", "a case"), "faults": (), "filing": {}, "again": "", "acts": (),
        "expect": {} if expect is None else expect, **fields,
    }  # fmt: skip
    return Line(**given)


def act(do: str, **fields: Any) -> Act:
    """Something that an officer does."""
    given: dict[str, Any] = {
        "at": FIRST, "who": "officer", "do": do, "when": frozenset(), "part": 0, "authority": "",
        "refused": "", "beside": False, "fields": {}, **fields,
    }  # fmt: skip
    return Act(**given)


def change(
    version: int, kind: str, state: str, token: int, number: str = NUMBER, owner: str = "31"
) -> case_service_pb2.WatchResponse:
    """An event as Watch tells it."""
    core = EventCore(case_number=number, version=version, type=kind)
    core.recorded_at.FromDatetime(FIRST)
    core.after.state = case_pb2.CaseState.Value(f"CASE_STATE_{state.upper()}")
    core.after.owner = owner
    if kind == "Filed":
        core.filed.filing.origin, core.filed.filing.competent = "32", "31"
    elif kind == "HandedOver":
        core.handed_over.to = "31"
    elif kind == "Received":
        core.received.SetInParent()
    return case_service_pb2.WatchResponse(resume_token=str(token), event=CaseEvent(core=core))
