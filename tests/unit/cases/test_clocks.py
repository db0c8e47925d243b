"""Clocks and lights with the real calendar: when they start, stand, grow and end, and what they show."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time

import pytest

from nodes.cases import commands as c
from nodes.cases import machine
from nodes.cases.case import Clock, ClockKind, Light, Rating, Stop
from nodes.cases.clock import grown, start, timed
from nodes.cases.events import LightChanged
from regions.calendar import work_calendar
from regions.limits import Unit
from tests.unit.cases.standing import prepared, standing
from tests.unit.cases.world import (
    COMPETENT,
    GRANT,
    ORIGIN,
    TERMS,
    A,
    C,
    Desk,
    F,
    H,
    L,
    O,
    P,
    S,
    U,
    W,
    at,
    days,
    defect,
    filed,
    material,
    names,
)

CALENDAR = work_calendar()


def clock_of(when: str, limit: int, unit: Unit = Unit.WORKING_DAY, close: time | None = None) -> Clock:
    terms = replace(TERMS, close_of_business=close)
    return start(ClockKind.DECISION, days(limit, unit), at(when), "31", terms, CALENDAR)


def the(desk: Desk, kind: ClockKind, step: int = 0) -> Clock:
    found = [k for k in desk.it.clocks if k.kind is kind and (not step or k.step == step)]
    return found[-1]


def first_of(day: str) -> datetime:
    """00:00 of that day: too late for a limit that ends the day before."""
    return at(f"{day}T00:00")


@pytest.mark.parametrize(
    ("when", "limit", "unit", "too_late"),
    [
        ("2026-09-30", 3, Unit.WORKING_DAY, "2026-10-11"),  # last day 2026-10-10, a Saturday that works
        ("2026-02-13", 5, Unit.WORKING_DAY, "2026-02-28"),
        ("2026-01-02", 1, Unit.WORKING_DAY, "2026-01-05"),  # 2026-01-04 is a Sunday that works
        ("2026-04-30", 3, Unit.WORKING_DAY, "2026-05-09"),
        ("2025-09-30", 1, Unit.WORKING_DAY, "2025-10-10"),
        ("2026-09-30", 3, Unit.DAY, "2026-10-09"),
        ("2026-02-13", 3, Unit.DAY, "2026-02-25"),
        ("2026-02-13", 3, Unit.CALENDAR_DAY, "2026-02-17"),
        ("2026-09-24", 5, Unit.WORKING_DAY, "2026-10-10"),
    ],
)
def test_a_limit_ends_where_the_calendar_says(when: str, limit: int, unit: Unit, too_late: str) -> None:
    assert clock_of(when, limit, unit).due_at == first_of(too_late)


def test_a_limit_ends_at_close_of_business_where_the_guide_says_so() -> None:
    assert clock_of("2026-03-02", 5, close=time(17)).due_at == at("2026-03-09T17:00")


def test_the_days_of_a_special_procedure_are_not_counted() -> None:
    desk = standing("in_review", F)
    desk = Desk(desk.now, case=desk.it)
    before, step = the(desk, ClockKind.DECISION), the(desk, ClockKind.STEP)
    assert before.due_at == first_of("2026-03-31")
    desk.do(c.OpenSpecial("hearing", "行政许可法第四十五条", "head-1"), O, at=at("2026-03-04"))
    assert the(desk, ClockKind.DECISION).stopped
    assert the(desk, ClockKind.STEP).stopped
    assert the(desk, ClockKind.PROCEDURE).due_at == first_of("2026-03-19")
    desk.do(c.EndSpecial("held"), O, at=at("2026-03-13"))  # 5, 6, 9, 10, 11, 12 and 13 March fall out
    assert the(desk, ClockKind.DECISION).due_at == first_of("2026-04-10")  # 6 April is off
    assert the(desk, ClockKind.STEP).due_at > step.due_at
    assert the(desk, ClockKind.PROCEDURE).ended_at == desk.now
    assert desk.state() == "in_review"
    assert the(desk, ClockKind.DECISION).stops[0].reason == "special_procedure"


def test_a_stopped_clock_shows_no_new_light_and_catches_up_when_it_runs_again() -> None:
    desk = Desk(standing("in_review", F).now, case=standing("in_review", F).it)
    desk.do(c.OpenSpecial("test", "basis", "head-1"), O, at=at("2026-03-04"))
    desk.wait(at("2026-06-01"))
    assert the(desk, ClockKind.DECISION).light is Light.GREEN
    assert the(desk, ClockKind.PROCEDURE).light is Light.RED


@pytest.mark.parametrize(
    ("since", "until", "too_late"),
    [
        ("2026-03-06", "2026-03-11", "2026-03-13"),  # one working day was left
        ("2026-03-09", "2026-03-11", "2026-03-12"),  # the last day: it ends on the day it runs again
        ("2026-03-09", "2026-03-14", "2026-03-17"),  # which is a Saturday: on the next working day
        ("2026-03-10", "2026-03-11", "2026-03-10"),  # over already
        ("2026-04-10", "2026-04-20", "2026-03-10"),
    ],
)
def test_a_stop_moves_only_what_is_left_of_a_limit(since: str, until: str, too_late: str) -> None:
    clock = replace(clock_of("2026-03-02", 5), stops=(Stop("court_order", at(since), at(until)),))
    assert timed(clock, TERMS, CALENDAR).due_at == first_of(too_late)


@pytest.mark.parametrize(
    ("unit", "since", "until", "too_late"),
    [
        (Unit.DAY, "2026-03-16", "2026-03-17", "2026-03-18"),  # rolled on to the Monday, and stood then
        (Unit.DAY, "2026-03-12", "2026-03-17", "2026-03-20"),
        (Unit.CALENDAR_DAY, "2026-03-14", "2026-03-15", "2026-03-16"),
        (Unit.CALENDAR_DAY, "2026-03-15", "2026-03-20", "2026-03-15"),
    ],
)
def test_so_it_is_with_plain_days(unit: Unit, since: str, until: str, too_late: str) -> None:
    clock = clock_of("2026-03-02", 12, unit)  # the last day is a Saturday
    clock = replace(clock, stops=(Stop("court_order", at(since), at(until)),))
    assert timed(clock, TERMS, CALENDAR).due_at == first_of(too_late)


def test_a_plain_suspension_stops_no_clock() -> None:
    desk = filed(F)
    before = desk.it.clocks
    desk.do(c.Suspend("node_cut_off"), P)
    assert desk.it.clocks == before
    desk.do(c.Resume(), P, at=at("2026-03-04"))
    assert desk.it.clocks == before
    assert desk.state() == "filed"


def test_a_court_order_stops_every_clock() -> None:
    desk = prepared("in_review", "supply_lack", "A", F)
    running = [k.kind for k in desk.it.clocks if k.running]
    assert set(running) == {ClockKind.DECISION, ClockKind.LACK, ClockKind.STEP}
    due = {k.kind: k.due_at for k in desk.it.clocks if k.running}
    desk.do(c.Suspend("court", court_order=True), O)
    assert not any(k.running for k in desk.it.clocks)
    desk.wait(at("2026-04-20"))
    assert desk.state() == "suspended"
    desk.do(c.Resume(), O)
    for clock in desk.it.clocks:
        if clock.running:
            assert clock.due_at > due[clock.kind]
            assert clock.stops[-1].until == desk.now


def test_a_court_order_within_a_special_procedure_leaves_the_procedures_own_stop() -> None:
    desk = Desk(standing("special_procedure", F).now, case=standing("special_procedure", F).it)
    desk.do(c.Suspend("court", court_order=True), O)
    desk.do(c.Resume(), O, at=at("2026-03-05"))
    assert desk.state() == "special_procedure"
    assert the(desk, ClockKind.DECISION).stopped
    assert the(desk, ClockKind.PROCEDURE).running
    desk.do(c.EndSpecial("held"), O)
    assert the(desk, ClockKind.DECISION).running
    assert len(the(desk, ClockKind.DECISION).stops) == 1


def test_the_limit_grows_once_and_names_both_bases() -> None:
    desk = Desk(standing("in_review", F).now, case=standing("in_review", F).it)
    desk.do(c.Extend("complex"), H)
    clock = the(desk, ClockKind.DECISION)
    assert clock.limit.value == 30
    assert clock.limit.basis_zh == "行政许可法第四十二条;行政许可法第四十二条"
    assert clock.due_at == first_of("2026-04-15")


def test_an_extension_in_another_unit_is_counted_from_the_due_day() -> None:
    fifteen_days = clock_of("2026-03-02", 15, Unit.DAY)
    assert fifteen_days.due_at == first_of("2026-03-18")
    longer = grown(fifteen_days, days(10), TERMS, CALENDAR)
    assert longer.due_at == first_of("2026-04-01")
    assert longer.limit.unit is Unit.DAY


def test_correction_ends_the_notice_and_a_fresh_one_runs_from_the_origins_receipt() -> None:
    desk = standing("correction", F)
    desk = Desk(desk.now, case=desk.it)
    assert the(desk, ClockKind.NOTICE).ended_at == desk.now
    correction = the(desk, ClockKind.CORRECTION)
    assert correction.due_at == first_of("2026-03-24")
    assert correction.region == ORIGIN
    received = at("2026-03-05T15:00")
    desk.do(c.Correct((material("booklet", "c"),)), A, at=at("2026-03-06"), submitted_at=received)
    assert the(desk, ClockKind.CORRECTION).ended_at == received
    assert the(desk, ClockKind.NOTICE).started_at == received
    assert the(desk, ClockKind.NOTICE).due_at == first_of("2026-03-13")
    assert [k.kind for k in desk.it.clocks] == [ClockKind.NOTICE, ClockKind.CORRECTION, ClockKind.NOTICE]


def test_delivery_has_its_own_limit_and_ends_with_it() -> None:
    desk = standing("decided", F)
    clock = the(desk, ClockKind.DELIVERY)
    assert (clock.limit.value, clock.limit.basis_zh) == (10, "行政许可法第四十四条")
    assert clock.due_at == first_of("2026-03-17")
    assert the(standing("delivered", F), ClockKind.DELIVERY).ended_at is not None


def test_a_part_that_waits_for_the_others_has_its_delivery_clock_standing() -> None:
    desk = prepared("decided", "join", "S", U)
    clock = the(desk, ClockKind.DELIVERY)
    assert clock.stops[0].reason == "awaiting_others"
    assert not clock.running
    desk.do(c.Join(), S, by="33", at=at("2026-03-20"))
    assert the(desk, ClockKind.DELIVERY).due_at == first_of("2026-04-04")
    assert desk.it.joined


def test_a_lead_has_no_steps_and_a_step_without_a_limit_no_clock() -> None:
    assert not [k for k in standing("in_review", L).it.clocks if k.kind is ClockKind.STEP]
    terms = replace(TERMS, steps=(replace(TERMS.steps[0], limit=None),))
    desk = filed(F, terms=terms)
    for command in (c.PreCheck(), c.Accept(), c.StartReview()):
        desk.do(command, O)
    assert not [k for k in desk.it.clocks if k.kind is ClockKind.STEP]
    desk.do(c.FinishStep("passed"), O)
    desk.do(GRANT, O)
    assert desk.state() == "decided"


def test_the_lights_come_once_each_on_their_days() -> None:
    desk = Desk(standing("in_review", F).now, case=standing("in_review", F).it)
    desk.wait(at("2026-12-01"))
    lights = [
        (e.body.clock, e.body.light, e.effective_at) for e in desk.history if isinstance(e.body, LightChanged)
    ]
    assert lights == [
        (2, "yellow", first_of("2026-03-13")),  # the handling step: 2 of its 10 days are left
        (2, "red", first_of("2026-03-17")),
        (1, "yellow", first_of("2026-03-25")),  # the decision: 4 of 20
        (1, "red", first_of("2026-03-31")),
    ]
    assert desk.it.light is Light.RED


@pytest.mark.parametrize(
    ("share", "units", "day"), [(0.2, 0, "2026-03-09"), (0.6, 0, "2026-03-05"), (0.0, 2, "2026-03-06")]
)
def test_yellow_is_the_guides_choice(share: float, units: int, day: str) -> None:
    desk = filed(F, terms=replace(TERMS, yellow_share=share, yellow_units=units))
    assert the(desk, ClockKind.NOTICE).yellow_at == first_of(day)


def test_a_red_light_stays_in_the_record() -> None:
    desk = Desk(standing("in_review", F).now, case=standing("in_review", F).it)
    desk.wait(at("2026-05-01"))
    for _ in range(3):
        desk.do(c.FinishStep("passed"), O)
    desk.do(GRANT, O)
    desk.do(c.ConfirmDelivery("applicant"), S)
    desk.do(c.Close(), S)
    assert desk.it.light is Light.RED
    assert the(desk, ClockKind.DECISION).light is Light.RED


def test_late_and_punctual_timers_write_the_same_record() -> None:
    def told(times: list[datetime]) -> list[object]:
        desk = filed(F)
        for moment in times:
            desk.wait(moment)
        return [replace(e, recorded_at=e.effective_at) for e in desk.history]

    days_on = [at(f"2026-03-{day:02}") for day in range(3, 31)]
    assert told([at("2026-07-01")]) == told([*days_on, at("2026-07-01")])


def test_next_due_is_the_first_timer_and_waking_then_moves_it() -> None:
    desk = filed(F)
    first = machine.next_due(desk.it)
    assert first == the(desk, ClockKind.NOTICE).yellow_at
    assert first is not None
    assert names(desk.wait(first)) == ["LightChanged"]
    again = machine.next_due(desk.it)
    assert again is not None
    assert again > first
    assert machine.next_due(standing("closed", F).it) is None


def test_only_the_owner_fires_and_not_before_it_has_received() -> None:
    desk = Desk(at("2026-03-02"))
    desk.do(c.File(replace(standing("filed", F).it.filing), "h1"), A)
    late = at("2026-04-01")
    assert machine.advance(desk.it, late, CALENDAR, ORIGIN)[1] == ()
    assert machine.advance(desk.it, late, CALENDAR, COMPETENT)[1] == ()
    assert machine.next_due(desk.it) is None
    desk.do(c.Receive(), S, at=late)
    assert names(desk.wait(late)) == [
        "LightChanged",
        "LightChanged",
        "AcceptanceDeemed",
        "LightChanged",
        "LightChanged",
    ]


def test_the_applicant_has_the_grace_time() -> None:
    desk = Desk(standing("correction", F).now, case=standing("correction", F).it)
    clock = the(desk, ClockKind.CORRECTION)
    assert clock.adverse_at == first_of("2026-03-25")
    assert names(desk.wait(clock.due_at)) == ["LightChanged", "CorrectionOverdue"]
    assert desk.state() == "correction"
    desk.do(c.Correct((material("booklet", "c"),)), A)
    assert desk.state() == "corrected"


def test_without_the_rule_an_overdue_correction_is_not_a_withdrawal() -> None:
    desk = filed(F, terms=replace(TERMS, deemed_withdrawal=False))
    desk.do(c.RequestCorrection((defect("booklet"),)), O)
    desk.wait(at("2026-09-01"))
    assert desk.state() == "correction"
    assert names(desk.history[-2:]) == ["LightChanged", "CorrectionOverdue"]


def test_what_hurts_waits_while_the_case_is_suspended_and_then_the_grace_again() -> None:
    desk = Desk(standing("correction", F).now, case=standing("correction", F).it)
    desk.do(c.Suspend("node_cut_off"), P)
    desk.wait(at("2026-05-06"))
    assert desk.state() == "suspended"
    assert the(desk, ClockKind.CORRECTION).light is Light.RED
    desk.do(c.Resume(), P)
    assert the(desk, ClockKind.CORRECTION).adverse_at == first_of("2026-05-08")
    desk.wait(at("2026-05-07"))
    assert desk.state() == "correction"
    desk.wait(at("2026-05-08"))
    assert desk.state() == "withdrawn"


def test_a_new_calendar_recomputes_what_runs_and_nothing_else() -> None:
    desk = Desk(standing("in_review", F).now, case=standing("in_review", F).it)
    ended = [k for k in desk.it.clocks if k.ended_at is not None]
    desk.calendar = replace(CALENDAR, version="newer")
    assert names(desk.wait(desk.now)) == ["DeadlineRecomputed"]
    assert desk.it.calendar_version == "newer"
    assert [k for k in desk.it.clocks if k.ended_at is not None] == ended
    assert desk.wait(desk.now) == ()


def test_contact_runs_on_after_the_case_is_closed() -> None:
    desk = Desk(standing("closed", F).now, case=standing("closed", F).it)
    desk.do(c.Rate(Rating("origin", 1)), A)
    clock = the(desk, ClockKind.CONTACT)
    assert (clock.region, clock.due_at) == (ORIGIN, first_of("2026-03-04"))
    desk.wait(at("2026-03-06"))
    assert the(desk, ClockKind.CONTACT).light is Light.RED
    desk.do(c.AnswerRating("origin", "called back"), W)
    assert the(desk, ClockKind.CONTACT).ended_at == desk.now


def test_every_clock_names_its_basis() -> None:
    for state in ("corrected", "in_review", "special_procedure", "delivered"):
        for kind in (F, C, L, U):
            clocks = standing(state, kind).it.clocks
            assert clocks
            assert all(k.limit.basis_zh and k.limit.basis_en for k in clocks)
