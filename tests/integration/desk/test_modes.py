"""The three modes over real nodes: who owns when, what is asked, how a joint case comes together."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from nodes.business_time import BusinessClock
from nodes.cases.case import Case, Custody, Defect, Rating, Role, Shipment, State
from nodes.cases.commands import (
    Accept,
    AcceptWithLack,
    ConfirmDelivery,
    Correct,
    Dispatch,
    PreCheck,
    Rate,
    RequestCorrection,
    ReturnOriginal,
    ShipmentArrived,
    StartReview,
    SupplyLack,
    TakeCustody,
    Withdraw,
)
from nodes.cases.filing import Delivery
from tests.integration.desk.federation import Node, federation, filing, material
from tongban.v1 import case_service_pb2, errors_pb2


async def asked(node: Node, number: str, command: object, role: Role = Role.APPLICANT) -> str:
    """Ask the owner through the applicant's own node; the id of the ask."""
    answer = await node.act(number, command, role)  # type: ignore[arg-type]
    assert not answer.refused, answer.body
    response = case_service_pb2.ActResponse.FromString(answer.body)
    assert response.WhichOneof("outcome") == "requested_ask_id"
    return str(response.requested_ask_id)


def refusal(body: bytes) -> str:
    return str(errors_pb2.ErrorDetail.FromString(body).code)


async def test_correction_is_asked_through_the_origin(tmp_path: Path) -> None:
    async with federation(tmp_path, "32", "31") as (origin, competent):
        number = await origin.filed(filing(materials=(material("application_form"),)))
        await competent.until(number, lambda c: not c.awaiting_receipt)
        await competent.applied(number, RequestCorrection((Defect("id_card", "missing"),)))
        await origin.until(number, lambda c: c.state is State.CORRECTION)
        ask = await asked(origin, number, Correct((material("id_card", "b"),)))
        await competent.until(number, lambda c: c.state is State.CORRECTED)
        await origin.until(number, lambda c: c.state is State.CORRECTED)
        view = await origin.parts.reader.get(number)
        assert view is not None
        assert [(a.ask_id, a.state) for a in view.asks] == [(ask, "applied")]


async def test_a_withdrawal_too_late_is_refused_and_the_asker_told(tmp_path: Path) -> None:
    async with federation(tmp_path, "32", "31") as (origin, competent):
        number = await origin.filed(filing(delivery=Delivery("pickup")))
        await competent.until(number, lambda c: not c.awaiting_receipt)
        await competent.settle(number)
        await asked(origin, number, Withdraw("changed my mind"))

        async def told() -> list[tuple[str, str]]:
            view = await origin.parts.reader.get(number)
            assert view is not None
            return [(a.state, a.refusal_code) for a in view.asks]

        await competent.until(number, lambda c: c.state is State.DECIDED)
        await origin.until(number, lambda c: c.state is State.DECIDED)
        await origin.eventually(told, [("refused", "NOT_IN_TABLE")])


async def test_collected_on_behalf_with_originals_and_both_shipments(tmp_path: Path) -> None:
    new = filing(
        "DP-001",
        channel="window",
        places=(("household", "330106"),),
        delivery=Delivery("pickup"),
    )
    async with federation(tmp_path, "32", "33") as (origin, competent):
        number = await origin.filed(new, role=Role.WINDOW)
        assert (await origin.until(number, lambda c: c.state is State.FILED)).owner == "32"
        now = origin.parts.context.now()
        listed = (await origin.until(number, lambda _: True)).filing.terms.materials[0].code
        await origin.applied(number, TakeCustody(Custody(listed, "32", "window-1", now)), Role.WINDOW)
        await origin.applied(number, PreCheck(), Role.WINDOW)
        await competent.until(number, lambda c: c.owner == "33" and not c.awaiting_receipt)
        await origin.until(number, lambda c: c.owner == "33")
        await competent.applied(number, Accept())
        await competent.settle_from_accepted(number)
        sent = Shipment("s1", "outward", "EMS", "W1", competent.parts.context.now(), ("result",))
        await competent.applied(number, Dispatch(sent))
        await origin.until(number, lambda c: c.state is State.DELIVERING)
        await asked(origin, number, ShipmentArrived("s1", origin.parts.context.now()), Role.WINDOW)
        await asked(origin, number, ConfirmDelivery("applicant"), Role.WINDOW)
        await competent.until(number, lambda c: c.state is State.DELIVERED)
        await asked(origin, number, ReturnOriginal(listed, origin.parts.context.now()), Role.WINDOW)
        closed = await origin.until(number, lambda c: c.state is State.CLOSED)
        assert closed.custody[0].returned_at is not None
        await asked(origin, number, Rate(Rating("origin", 5)))
        await asked(origin, number, Rate(Rating("competent", 2)))
        rated = await competent.until(number, lambda c: len(c.ratings) == 2)
        assert {r.target: r.stars for r in rated.ratings} == {"origin": 5, "competent": 2}


async def settle_parts(nodes: dict[str, Node], lead: str, origin: Node, *, denied: frozenset[int]) -> Case:
    """Officers decide each part as it turns up; the lead as it ends."""
    done: set[str] = set()
    while True:
        case = await origin.until(lead, lambda c: True)
        if not case.open:
            return case
        waiting = [p for p in case.parts if p.case_number and p.case_number not in done and not p.result]
        for part in waiting:
            node = nodes[part.region]
            await node.until(part.case_number, lambda c: not c.awaiting_receipt)
            await node.settle(part.case_number, granted=part.index not in denied)
            done.add(part.case_number)
        if not waiting:
            version = case.version

            def moved(c: Case, before: int = version) -> bool:
                return c.version > before or not c.open

            await origin.until(lead, moved)


async def open_lead(origin: Node, new: object) -> str:
    lead = await origin.filed(new)  # type: ignore[arg-type]
    await origin.applied(lead, PreCheck(), Role.WINDOW)
    return lead


@pytest.mark.parametrize("denied", [frozenset[int](), frozenset({2})])
async def test_all_or_none_joins_or_lapses(tmp_path: Path, denied: frozenset[int]) -> None:
    places = (("transfer_out", "310000"), ("transfer_in", "330100"))
    async with federation(tmp_path, "32", "31", "33") as (origin, one, other):
        nodes = {"32": origin, "31": one, "33": other}
        lead = await open_lead(origin, filing("TV-008", places=places))
        ended = await settle_parts(nodes, lead, origin, denied=denied)
        assert ended.decision is not None
        assert ended.decision.granted is not bool(denied)
        for part in ended.parts:
            case = await nodes[part.region].until(part.case_number, lambda c: not c.open)
            assert case.joined is (not denied)


async def test_ordered_files_each_part_on_the_result_of_the_one_before(tmp_path: Path) -> None:
    places = (("move_in", "310115"), ("household", "340104"))
    async with federation(tmp_path, "32", "31", "34") as (origin, one, other):
        nodes = {"32": origin, "31": one, "34": other}
        lead = await open_lead(origin, filing("PS-005", places=places))
        ended = await settle_parts(nodes, lead, origin, denied=frozenset())
        assert [p.result for p in ended.parts] == ["granted"] * 3
        starts = [
            (await nodes[p.region].until(p.case_number, lambda _: True)).filing.filed_at for p in ended.parts
        ]
        assert starts == sorted(starts)


async def test_a_lack_is_supplied_through_the_origin(tmp_path: Path) -> None:
    new = filing("SS-015", places=(("household", "330106"),), materials=(material("id_card"),))
    async with federation(tmp_path, "32", "33") as (origin, competent):
        number = await origin.filed(new)
        await competent.until(number, lambda c: not c.awaiting_receipt)
        await competent.applied(number, PreCheck())
        await competent.applied(number, AcceptWithLack(("application_form",)))
        await origin.until(number, lambda c: c.state is State.ACCEPTED_WITH_LACK)
        await asked(origin, number, SupplyLack((material("application_form", "c"),)))
        await competent.until(number, lambda c: c.state is State.ACCEPTED and not c.lacks)
        await competent.applied(number, StartReview())


async def test_a_late_notice_counts_as_accepted_and_both_sides_see_it(tmp_path: Path) -> None:
    start = BusinessClock().now()
    clock = BusinessClock(start, start.timestamp(), rate=86_400.0)
    async with federation(tmp_path, "32", "31", clock=clock) as (origin, competent):
        number = await origin.filed(filing())
        deemed = await origin.until(number, lambda c: c.deemed == "acceptance", timeout_s=30)
        assert deemed.state is State.ACCEPTED
        assert deemed.light.value == "red"
        assert await competent.case(number) is not None
        assert deemed.accepted_at is not None
        assert deemed.accepted_at - deemed.filing.filed_at < timedelta(days=30)


async def test_wrong_authority_is_told_where_to_go(tmp_path: Path) -> None:
    async with federation(tmp_path, "32") as (origin,):
        answer = await origin.file(replace(filing(), authority="housing_fund-330100"))
        assert answer.refused
        detail = errors_pb2.ErrorDetail.FromString(answer.body)
        assert detail.fields[0].field in ("filing.authority", "filing.places.authority")
