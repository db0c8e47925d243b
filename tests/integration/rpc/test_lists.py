"""Lists by filter, page by page."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from grpc import StatusCode

from nodes.cases.case import State
from tests.integration.rpc.faces import Served, actor, known, refusal
from tongban.v1 import case_pb2, command_pb2
from tongban.v1 import case_service_pb2 as pb

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def listed(node: Served, limit: int = 0, cursor: str = "", role: str = "window", **wanted: Any) -> Any:
    ask = pb.ListRequest(
        filter=pb.CaseFilter(**wanted), limit=limit, cursor=cursor, actor=actor(role, node.caller.region)
    )
    return await node.caller.cases.List(ask)


async def test_pages_follow_each_other_without_gap_or_doubling(origin: Served) -> None:
    filed = [await origin.caller.file() for _ in range(23)]
    seen: list[str] = []
    cursor, pages = "", 0
    while True:
        page = await listed(origin, 5, cursor)
        seen += [line.case_number for line in page.cases]
        pages += 1
        cursor = page.next_cursor
        if not cursor:
            break
        await origin.caller.file()  # what comes in meanwhile is newer: it disturbs no page
    assert len(seen) == len(set(seen))
    assert [n for n in seen if n in filed] == filed[::-1]
    assert pages >= 5


async def test_a_filter_finds_what_it_names_and_nothing_else(origin: Served, competent: Served) -> None:
    number = await origin.caller.file()
    other = await origin.caller.file()
    await known(competent, number, State.FILED)
    await competent.caller.act(number, authority="fund_centre-310000", pre_check=command_pb2.PreCheck())
    await known(origin, number, State.PRE_CHECKED)
    by_state = await listed(origin, 200, states=[case_pb2.CASE_STATE_PRE_CHECKED])
    assert [x.case_number for x in by_state.cases] == [number]
    line = by_state.cases[0]
    assert (line.origin, line.competent, line.owner, line.matter) == ("32", "31", "31", "HF-003")
    assert line.state == case_pb2.CASE_STATE_PRE_CHECKED
    assert line.light == case_pb2.LIGHT_GREEN
    assert line.due_at.seconds > line.filed_at.seconds
    both = await listed(
        origin, 200, states=[case_pb2.CASE_STATE_PRE_CHECKED, case_pb2.CASE_STATE_FILED], open=True
    )
    assert {number, other} <= {x.case_number for x in both.cases}
    for nothing in ({"matter": "HF-001"}, {"owner": "33"}, {"lead": "x"}, {"light": case_pb2.LIGHT_RED}):
        assert not (await listed(origin, **nothing)).cases
    named = await listed(origin, case_numbers=[other, "9" * 26, number], states=[case_pb2.CASE_STATE_FILED])
    assert [x.case_number for x in named.cases] == [other]


async def test_an_applicant_sees_the_cases_that_he_can_name(origin: Served) -> None:
    number = await origin.caller.file()
    found = await listed(origin, role="applicant", case_numbers=[number])
    assert [x.case_number for x in found.cases] == [number]
    status, fault = await refusal(listed(origin, role="applicant"))
    assert (status, fault.code) == (StatusCode.PERMISSION_DENIED, "FILTER_NEEDED")
    assert [w.field for w in fault.wrong] == ["filter.case_numbers"]


@pytest.mark.parametrize(
    "cursor",
    ["x", "", " ", "!!!!", base64.urlsafe_b64encode(b"2026-01-01 1").decode(), "三", "A" * 5000,
     base64.urlsafe_b64encode(b"2026-01-01T00:00:00+08:00 ';--").decode()],
)  # fmt: skip
async def test_a_cursor_that_was_never_given(origin: Served, cursor: str) -> None:
    if not cursor:
        return
    status, fault = await refusal(listed(origin, cursor=cursor))
    assert (status, fault.code) == (StatusCode.INVALID_ARGUMENT, "CURSOR")
    assert [w.field for w in fault.wrong] == ["cursor"]


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"matter": "x" * 65}, "filter.matter"),
        ({"authority": "a\x00b"}, "filter.authority"),
        ({"case_numbers": ["x"] * 201}, "filter.case_numbers"),
        ({"case_numbers": ["三"]}, "filter.case_numbers"),
        ({"states": [99]}, "filter.states"),
        ({"light": 99}, "filter.light"),
    ],
)
async def test_a_wrong_filter_names_its_field(origin: Served, wanted: dict[str, Any], field: str) -> None:
    status, fault = await refusal(listed(origin, **wanted))
    assert (status, [w.field for w in fault.wrong]) == (StatusCode.INVALID_ARGUMENT, [field])


async def test_a_page_has_at_most_two_hundred_lines(origin: Served) -> None:
    assert len((await listed(origin, 4_000_000_000)).cases) <= 200
