"""The operator's calls on a node with rubbish in its inbox."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any

import pytest
from grpc import StatusCode

from broker.bus import Message, TopicMissing
from broker.topics import inbox
from nodes.cases.case import State
from tests.integration.rpc.faces import MARKER, Served, actor, code_of, known, new_id, refusal, request
from tongban.v1 import operator_service_pb2 as pb

pytestmark = pytest.mark.asyncio(loop_scope="module")
WHO = actor("operator", id="op-1")


async def dead(node: Served, count: int) -> list[pb.DeadLetter]:
    """The letters that lie there, once there are so many."""
    async with asyncio.timeout(15):
        while True:
            found = await node.caller.operator.ListDead(pb.ListDeadRequest(actor=WHO, limit=200))
            if len(found.letters) >= count:
                return list(found.letters)
            await asyncio.sleep(0.01)


async def rubbish(node: Served, body: bytes) -> pb.DeadLetter:
    there = {letter.id for letter in await dead(node, 0)}
    message = Message(inbox("32"), b"key", body, (("content-type", b"x\x00\xff"), ("note", MARKER.encode())))
    async with asyncio.timeout(15):
        while True:
            try:
                await node.parts.bus.publish([message])
                break
            except TopicMissing:  # it is being made
                await asyncio.sleep(0.01)
    return next(x for x in await dead(node, len(there) + 1) if x.id not in there)


async def test_what_cannot_be_read_is_listed_and_shown_without_its_content(origin: Served) -> None:
    letter = await rubbish(origin, MARKER.encode())
    assert (letter.reason, letter.state, letter.case_number) == ("BAD_ENVELOPE", "parked", "")
    assert letter.topic == inbox("32")
    assert letter.parked_at.seconds > 0
    shown = await origin.caller.operator.ShowDead(pb.ShowDeadRequest(actor=WHO, id=letter.id))
    assert shown.letter == letter
    assert (shown.size, shown.sha256) == (
        len(MARKER.encode()), hashlib.sha256(MARKER.encode()).digest(),
    )  # fmt: skip
    assert shown.headers["note"] == "?" * len(MARKER)
    assert MARKER not in str(shown)


async def test_letters_come_page_by_page(origin: Served) -> None:
    for body in (b"1", b"2", b"3"):
        await rubbish(origin, body)
    seen: list[str] = []
    cursor = ""
    while True:
        page = await origin.caller.operator.ListDead(pb.ListDeadRequest(actor=WHO, limit=2, cursor=cursor))
        seen += [letter.id for letter in page.letters]
        cursor = page.next_cursor
        if not cursor:
            break
    assert len(seen) == len(set(seen)) >= 3
    assert seen == sorted(seen, reverse=True)
    _, fault = await refusal(origin.caller.operator.ListDead(pb.ListDeadRequest(actor=WHO, cursor="x")))
    assert (fault.code, fault.wrong[0].field) == ("CURSOR", "cursor")


async def test_tried_again_it_says_why_it_failed_again_and_always_the_same(origin: Served) -> None:
    letter = await rubbish(origin, b"again")
    ask = pb.ReplayDeadRequest(actor=WHO, id=letter.id, request_id=new_id())
    first = await origin.caller.operator.ReplayDead(ask)
    assert first.state == "parked"
    assert first.detail
    assert await origin.caller.operator.ReplayDead(ask) == first
    other = await rubbish(origin, b"another")
    ask.id = other.id
    assert await code_of(origin.caller.operator.ReplayDead(ask)) == "REQUEST_ID_REUSED"


async def test_dropped_it_is_gone_from_the_list_and_kept_in_the_record(origin: Served) -> None:
    letter = await rubbish(origin, b"drop")
    without = pb.DropDeadRequest(actor=WHO, id=letter.id, request_id=new_id())
    status, fault = await refusal(origin.caller.operator.DropDead(without))
    assert (status, [w.field for w in fault.wrong]) == (StatusCode.INVALID_ARGUMENT, ["reason"])
    ask = pb.DropDeadRequest(actor=WHO, id=letter.id, request_id=new_id(), reason="rubbish")
    answer = await origin.caller.operator.DropDead(ask)
    assert not answer.resync
    assert await origin.caller.operator.DropDead(ask) == answer
    assert letter.id not in {x.id for x in await dead(origin, 0)}
    settled = await origin.caller.operator.ListDead(
        pb.ListDeadRequest(actor=WHO, limit=200, with_settled=True)
    )
    assert {x.id: x.state for x in settled.letters}[letter.id] == "dropped"
    ask.request_id = new_id()
    assert await code_of(origin.caller.operator.DropDead(ask)) == "LETTER_SETTLED"


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"id": ""}, "id", "MISSING"),
        ({"id": "x" * 65}, "id", "MALFORMED"),
        ({"id": "三"}, "id", "MALFORMED"),
        ({"id": "nothing"}, "id", "NO_SUCH_LETTER"),
        ({"request_id": ""}, "request_id", "MISSING"),
        ({"request_id": "x" * 65}, "request_id", "MALFORMED"),
        ({"reason": "x" * 401}, "reason", "MALFORMED"),
        ({"reason": "a\u202eb"}, "reason", "MALFORMED"),
    ],
)
async def test_a_wrong_call_names_its_field(
    origin: Served, change: dict[str, str], field: str, code: str
) -> None:
    said: dict[str, Any] = {"id": "nothing", "request_id": new_id(), "reason": "why"}
    ask = pb.DropDeadRequest(actor=WHO, **{**said, **change})
    _, fault = await refusal(origin.caller.operator.DropDead(ask))
    assert (fault.code, [w.field for w in fault.wrong]) == (code, [field])


async def test_a_letter_that_there_is_not(origin: Served) -> None:
    status, fault = await refusal(
        origin.caller.operator.ShowDead(pb.ShowDeadRequest(actor=WHO, id="nothing"))
    )
    assert (status, fault.code) == (StatusCode.NOT_FOUND, "NO_SUCH_LETTER")


async def test_lanes_and_health(origin: Served, competent: Served) -> None:
    lanes = await origin.caller.operator.Lanes(pb.LanesRequest(actor=WHO))
    assert [lane.lane for lane in lanes.lanes] == list(range(origin.parts.config.lanes))
    health = await origin.caller.operator.Health(pb.HealthRequest(actor=WHO))
    assert (health.region, health.version) == ("32", "test")
    parts = {part.name: part for part in health.parts}
    assert {"database", "bus", "inbox"} <= parts.keys()
    assert parts["database"].state == "up"
    assert health.business_now.seconds > 0
    anywhere = await competent.caller.operator.Health(pb.HealthRequest(actor=actor("operator", region="")))
    assert anywhere.region == "31"


async def test_a_trace_over_both_regions(origin: Served, competent: Served) -> None:
    number = await origin.caller.file()
    await known(competent, number, State.FILED)
    await known(origin, number, State.FILED)
    trace = await origin.caller.operator.Trace(pb.TraceRequest(actor=WHO, case_number=number))
    assert {span.region for span in trace.spans} == {"31", "32"}
    assert not trace.missing
    assert len({span.trace_id for span in trace.spans}) == 1
    assert MARKER not in str(trace)
    status, fault = await refusal(
        origin.caller.operator.Trace(pb.TraceRequest(actor=WHO, case_number="9" * 26))
    )
    assert (status, fault.code) == (StatusCode.NOT_FOUND, "NO_SUCH_CASE")


async def test_a_caller_s_trace_becomes_a_link_and_never_the_case_s_own(origin: Served) -> None:
    caller = "00-" + "ab" * 16 + "-" + "cd" * 8 + "-01"
    answer = await origin.caller.cases.File(request(), metadata=(("traceparent", caller),))
    trace = await origin.caller.operator.Trace(pb.TraceRequest(actor=WHO, case_number=answer.case_number))
    root = next(span for span in trace.spans if span.name == "tongban.v1.CaseService/File")
    assert root.trace_id.hex() != "ab" * 16
    assert not root.parent_span_id
    assert [(x.trace_id.hex(), x.span_id.hex(), x.kind) for x in root.links] == [
        ("ab" * 16, "cd" * 8, "caller")
    ]
    for forged in ("x", "00-" + "0" * 32 + "-" + "0" * 16 + "-01", "y" * 500):
        assert await origin.caller.cases.File(request(), metadata=(("traceparent", forged),))
