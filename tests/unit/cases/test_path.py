"""The plain path: filed in one region, decided in another, delivered, closed, rated."""

import pytest

from nodes.cases import commands as c
from nodes.cases import machine
from nodes.cases.case import Actor, ClockKind, Rating, State
from nodes.cases.errors import CaseError
from tests.unit.cases.world import COMPETENT, GRANT, ORIGIN, A, Desk, O, S, at, filed, filing, names


def reviewed(desk: Desk) -> Desk:
    desk.do(c.PreCheck(), O)
    desk.do(c.Accept(), O)
    desk.do(c.StartReview(), O)
    for _ in range(3):
        desk.do(c.FinishStep("passed"), O)
    return desk


def test_the_whole_path_of_a_case_filed_elsewhere() -> None:
    desk = reviewed(filed())
    desk.do(GRANT, O)
    desk.do(c.ConfirmDelivery("applicant"), S)
    desk.do(c.Close(), S)
    desk.do(c.Rate(Rating("competent", 5)), A)
    assert names(desk.history) == [
        *("Filed", "HandedOver", "Received", "PreChecked", "Accepted", "ReviewStarted"),
        *("StepFinished", "StepFinished", "StepFinished", "Decided", "Delivered", "Closed", "Rated"),
    ]
    assert desk.it.state is State.RATED
    assert [e.version for e in desk.history] == list(range(1, 14))
    assert [e.epoch for e in desk.history] == [1, 1, *[2] * 11]
    assert [e.author for e in desk.history[:3]] == [ORIGIN, ORIGIN, COMPETENT]
    assert all(k.ended_at is not None for k in desk.it.clocks)


def test_a_case_decided_where_it_is_filed_takes_the_same_path_in_one_go() -> None:
    desk = Desk(at("2026-03-02"))
    events = desk.do(c.File(filing(competent=ORIGIN), "h1"), A)
    assert names(events) == ["Filed", "HandedOver", "Received"]
    assert (desk.it.owner, desk.it.epoch, desk.it.awaiting_receipt) == (ORIGIN, 2, False)
    assert reviewed(desk).it.state is State.IN_REVIEW


def test_folding_the_events_gives_the_case() -> None:
    desk = reviewed(filed())
    case = None
    for event in desk.history:
        case = machine.evolve(case, event)
    assert case == desk.it


def test_notice_from_the_day_of_receipt_and_decision_from_the_next_working_day() -> None:
    desk = filed(when="2026-09-24")
    notice = desk.it.clock(ClockKind.NOTICE)
    assert notice is not None
    assert notice.due_at == at("2026-10-10", 0)  # the last day is 2026-10-09, to 24:00
    desk.do(c.PreCheck(), O)
    desk.do(c.Accept(), O)
    decision = desk.it.clock(ClockKind.DECISION)
    assert decision is not None
    assert decision.limit.basis_zh == "行政许可法第四十二条"
    assert desk.it.clocks[0].ended_at == desk.now


def test_only_the_owner_decides() -> None:
    desk = filed()
    actor = Actor(O, ORIGIN, "x", desk.it.authority)
    with pytest.raises(CaseError) as refused:
        machine.decide(desk.it, c.PreCheck(), actor, desk.now, desk.calendar, region=ORIGIN)
    assert refused.value.code == "NOT_OWNER"
