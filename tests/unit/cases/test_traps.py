"""What goes wrong in practice, each a test that names it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from nodes.cases import commands as c
from nodes.cases import machine
from nodes.cases.case import Actor, Case, ClockKind, Custody, Kind, Light, Party, Rating, Role
from nodes.cases.errors import CaseError, Code
from nodes.cases.events import AcceptanceRevoked, LightChanged
from regions.calendar import work_calendar
from tests.unit.cases.standing import standing
from tests.unit.cases.world import (
    COMPETENT,
    HIGHER,
    ORIGIN,
    TERMS,
    A,
    C,
    Desk,
    F,
    O,
    P,
    S,
    W,
    at,
    defect,
    filed,
    filing,
    material,
    names,
    shipment,
)

LIST = c.RequestCorrection((defect("booklet"),))


def again(state: str, kind: Kind = F) -> Desk:
    desk = standing(state, kind)
    return Desk(desk.now, case=desk.it)


def refusal(desk: Desk, command: c.Command, role: Role, **how: Any) -> CaseError:
    with pytest.raises(CaseError) as refused:
        desk.do(command, role, **how)
    return refused.value


def test_late_notice_counts_as_accepted() -> None:
    desk = filed(F, "2026-03-02")
    desk.do(c.PreCheck(), O)
    error = refusal(desk, LIST, O, at=at("2026-03-10"))
    assert error.code is Code.NOTICE_LATE
    assert "from the day of receipt" in error.detail
    assert desk.state() == "accepted"
    assert desk.it.accepted_at == at("2026-03-02")
    decision = desk.it.clock(ClockKind.DECISION)
    assert decision is not None
    assert decision.started_at == at("2026-03-02")
    deemed = next(e for e in desk.history if type(e.body).__name__ == "AcceptanceDeemed")
    assert deemed.effective_at == at("2026-03-10T00:00")
    assert desk.it.light is Light.RED


def test_the_machine_refuses_late_even_when_no_timer_was_fired() -> None:
    desk = filed(F, "2026-03-02")
    desk.do(c.PreCheck(), O)
    error = refusal(desk, LIST, O, at=at("2026-03-10"), ready=False)
    assert error.code is Code.NOTICE_LATE


def test_the_last_day_is_still_in_time() -> None:
    desk = filed(F, "2026-03-02")
    desk.do(LIST, O, at=at("2026-03-09T23:59"))
    assert desk.state() == "correction"


def test_a_window_that_is_late_hands_the_accepted_case_over() -> None:
    desk = filed(C, "2026-03-02")
    events = desk.wait(at("2026-03-10"))
    assert names(events)[-2:] == ["AcceptanceDeemed", "HandedOver"]
    assert (desk.state(), desk.it.owner, desk.it.awaiting_receipt) == ("accepted", COMPETENT, True)


def test_the_filing_side_uses_the_handling_sides_list() -> None:
    desk = filed(C)
    error = refusal(desk, c.RequestCorrection((defect("local_form_7"),)), W)
    assert (error.code, error.field) == (Code.NOT_ON_GUIDE, "defects.0.code")
    desk.do(c.RequestCorrection((defect("passport"), defect("field:phone"))), W)
    assert desk.state() == "correction"


def test_the_window_never_decides() -> None:
    for state in ("filed", "pre_checked", "in_review"):
        for command in (c.Accept(), c.Refuse("x", "y")):
            assert refusal(again(state, C), command, W).code is Code.NOT_IN_TABLE


def test_the_same_filing_twice_is_one_case() -> None:
    desk = Desk(at("2026-03-02"))
    command = c.File(filing(F, desk.now), "h1")
    first = machine.decide(
        None, command, Actor(A, ORIGIN), desk.now, desk.calendar, caused_by="r1", region=ORIGIN
    )
    second = machine.decide(
        None, command, Actor(A, ORIGIN), desk.now, desk.calendar, caused_by="r1", region=ORIGIN
    )
    assert first == second
    desk.do(command, A)
    assert refusal(desk, command, A).code is Code.ALREADY_FILED


def test_a_deadline_across_spring_festival() -> None:
    desk = filed(F, "2026-02-13")
    notice = desk.it.clock(ClockKind.NOTICE)
    assert notice is not None
    assert notice.due_at == at("2026-02-28T00:00")
    assert not notice.provisional


def told_into_2027() -> Desk:
    desk = filed(F, "2026-12-14")
    desk.do(LIST, O)
    return desk


def test_into_a_year_without_calendar_the_date_is_provisional() -> None:
    desk = told_into_2027()
    clock = desk.it.clock(ClockKind.CORRECTION)
    assert clock is not None
    assert clock.provisional
    assert clock.adverse_at is None


def test_no_adverse_timer_fires_on_a_provisional_date() -> None:
    desk = told_into_2027()
    desk.wait(at("2027-06-01"))
    assert desk.state() == "correction"
    refused = refusal(desk, c.Refuse("late", "not corrected"), O)
    assert refused.code is Code.NOT_DUE


def test_it_fires_once_the_calendar_is_out() -> None:
    desk = told_into_2027()
    desk.wait(at("2027-01-20"))
    published = replace(work_calendar(), version="cn-2027", published_until=at("2027-12-31").date())
    desk.calendar = published
    events = desk.wait(at("2027-01-20"))
    assert names(events) == ["DeadlineRecomputed", "Withdrawn"]
    assert desk.it.calendar_version == "cn-2027"


def test_the_original_can_be_found_on_every_day() -> None:
    desk = again("filed", C)
    desk.do(c.TakeCustody(Custody("booklet", ORIGIN, "window-12", desk.now)), W)
    desk.do(c.PreCheck(), W)
    desk.do(c.Receive(), S)
    desk.do(c.Ship(shipment("in-1", "inward", desk.now)), W, at=at("2026-03-03"))
    desk.do(c.ShipmentArrived("in-1", at("2026-03-04")), O, at=at("2026-03-04"))
    desk.do(c.TakeCustody(Custody("booklet", COMPETENT, "police-310115", desk.now)), O)
    desk.now = at("2026-03-11")
    held = [entry for entry in desk.it.custody if entry.returned_at is None]
    assert (held[-1].holder, held[-1].place, held[-1].since) == (COMPETENT, "police-310115", at("2026-03-04"))
    assert desk.it.shipments[0].arrived_at == at("2026-03-04")


def test_no_closing_while_an_original_is_out() -> None:
    desk = again("delivered")
    desk.do(c.TakeCustody(Custody("booklet", ORIGIN, "window-12", desk.now)), W)
    error = refusal(desk, c.Close(), S)
    assert (error.code, error.field) == (Code.ORIGINALS_OUT, "custody")
    desk.do(c.ReturnOriginal("booklet", desk.now), W)
    desk.do(c.Close(), S)
    assert desk.state() == "closed"
    assert desk.it.custody[0].returned_at == desk.now


def test_a_loss_moves_no_clock_and_keeps_the_case_open() -> None:
    desk = again("delivered")
    desk.do(c.TakeCustody(Custody("booklet", COMPETENT, "police-310115", desk.now)), O)
    desk.do(c.Ship(shipment("back-1", "archive", desk.now)), O)
    before = desk.it.clocks
    desk.do(c.ReportLost("back-1"), W)
    assert desk.it.clocks == before
    assert desk.it.shipments[-1].lost_at == desk.now
    assert refusal(desk, c.Close(), S).code is Code.ORIGINALS_OUT


def test_a_late_lack_revokes_the_acceptance_with_a_reason() -> None:
    desk = again("accepted_with_lack")
    clock = desk.it.clock(ClockKind.LACK)
    assert clock is not None
    assert clock.adverse_at == at("2026-03-11T00:00")  # due on the 9th, a day of grace
    assert names(desk.wait(at("2026-03-10T12:00"))) == ["LightChanged", "LightChanged"]
    event = desk.wait(at("2026-03-20"))[0]
    assert event.body == AcceptanceRevoked("lack_overdue")
    assert event.effective_at == at("2026-03-11T00:00")
    assert (desk.state(), desk.it.reason) == ("acceptance_revoked", "lack_overdue")


def test_in_time_at_the_origin_is_in_time_even_if_it_arrives_late() -> None:
    desk = again("accepted_with_lack")
    desk.wait(at("2026-03-20"))
    assert desk.state() == "acceptance_revoked"
    supply = c.SupplyLack((material("photo", "d"),))
    assert refusal(desk, supply, A, submitted_at=at("2026-03-11T09:00")).code is Code.NOT_IN_TABLE
    events = desk.do(supply, A, submitted_at=at("2026-03-06"))
    assert names(events) == ["Reinstated"]
    assert (desk.state(), desk.it.lacks, desk.it.deemed) == ("accepted", (), "")
    decision = desk.it.clock(ClockKind.DECISION)
    assert decision is not None
    assert decision.ended_at is None
    assert desk.it.clock(ClockKind.LACK) is None


def test_what_stood_before_the_timer_stands_again_after_it() -> None:
    desk = again("accepted_with_lack")
    desk.do(c.StartReview(), O)
    desk.do(c.OpenSpecial("hearing", "basis", "head-1"), O)
    desk.wait(at("2026-03-20"))
    assert desk.state() == "acceptance_revoked"
    desk.do(c.SupplyLack((material("photo", "d"),)), A, submitted_at=at("2026-03-06"))
    assert desk.state() == "special_procedure"
    decision = desk.it.clock(ClockKind.DECISION)
    assert decision is not None
    assert [stop.until for stop in decision.stops] == [None]
    desk.do(c.EndSpecial("held"), O)
    decision = desk.it.clock(ClockKind.DECISION)
    assert decision is not None
    assert decision.running
    assert decision.due_at == at("2026-04-21T00:00")  # 14 working days later than without the hearing


def test_a_special_procedure_never_closed_turns_red_and_stays() -> None:
    desk = again("special_procedure")
    events = desk.wait(at("2026-08-01"))
    assert names(events) == ["LightChanged", "ProcedureOverdue"]
    clock = desk.it.clock(ClockKind.PROCEDURE)
    assert clock is not None
    assert clock.light is Light.RED
    assert clock.due_at == events[1].effective_at == at("2026-03-17T00:00")
    assert desk.state() == "special_procedure"
    assert desk.wait(at("2026-12-01")) == ()


def test_only_the_side_that_was_rated_badly_is_chased() -> None:
    desk = again("closed")
    desk.do(c.Rate(Rating("competent", 2)), A)
    desk.do(c.Rate(Rating("origin", 5)), A)
    contacts = [k for k in desk.it.clocks if k.kind is ClockKind.CONTACT]
    assert [k.region for k in contacts] == [COMPETENT]
    assert refusal(desk, c.AnswerRating("origin", "called"), W).code is Code.NOTHING_TO_DO
    assert refusal(desk, c.AnswerRating("competent", "called"), W).code is Code.WRONG_AUTHORITY
    assert refusal(desk, c.Rate(Rating("origin", 1)), A).code is Code.ALREADY_RATED
    desk.do(c.AnswerRating("competent", "called"), O)
    assert desk.it.clock(ClockKind.CONTACT) is None


def test_a_region_cut_off_for_hours_keeps_honest_clocks() -> None:
    desk, cut_off = filed(F, "2026-03-02"), filed(F, "2026-03-02")
    for day in range(3, 13):
        desk.wait(at(f"2026-03-{day:02}"))
    cut_off.wait(at("2026-03-12"))
    assert desk.it == cut_off.it
    assert [e.effective_at for e in desk.history] == [e.effective_at for e in cut_off.history]
    assert any(isinstance(e.body, LightChanged) for e in desk.history)


def test_a_retired_area_code_in_an_identity_number_decides_nothing() -> None:
    old = Party("person", "样例乙", "identity_card", "330104199001011234")
    desk = filed(F, applicant=old)
    assert (desk.it.owner, desk.it.competent) == (COMPETENT, COMPETENT)
    assert desk.it.filing.applicant.id_no == "330104199001011234"


def test_the_number_stays_when_a_case_is_passed_up() -> None:
    desk = again("in_review")
    number, owner, parties = desk.it.number, desk.it.owner, desk.it.parties
    desk.do(c.PassUp(HIGHER, "belongs to the higher body"), O)
    assert desk.it.clock(ClockKind.DECISION) is None
    assert refusal(desk, c.TakeUp(), O, authority="police-310115").code is Code.WRONG_AUTHORITY
    desk.do(c.TakeUp(), O, authority=HIGHER, at=at("2026-03-05"))
    assert (desk.it.number, desk.it.owner, desk.it.parties) == (number, owner, parties)
    assert (desk.state(), desk.it.authority, desk.it.step) == ("in_review", HIGHER, 1)
    clock = desk.it.clock(ClockKind.DECISION)
    assert clock is not None
    assert clock.started_at == at("2026-03-05")


def told_once(desk: Desk) -> Case:
    desk.do(c.Correct((material("booklet", "c"),)), A)
    return desk.it


def test_a_second_list_names_only_what_could_not_be_known() -> None:
    desk = again("correction")
    told_once(desk)
    knowable = c.RequestCorrection((defect("id_card"),))
    error = refusal(desk, knowable, O)
    assert (error.code, error.field) == (Code.SECOND_LIST, "defects.0.knowable_since")
    assert refusal(desk, c.RequestCorrection((defect("id_card", "received"),)), O).code is Code.SECOND_LIST
    desk.do(c.RequestCorrection((defect("booklet", "received"),)), O)
    assert desk.it.corrections_told == 2
    desk.do(c.Correct((material("booklet", "e"),)), A)
    desk.do(c.RequestCorrection((defect("id_card", "checked"),)), O)
    assert desk.it.corrections_told == 3


def test_the_windows_list_is_the_first_for_the_authority_too() -> None:
    desk = again("filed", C)
    desk.do(LIST, W)
    told_once(desk)
    desk.do(c.PreCheck(), W)
    desk.do(c.Receive(), S)
    assert refusal(desk, c.RequestCorrection((defect("id_card"),)), O).code is Code.SECOND_LIST
    assert refusal(desk, c.RequestCorrection((defect("field:phone"),)), O).code is Code.SECOND_LIST
    mixed = c.RequestCorrection((defect("booklet", "received"), defect("id_card")))
    error = refusal(desk, mixed, O)
    assert (error.code, error.field) == (Code.SECOND_LIST, "defects.1.knowable_since")
    assert desk.state() == "pre_checked"
    desk.do(c.Accept(), O)
    assert desk.state() == "accepted"


def test_in_time_at_the_origin_undoes_a_deemed_withdrawal() -> None:
    desk = again("correction")
    desk.wait(at("2026-04-10"))
    assert desk.state() == "withdrawn"
    answer = c.Correct((material("booklet", "c"),))
    assert refusal(desk, answer, A).code is Code.NOT_IN_TABLE
    received = at("2026-03-20")
    assert names(desk.do(answer, A, submitted_at=received)) == ["Reinstated"]
    assert desk.state() == "corrected"
    notice = desk.it.clock(ClockKind.NOTICE)
    assert notice is not None
    assert notice.started_at == received
    assert desk.it.closed_at is None


def test_a_reinstated_case_answers_every_item() -> None:
    desk = again("correction")
    desk.wait(at("2026-04-10"))
    error = refusal(desk, c.Correct((material("id_card", "c"),)), A, submitted_at=at("2026-03-20"))
    assert error.code is Code.ITEM_MISSING


def test_a_rejected_handover_comes_back_and_is_never_repeated() -> None:
    desk = Desk(at("2026-03-02"))
    desk.do(c.File(filing(F, desk.now), "h1"), A)
    assert refusal(desk, c.PreCheck(), O).code is Code.NOT_RECEIVED
    desk.do(c.RejectHandover("not_competent"), S)
    assert (desk.it.owner, desk.it.epoch, desk.it.competent) == (ORIGIN, 3, "")
    again_ = c.HandOver("33", "police-330106", "h1")
    assert refusal(desk, again_, S).code is Code.HANDOVER_SPENT
    desk.do(c.HandOver("33", "police-330106", "h2"), P)
    assert (desk.it.owner, desk.it.epoch, desk.it.authority) == ("33", 4, "police-330106")
    assert desk.it.filing.terms == TERMS
