"""File, Act, Get and History over a channel, between two nodes."""

from __future__ import annotations

from typing import Any

import pytest
from grpc import StatusCode

from nodes.cases.case import State
from tests.integration.rpc.faces import (
    IDENTITY,
    MARKER,
    Served,
    actor,
    filing,
    known,
    new_id,
    refusal,
    request,
)
from tongban.v1 import case_pb2, command_pb2
from tongban.v1 import case_service_pb2 as pb

pytestmark = pytest.mark.asyncio(loop_scope="module")
FUND = "fund_centre-310000"


async def test_a_case_is_filed_settled_elsewhere_and_seen_at_home(pair: list[Served]) -> None:
    origin, competent = pair
    number = await origin.caller.file()
    await known(competent, number, State.FILED)
    verbs: list[dict[str, Any]] = [
        {"pre_check": command_pb2.PreCheck()},
        {"accept": command_pb2.Accept()},
        {"start_review": command_pb2.StartReview()},
        *[{"finish_step": command_pb2.FinishStep(outcome="ok")}] * 3,
        {"decide": command_pb2.Decide(decision=case_pb2.Decision(granted=True, reasons="依据充分"))},
    ]
    for verb in verbs:
        answer = await competent.caller.act(number, authority=FUND, **verb)
        assert answer.applied_version > 0
    await known(origin, number, State.CLOSED)
    got = await origin.caller.get(number)
    assert got.case.state == case_pb2.CASE_STATE_CLOSED
    assert not got.owned
    assert got.case.filing.applicant.name == MARKER
    theirs = await competent.caller.get(number, "officer", authority=FUND)
    assert theirs.owned
    rated = await origin.caller.act(
        number, "applicant", rate=command_pb2.Rate(rating=case_pb2.Rating(target="origin", stars=5))
    )
    assert rated.requested_ask_id
    await known(origin, number, State.RATED)
    asks = (await origin.caller.get(number)).asks
    assert [(a.verb, a.state) for a in asks] == [("rate", "applied")]
    history = await origin.caller.cases.History(pb.HistoryRequest(case_number=number, actor=actor("window")))
    assert [e.core.version for e in history.events] == list(range(1, len(history.events) + 1))
    assert history.events[0].private_part.applicant.name == MARKER
    assert not history.events[0].private_part.salt


async def test_the_same_request_again_gets_the_same_bytes(origin: Served) -> None:
    asked = request()
    first = await origin.caller.cases.File(asked)
    again = await origin.caller.cases.File(asked)
    assert first.SerializeToString() == again.SerializeToString()
    other = pb.FileRequest()
    other.CopyFrom(asked)
    other.filing.consent = "another"
    status, fault = await refusal(origin.caller.cases.File(other))
    assert (status, fault.code) == (StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")
    assert [w.field for w in fault.wrong] == ["request_id"]


async def test_a_refusal_by_rule_is_repeated_as_it_was(origin: Served) -> None:
    asked = request(consent="")
    first = await refusal(origin.caller.cases.File(asked))
    again = await refusal(origin.caller.cases.File(asked))
    assert first[1].wrong == again[1].wrong
    assert [w.field for w in first[1].wrong] == ["filing.consent"]


async def test_every_wrong_field_of_a_filing_is_named_at_once(origin: Served) -> None:
    applicant = case_pb2.Party(kind="person", name=MARKER, id_type="identity_card", id_no=IDENTITY[:-1] + "1")
    status, fault = await refusal(
        origin.caller.cases.File(request(applicant=applicant, consent="", channel="fax"))
    )
    assert (status, fault.code) == (StatusCode.INVALID_ARGUMENT, "FILING_REFUSED")
    assert {w.field: w.code for w in fault.wrong} == {
        "filing.applicant.id_no": "CHECKSUM",
        "filing.consent": "MISSING",
        "filing.channel": "UNKNOWN_CHANNEL",
    }
    assert all(w.zh and w.en for w in fault.wrong)


WRONG: list[tuple[dict[str, Any], str, StatusCode]] = [
    ({"matter": "NO-1"}, "filing.matter", StatusCode.NOT_FOUND),
    ({"origin_area": "310000"}, "filing.origin_area", StatusCode.INVALID_ARGUMENT),
    ({"origin_area": "x"}, "filing.origin_area", StatusCode.INVALID_ARGUMENT),
    ({"places": pb.PlaceFacts()}, "filing.places.fund_centre", StatusCode.INVALID_ARGUMENT),
    (
        {"places": pb.PlaceFacts(fund_centre="110000")},
        "filing.places.fund_centre",
        StatusCode.INVALID_ARGUMENT,
    ),
    ({"authority": "fund_centre-320100"}, "filing.authority", StatusCode.INVALID_ARGUMENT),
    ({"guide_version": "old"}, "filing.guide_version", StatusCode.FAILED_PRECONDITION),
    ({"applicant": None}, "filing.applicant", StatusCode.INVALID_ARGUMENT),
    ({"agent": case_pb2.Party(kind="person")}, "filing.agent.name", StatusCode.INVALID_ARGUMENT),
    (
        {"delivery": case_pb2.DeliveryWish(way="courier")},
        "filing.delivery.address",
        StatusCode.INVALID_ARGUMENT,
    ),
    ({"consent": "a\u202eb"}, "filing.consent", StatusCode.INVALID_ARGUMENT),
    ({"matter": "A" * 500}, "filing.matter", StatusCode.INVALID_ARGUMENT),
    (
        {"materials": [case_pb2.Material(code="nothing_known", sha256=b"a" * 32, size=1)]},
        "filing.materials.0.code",
        StatusCode.INVALID_ARGUMENT,
    ),
    (
        {"materials": [case_pb2.Material(code="id_card", sha256=b"short", size=1)]},
        "filing.materials.0.sha256",
        StatusCode.INVALID_ARGUMENT,
    ),
]


@pytest.mark.parametrize(("change", "field", "status"), WRONG)
async def test_a_wrong_filing_names_its_field(
    origin: Served, change: dict[str, Any], field: str, status: StatusCode
) -> None:
    got, fault = await refusal(origin.caller.cases.File(request(**change)))
    assert got is status, fault
    assert field in [w.field for w in fault.wrong]
    if "guide_version" in field:
        assert fault.guide_version


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"request_id": ""}, "request_id"),
        ({"request_id": "x" * 65}, "request_id"),
        ({"client": ""}, "client"),
        ({"client": "名"}, "client"),
        ({"actor": None}, "actor"),
        ({"filing": None}, "filing"),
    ],
)
async def test_a_wrong_envelope_names_its_field(origin: Served, change: dict[str, Any], field: str) -> None:
    said = {"request_id": new_id(), "client": "test", "actor": actor("applicant"), "filing": filing()}
    status, fault = await refusal(origin.caller.cases.File(pb.FileRequest(**{**said, **change})))
    assert status is StatusCode.INVALID_ARGUMENT
    assert [w.field for w in fault.wrong] == [field]


async def test_what_the_table_does_not_have_is_refused(origin: Served, competent: Served) -> None:
    number = await origin.caller.file()
    await known(competent, number, State.FILED)
    status, fault = await refusal(competent.caller.act(number, authority=FUND, accept=command_pb2.Accept()))
    assert (status, fault.code) == (StatusCode.FAILED_PRECONDITION, "NOT_IN_TABLE")


async def test_act_names_what_is_wrong(origin: Served, competent: Served) -> None:
    number = await origin.caller.file()
    await known(competent, number, State.FILED)
    status, fault = await refusal(competent.caller.act(number, authority=FUND))
    assert (status, [w.field for w in fault.wrong]) == (StatusCode.INVALID_ARGUMENT, ["command.verb"])
    status, fault = await refusal(
        competent.caller.act(number, authority=FUND, refuse=command_pb2.Refuse(text=MARKER))
    )
    assert status is StatusCode.INVALID_ARGUMENT
    status, fault = await refusal(competent.caller.act("320100", pre_check=command_pb2.PreCheck()))
    assert (status, fault.code) == (StatusCode.NOT_FOUND, "NO_SUCH_CASE")
    assert [w.field for w in fault.wrong] == ["case_number"]


async def test_a_stale_version_is_told_the_one_there_is(origin: Served, competent: Served) -> None:
    number = await origin.caller.file()
    case = await known(competent, number, State.FILED)
    asked = pb.ActRequest(
        request_id=new_id(), client="test", actor=actor("officer", "31", authority=FUND), case_number=number,
        command=command_pb2.Command(pre_check=command_pb2.PreCheck()), expected_version=case.version + 7,
    )  # fmt: skip
    status, fault = await refusal(competent.caller.cases.Act(asked))
    assert (status, fault.code) == (StatusCode.ABORTED, "VERSION_CONFLICT")
    assert str(case.version) in fault.wrong[0].en
    asked.expected_version = case.version
    first = await competent.caller.cases.Act(asked)
    again = await competent.caller.cases.Act(asked)
    assert first == again


@pytest.mark.parametrize("number", ["", "nothing", "3" * 26, "\x00", "三" * 10, "1" * 65])
async def test_a_case_that_is_not_here(origin: Served, number: str) -> None:
    for call, ask in (
        (origin.caller.cases.Get, pb.GetRequest(case_number=number, actor=actor("window"))),
        (origin.caller.cases.History, pb.HistoryRequest(case_number=number, actor=actor("window"))),
    ):
        status, fault = await refusal(call(ask))
        assert status in (StatusCode.NOT_FOUND, StatusCode.INVALID_ARGUMENT)
        assert [w.field for w in fault.wrong] == ["case_number"]


async def test_get_tells_what_may_be_done_and_who_must_act(origin: Served, competent: Served) -> None:
    number = await origin.caller.file()
    await known(competent, number, State.FILED)
    await known(origin, number, State.FILED)
    mine = await origin.caller.get(number)
    assert "withdraw" in mine.verbs
    assert mine.holder == "officer@31"
    theirs = await competent.caller.get(number, "officer", authority=FUND)
    assert {"pre_check", "request_correction", "refuse"} <= set(theirs.verbs)
