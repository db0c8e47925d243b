"""Who may call what, for every call there is: what is not in the list is denied before anything is done.

The list is written by hand from the contract; it does not import the table it tries.
"""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf import descriptor_pool

from tests.integration.rpc.faces import Served, actor, code_of, drawn, filing, known, new_id, refusal
from tongban.v1 import case_service_pb2 as pb
from tongban.v1 import catalogue_service_pb2, command_pb2, operator_service_pb2, peer_service_pb2

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROLES = ("applicant", "window", "officer", "head", "operator", "node", "timer")
PEOPLE = {"applicant", "window", "officer", "head", "operator"}
LISTED: dict[str, set[str]] = {
    "CaseService/File": {"applicant", "window"},
    "CaseService/FileMany": {"applicant", "window"},
    "CaseService/Act": PEOPLE,
    "CaseService/Get": PEOPLE,
    "CaseService/List": PEOPLE,
    "CaseService/History": PEOPLE,
    "CaseService/Watch": PEOPLE,
    "CaseService/Upload": {"applicant", "window", "officer"},
    "CaseService/Download": {"applicant", "window", "officer", "head"},
    "OperatorService/ListDead": {"operator"},
    "OperatorService/ShowDead": {"operator"},
    "OperatorService/ReplayDead": {"operator"},
    "OperatorService/DropDead": {"operator"},
    "OperatorService/Lanes": {"operator"},
    "OperatorService/Health": {"operator"},
    "OperatorService/Trace": {"operator"},
}
OPEN = {"CatalogueService/List", "CatalogueService/Explain"}
OF_PEERS = {"PeerService/FetchMaterial", "PeerService/GetTraceSlice", "PeerService/Ping"}
NUMBER = "9" * 26
DENIED = ("ROLE_NOT_PERMITTED", "ACTOR_REGION")


async def test_every_call_of_the_contract_is_listed() -> None:
    pool = descriptor_pool.Default()
    calls = {
        f"{name}/{method.name}"
        for name in ("CaseService", "CatalogueService", "OperatorService", "PeerService")
        for method in pool.FindServiceByName(f"tongban.v1.{name}").methods
    }
    assert calls == LISTED.keys() | OPEN | OF_PEERS


async def _call(node: Served, name: str, who: Any) -> None:
    cases, operator = node.caller.cases, node.caller.operator
    match name:
        case "File":
            await cases.File(_filing(who))
        case "FileMany":
            async for answer in cases.FileMany(iter([pb.FileManyRequest(request=_filing(who))])):
                if answer.WhichOneof("outcome") == "refused":
                    raise _Refused(answer.refused.code)
        case "Act":
            command = command_pb2.Command(accept=command_pb2.Accept())
            ask = pb.ActRequest(
                request_id=new_id(), client="t", actor=who, case_number=NUMBER, command=command
            )
            await cases.Act(ask)
        case "Get" | "History":
            await getattr(cases, name)(getattr(pb, f"{name}Request")(case_number=NUMBER, actor=who))
        case "List":
            await cases.List(pb.ListRequest(actor=who, filter=pb.CaseFilter(case_numbers=[NUMBER])))
        case "Watch":
            named = pb.CaseFilter(case_numbers=[NUMBER])
            await drawn(cases.Watch(pb.WatchRequest(actor=who, filter=named, resume_token="x")))
        case "Upload":
            await cases.Upload(iter([pb.UploadRequest(header=pb.UploadHeader(actor=who))]))
        case "Download":
            await drawn(cases.Download(pb.DownloadRequest(case_number=NUMBER, actor=who)))
        case _:
            await getattr(operator, name)(getattr(operator_service_pb2, f"{name}Request")(actor=who))


class _Refused(Exception):
    """The line of a stream was refused."""


def _filing(who: Any) -> pb.FileRequest:
    return pb.FileRequest(request_id=new_id(), client="t", actor=who, filing=filing())


async def told(node: Served, call: str, who: Any) -> str:
    """The code that the caller gets, "" when he is answered."""
    try:
        return await code_of(_call(node, call.partition("/")[2], who))
    except _Refused as refused:
        return str(refused)


@pytest.mark.parametrize("call", LISTED)
async def test_a_call_is_open_to_the_listed_roles_alone(origin: Served, call: str) -> None:
    for role in ROLES:
        code = await told(origin, call, actor(role))
        assert (code not in DENIED) is (role in LISTED[call]), (role, code)


@pytest.mark.parametrize("call", LISTED)
async def test_nobody_acts_for_another_region(origin: Served, call: str) -> None:
    for role in LISTED[call]:
        assert await told(origin, call, actor(role, "31")) == "ACTOR_REGION"


@pytest.mark.parametrize("call", LISTED)
async def test_whoever_does_not_say_who_he_is_is_told_so(origin: Served, call: str) -> None:
    assert await told(origin, call, None) == "MISSING"


async def test_the_catalogue_is_open_to_anybody(origin: Served) -> None:
    found = await origin.caller.catalogue.List(catalogue_service_pb2.CatalogueServiceListRequest())
    assert found.matters
    await origin.caller.catalogue.Explain(
        catalogue_service_pb2.ExplainRequest(matter="HF-003", origin_area="320100")
    )


@pytest.mark.parametrize("region", ["", "32", "3", "３１", "x1", "311"])
async def test_a_peer_is_another_region(origin: Served, region: str) -> None:
    for call in (
        origin.caller.peer.Ping(peer_service_pb2.PingRequest(region=region)),
        origin.caller.peer.GetTraceSlice(
            peer_service_pb2.GetTraceSliceRequest(region=region, case_number=NUMBER)
        ),
        drawn(
            origin.caller.peer.FetchMaterial(
                peer_service_pb2.FetchMaterialRequest(region=region, case_number=NUMBER)
            )
        ),
    ):
        _, fault = await refusal(call)
        assert [w.field for w in fault.wrong] == ["region"]


async def test_a_peer_without_a_part_in_the_case_is_told_nothing(pair: list[Served]) -> None:
    number = await pair[0].caller.file()
    for call in (
        pair[0].caller.peer.GetTraceSlice(
            peer_service_pb2.GetTraceSliceRequest(region="33", case_number=number)
        ),
        drawn(
            pair[0].caller.peer.FetchMaterial(
                peer_service_pb2.FetchMaterialRequest(region="33", case_number=number, sha256=b"a" * 32)
            )
        ),
    ):
        assert await code_of(call) == "NOT_YOURS"


@pytest.mark.parametrize(
    ("role", "region", "authority", "sees"),
    [
        ("applicant", "32", "", True),
        ("window", "32", "", True),
        ("officer", "32", "fund_centre-320100", False),
        ("operator", "32", "", False),
        ("window", "31", "", False),
        ("officer", "31", "fund_centre-310000", True),
        ("officer", "31", "tax-310000", False),
        ("officer", "31", "", False),
        ("head", "31", "fund_centre-310000", True),
        ("operator", "31", "", False),
    ],
)
async def test_what_is_private_is_shown_to_those_it_concerns(
    pair: list[Served], role: str, region: str, authority: str, sees: bool
) -> None:
    number = await pair[0].caller.file()
    node = next(n for n in pair if n.caller.region == region)
    await known(node, number)
    got = await node.caller.get(number, role, authority=authority)
    assert bool(got.case.filing.applicant.name) is sees
    who = actor(role, region, authority=authority)
    history = await node.caller.cases.History(pb.HistoryRequest(case_number=number, actor=who))
    assert history.events[0].HasField("private_part") is sees
    download = node.caller.cases.Download(pb.DownloadRequest(case_number=number, sha256=b"a" * 32, actor=who))
    code = await code_of(download)
    assert (code == "MATERIAL_NOT_OF_CASE") is (sees and role != "operator"), code
