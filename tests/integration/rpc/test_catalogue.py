"""The catalogue: what there is, who decides it, what must be asked first."""

from __future__ import annotations

from typing import Any

import pytest
from grpc import StatusCode

from tests.integration.rpc.faces import Served, refusal
from tongban.v1 import case_pb2
from tongban.v1 import catalogue_service_pb2 as pb
from tongban.v1.case_service_pb2 import PlaceFacts

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def listed(node: Served, **wanted: Any) -> list[pb.Matter]:
    answer = await node.caller.catalogue.List(pb.CatalogueServiceListRequest(**wanted))
    return list(answer.matters)


async def explained(node: Served, **wanted: Any) -> pb.ExplainResponse:
    said: dict[str, Any] = {"matter": "HF-003", "origin_area": "320100"}
    answer: pb.ExplainResponse = await node.caller.catalogue.Explain(pb.ExplainRequest(**{**said, **wanted}))
    return answer


async def test_the_enabled_matters_and_all_of_them(origin: Served) -> None:
    enabled = await listed(origin)
    every = await listed(origin, with_disabled=True)
    assert len(enabled) == 126
    assert all(matter.enabled for matter in enabled)
    assert len(every) > len(enabled)
    assert [m.code for m in every] == sorted(m.code for m in every)
    assert all(m.name_zh and m.name_en and m.department_zh for m in enabled)


async def test_filters_of_the_list(origin: Served) -> None:
    funds = await listed(origin, domain="housing_fund")
    assert funds
    assert {m.domain for m in funds} == {"housing_fund"}
    joint = await listed(origin, mode=case_pb2.HANDLING_MODE_JOINT)
    assert joint
    assert {m.mode for m in joint} == {case_pb2.HANDLING_MODE_JOINT}
    assert "HF-003" in {m.code for m in await listed(origin, text=" hf-003 ")}
    assert not await listed(origin, text="no matter has this text")
    status, fault = await refusal(listed(origin, text="x" * 101))
    assert (status, fault.wrong[0].field) == (StatusCode.INVALID_ARGUMENT, "text")


async def test_who_decides_how_long_and_why(origin: Served) -> None:
    found = await explained(origin, places=PlaceFacts(fund_centre="310000"))
    (who,) = found.competences
    assert (who.region, who.authority, who.part) == ("31", "fund_centre-310000", 0)
    assert who.reasons_zh
    assert who.reasons_en
    assert found.terms.decision.value > 0
    assert found.text_zh
    assert found.text_en
    assert not found.choices


async def test_what_must_be_asked_first(origin: Served) -> None:
    found = await explained(origin)
    assert not found.competences
    (choice,) = found.choices
    assert choice.field == "fund_centre"
    assert choice.question_zh
    assert choice.question_en


@pytest.mark.parametrize(
    ("wanted", "field", "code"),
    [
        ({"matter": ""}, "matter", "MISSING"),
        ({"matter": "NO-1"}, "matter", "UNKNOWN_MATTER"),
        ({"origin_area": ""}, "origin_area", "MISSING"),
        ({"origin_area": "x"}, "origin_area", "MALFORMED_CODE"),
        ({"origin_area": "110000"}, "origin_area", "OUTSIDE_FEDERATION"),
        ({"places": PlaceFacts(fund_centre="31")}, "places.fund_centre", "MALFORMED_CODE"),
        ({"places": PlaceFacts(fund_centre="319999")}, "places.fund_centre", "UNKNOWN_CODE"),
        ({"places": PlaceFacts(household="x" * 30)}, "places.household", "MALFORMED"),
    ],
)
async def test_a_wrong_question_names_its_field(
    origin: Served, wanted: dict[str, Any], field: str, code: str
) -> None:
    _, fault = await refusal(explained(origin, **wanted))
    assert (fault.code, [w.field for w in fault.wrong]) == (code, [field])
