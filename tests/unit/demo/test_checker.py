"""The check: it says nothing when all is as expected, and names each thing that is not."""

from dataclasses import replace
from typing import Any

import pytest

from nodes.demo.calls import Refusal
from nodes.demo.checker import Difference, check
from nodes.demo.people import Place
from nodes.demo.play import Played
from tests.unit.demo.stage import DUE, NUMBER, entry, line, place, said
from tongban.v1 import case_pb2
from tongban.v1.case_service_pb2 import FileResponse, GetResponse
from tongban.v1.errors_pb2 import ErrorDetail, FieldError

EXPECT: dict[str, Any] = {
    "outcome": "filed", "competent": "31", "authority": "household-310100", "state": "closed",
    "granted": True, "decision_due": "2026-09-21T17:30+08:00", "notice_due": "2026-09-21T17:30+08:00",
    "lights": {"decision": "yellow", "notice": "green"}, "light": "yellow",
}  # fmt: skip
REFUSED: dict[str, Any] = {
    "outcome": "refused",
    "refusal": {"code": "BAD_VALUE", "fields": [{"field": "filing.consent", "code": "MISSING"}]},
}


def case() -> case_pb2.Case:
    found = case_pb2.Case(
        owner="31", state=case_pb2.CASE_STATE_CLOSED, authority="household-310100",
        light=case_pb2.LIGHT_YELLOW, version=12,
    )  # fmt: skip
    found.decision.granted = True
    notice = found.clocks.add(kind=case_pb2.CLOCK_KIND_NOTICE, light=case_pb2.LIGHT_GREEN)
    notice.due_at.FromDatetime(DUE)
    decision = found.clocks.add(kind=case_pb2.CLOCK_KIND_DECISION, light=case_pb2.LIGHT_YELLOW)
    decision.due_at.FromDatetime(DUE)
    return found


def played(expect: dict[str, Any] | None = None) -> Played:
    filed = FileResponse(case_number=NUMBER, competent="31")
    filed.notice_due.FromDatetime(DUE)
    return Played(line(expect=EXPECT if expect is None else expect), number=NUMBER, filed=filed)


@pytest.fixture
def places() -> dict[str, Place]:
    made = {region: place(region) for region in ("31", "32")}
    for region, where in made.items():
        where.docket.entries[NUMBER] = entry()
        said(where).found[NUMBER] = GetResponse(case=case(), owned=region == "31")
    return made


async def differences(places: dict[str, Place], *items: Played) -> list[Difference]:
    return (await check(places, items, patience_s=0.0)).differences


async def test_what_is_as_expected_differs_in_nothing(places: dict[str, Place]) -> None:
    found = await check(places, [played()], patience_s=0.0)
    assert found.differences == []
    assert found.cases == 1


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("competent", "33"),
        ("notice_due", "2026-09-22T17:30+08:00"),
        ("authority", "household-310200"),
        ("state", "withdrawn"),
        ("granted", False),
        ("decision_due", "2026-09-22T17:30+08:00"),
        ("lights", {"decision": "red", "notice": "green"}),
        ("light", "red"),
        ("rule", "fund"),
        ("reason", "not competent"),
        ("deemed", "acceptance"),
        ("ratings", {"origin": 5}),
        ("reused", ["id_card"]),
        ("warnings", ["AREA_UNKNOWN"]),
    ],
)
async def test_each_expectation_is_held_against_what_came(
    places: dict[str, Place], field: str, wrong: Any
) -> None:
    found = await differences(places, played({**EXPECT, field: wrong}))
    assert {d.field for d in found} == {field}
    assert {d.line for d in found} == {"demo-0001"}
    assert found[0].expected == wrong


async def test_a_race_may_end_either_way(places: dict[str, Place]) -> None:
    expect = {**EXPECT, "state": "withdrawn", "light": "green", "or": {"state": "closed", "light": "yellow"}}
    assert await differences(places, played(expect)) == []


async def test_a_mirror_that_says_otherwise_is_named(places: dict[str, Place]) -> None:
    said(places["32"]).found[NUMBER].case.light = case_pb2.LIGHT_RED
    found = await differences(places, played())
    assert [(d.field, d.found, d.region) for d in found] == [("light", "red", "32")]


async def test_a_mirror_left_behind_is_named(places: dict[str, Place]) -> None:
    places["32"].docket.entries[NUMBER] = entry(version=11)
    found = await differences(places, played())
    assert [(d.field, d.expected, d.found, d.region) for d in found] == [
        ("mirror", (12, "closed"), (11, "closed"), "32")
    ]


async def test_a_case_that_was_handed_over_and_never_received_is_named(places: dict[str, Place]) -> None:
    places["31"].docket.entries[NUMBER] = entry(awaiting=True)
    assert [d.field for d in await differences(places, played())] == ["handover"]


async def test_a_case_that_no_node_has_is_lost(places: dict[str, Place]) -> None:
    for where in places.values():
        where.docket.entries.clear()
    found = await differences(places, played())
    assert [(d.field, d.found) for d in found] == [("case", "lost")]


async def test_a_case_that_one_node_has_lost_is_named(places: dict[str, Place]) -> None:
    said(places["32"]).found.clear()
    found = await differences(places, played())
    assert [(d.field, d.found, d.region) for d in found] == [("case", "lost", "32")]


async def test_a_parked_copy_and_a_wrong_owner_are_named(places: dict[str, Place]) -> None:
    said(places["31"]).found[NUMBER].parked = True
    said(places["32"]).found[NUMBER].owned = True
    found = await differences(places, played())
    assert {(d.field, d.region) for d in found} == {("parked", "31"), ("owned", "32")}


async def test_a_case_that_nobody_filed_is_named(places: dict[str, Place]) -> None:
    places["31"].docket.entries["other"] = entry("other", parties=frozenset({"31"}))
    places["31"].docket.entries["part"] = entry("part", parties=frozenset({"31"}), lead=NUMBER, part=1)
    found = await differences(places, played())
    assert [(d.number, d.field, d.expected) for d in found] == [("other", "case", "none")]


@pytest.mark.parametrize(
    ("code", "field_code", "wrong"),
    [
        ("BAD_VALUE", "MISSING", set()),
        ("MALFORMED", "MISSING", {"refusal.code"}),
        ("BAD_VALUE", "UNKNOWN", {"refusal.fields"}),
    ],
)
async def test_a_refusal_has_its_code_and_its_fields(code: str, field_code: str, wrong: set[str]) -> None:
    detail = ErrorDetail(code=code, fields=[FieldError(field="filing.consent", code=field_code)])
    item = Played(line(expect=REFUSED), refused=Refusal(detail))
    assert {d.field for d in await differences({}, item)} == wrong


async def test_what_should_have_been_refused_and_was_filed_is_named(places: dict[str, Place]) -> None:
    assert [d.field for d in await differences(places, played(REFUSED))] == ["refusal"]


async def test_what_should_have_been_filed_and_was_refused_is_named() -> None:
    item = Played(line(expect=EXPECT), refused=Refusal(ErrorDetail(code="BAD_VALUE")))
    assert [(d.field, d.found) for d in await differences({}, item)] == [("filing", "BAD_VALUE")]


async def test_a_repeated_request_gets_the_first_answer(places: dict[str, Place]) -> None:
    first, again = played(), played({"outcome": "same_answer"})
    again.line = replace(again.line, again="same")
    assert await differences(places, first, again) == []
    again.filed = FileResponse(case_number="another")
    assert [d.field for d in await differences(places, first, again)] == ["answer"]


async def test_what_went_wrong_while_playing_is_told(places: dict[str, Place]) -> None:
    item = played()
    item.problems.append(("stuck", "the case did not come to where it was awaited"))
    assert [(d.line, d.field) for d in await differences(places, item)] == [("demo-0001", "stuck")]


async def test_parts_are_checked_by_their_place_and_result(places: dict[str, Place]) -> None:
    part = {**{k: EXPECT[k] for k in ("authority", "granted", "decision_due", "lights", "light", "state")}}
    lead = said(places["31"]).found[NUMBER].case
    lead.parts.add(index=1, case_number="part", result="granted")
    lead.parts.add(index=2, result="lapsed")
    for region, where in places.items():
        where.docket.entries["part"] = entry("part", lead=NUMBER, part=1)
        said(where).found["part"] = GetResponse(case=case(), owned=region == "31")
    expect = {
        **EXPECT,
        "parts": [{"index": 1, "result": "granted", **part}, {"index": 2, "result": "lapsed"}],
    }
    assert await differences(places, played(expect)) == []
    expect["parts"] = [
        {"index": 1, "result": "denied", **part, "light": "red"},
        {"index": 3, "result": "lapsed"},
    ]
    found = await differences(places, played(expect))
    assert {(d.field, d.number) for d in found} == {
        ("part 1", "part"), ("light", "part"), ("part 3", NUMBER)
    }  # fmt: skip
