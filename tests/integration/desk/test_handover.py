"""A competent region that does not take a case: the ownership returns, and somebody decides what then."""

from __future__ import annotations

from pathlib import Path

import pytest

from nodes.cases.case import Case, Role, State
from nodes.cases.commands import HandOver, PreCheck, Refuse
from nodes.cases.filing import Delivery
from nodes.desk import routing
from tests.integration.desk.federation import Node, federation, filing
from tests.integration.operations.console import consoles
from tests.integration.operations.test_traces import connected
from tongban.v1 import errors_pb2


def takes_nothing(node: Node) -> None:
    """As a region whose own facts name another authority."""
    object.__setattr__(node.parts.context, "refuse_handover", lambda _: routing.NOT_COMPETENT)


def takes_what_is_its_own(node: Node) -> None:
    object.__setattr__(node.parts.context, "refuse_handover", routing.refusal_of(node.region))


async def spent(origin: Node, number: str) -> Case:
    """The case once it was given back."""
    return await origin.until(number, lambda c: bool(c.spent_handovers))


async def test_a_rejected_handover_returns_the_case_and_an_operator_refuses_it(tmp_path: Path) -> None:
    async with federation(tmp_path, "32", "31") as (origin, competent):
        takes_nothing(competent)
        console, _ = consoles(origin, competent)
        number = await origin.filed(filing())
        back = await spent(origin, number)
        assert (back.owner, back.epoch, back.competent, back.state) == ("32", 3, "", State.FILED)
        assert not back.awaiting_receipt
        assert "given back" in origin.parts.automatic.problem
        await competent.until(number, lambda c: c.owner == "32")

        again = HandOver("31", back.authority, back.spent_handovers[0])
        answer = await origin.act(number, again, Role.OPERATOR)
        assert answer.refused
        assert errors_pb2.ErrorDetail.FromString(answer.body).code == "HANDOVER_SPENT"

        refuse = Refuse("not_competent", "本机关不予受理", "请向公积金缴存地中心申请")
        await origin.applied(number, refuse, Role.OPERATOR)
        assert (await origin.until(number, lambda c: not c.open)).state is State.REFUSED
        assert origin.parts.automatic.problem == ""
        assert {span.region for span in await connected(console, number)} == {"31", "32"}


async def test_an_operator_hands_a_case_that_was_given_back_to_another_region(tmp_path: Path) -> None:
    async with federation(tmp_path, "32", "31", "33") as (origin, one, other):
        takes_nothing(one)
        number = await origin.filed(filing())
        back = await spent(origin, number)
        await origin.applied(number, HandOver("33", "fund_centre-330100", "by-hand"), Role.OPERATOR)
        theirs = await other.until(number, lambda c: c.owner == "33" and not c.awaiting_receipt)
        assert theirs.epoch == back.epoch + 1
        ours = await origin.until(number, lambda c: c.owner == "33" and not c.awaiting_receipt)
        assert ours == theirs
        await other.settle(number)
        await origin.until(number, lambda c: c.state is State.CLOSED)


async def test_the_origin_routes_anew_when_its_facts_have_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routing, "route", lambda _: ("33", "fund_centre-330100"))
    async with federation(tmp_path, "32", "31", "33") as (origin, one, other):
        takes_nothing(one)
        number = await origin.filed(filing())
        await other.until(number, lambda c: c.owner == "33" and not c.awaiting_receipt)
        ours = await origin.until(number, lambda c: c.owner == "33" and not c.awaiting_receipt)
        assert len(ours.spent_handovers) == 1
        assert origin.parts.automatic.problem == ""


async def test_a_region_takes_what_its_own_facts_give_it(tmp_path: Path) -> None:
    places = (("transfer_out", "310000"), ("transfer_in", "330100"))
    async with federation(tmp_path, "32", "31", "33") as (origin, one, other):
        takes_what_is_its_own(one)
        takes_what_is_its_own(other)
        number = await origin.filed(filing())
        await one.until(number, lambda c: not c.awaiting_receipt)
        lead = await origin.filed(filing("TV-008", places=places, delivery=Delivery("pickup")))
        await origin.applied(lead, PreCheck(), Role.WINDOW)
        case = await origin.until(lead, lambda c: all(p.case_number for p in c.parts))
        for part, node in zip(case.parts, (one, other), strict=True):
            await node.until(part.case_number, lambda c: not c.awaiting_receipt and not c.spent_handovers)


async def test_a_region_gives_back_what_its_own_facts_give_to_another(tmp_path: Path) -> None:
    async with federation(tmp_path, "32", "31") as (origin, competent):
        number = await origin.filed(filing())
        case = await competent.until(number, lambda c: not c.awaiting_receipt)
        assert routing.refusal_of("31")(case) == ""
        assert routing.refusal_of("33")(case) == routing.NOT_COMPETENT
        assert routing.route(case.filing) == ("31", case.authority)
