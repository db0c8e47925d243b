"""What a command must say beyond its row: each guard refuses with its own code and names the field."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from nodes.cases import commands as c
from nodes.cases.case import Custody, Decision, JointPart, Kind, Party, Rating, Role
from nodes.cases.errors import CaseError, Code
from tests.unit.cases.standing import prepared, standing
from tests.unit.cases.world import (
    COMPETENT,
    GRANT,
    HIGHER,
    ORIGIN,
    PERSON,
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
    T,
    U,
    W,
    at,
    defect,
    filed,
    filing,
    material,
    shipment,
)


def in_state(state: str, kind: Kind = F) -> Desk:
    desk = standing(state, kind)
    return Desk(desk.now, case=desk.it)


def refusal(desk: Desk, command: c.Command, role: Role, **how: Any) -> tuple[Code, str]:
    with pytest.raises(CaseError) as error:
        desk.do(command, role, **how)
    assert "样例" not in str(error.value)
    return error.value.code, error.value.field


PART = JointPart(1, "PS-001", "31", "body", "310115")


@pytest.mark.parametrize(
    ("kind", "changes", "code", "field"),
    [
        (F, {"case_number": ""}, Code.BAD_VALUE, "case_number"),
        (F, {"origin": "33"}, Code.WRONG_REGION, "origin"),
        (F, {"consent": ""}, Code.BAD_VALUE, "consent"),
        (F, {"authority": ""}, Code.BAD_VALUE, "authority"),
        (F, {"applicant": replace(PERSON, name="")}, Code.BAD_VALUE, "applicant.name"),
        (F, {"applicant": replace(PERSON, id_no="")}, Code.BAD_VALUE, "applicant.id_no"),
        (F, {"guide_version": "g0"}, Code.BAD_VALUE, "guide_version"),
        (F, {"filed_at": at("2026-03-03")}, Code.BAD_VALUE, "filed_at"),
        (F, {"filed_at": at("2026-03-01").replace(tzinfo=None)}, Code.BAD_VALUE, "filed_at"),
        (F, {"agent": PERSON}, Code.MANDATE_MISSING, "mandate"),
        (F, {"kind": C}, Code.BAD_VALUE, "mode"),
        (F, {"parts": (PART,)}, Code.BAD_VALUE, "parts"),
        (L, {"parts": ()}, Code.BAD_VALUE, "parts"),
        (L, {"parts": (replace(PART, index=2),)}, Code.BAD_VALUE, "parts"),
        (L, {"parts": (replace(PART, needs=(1,)),)}, Code.BAD_VALUE, "parts.0.needs"),
        (L, {"joint_rule": None}, Code.BAD_VALUE, "joint_rule"),
        (L, {"competent": "31"}, Code.BAD_VALUE, "competent"),
        (L, {"principal": 3}, Code.BAD_VALUE, "principal"),
        (U, {"lead": ""}, Code.BAD_VALUE, "lead"),
        (U, {"lead_region": ""}, Code.BAD_VALUE, "lead_region"),
        (U, {"part_index": 0}, Code.BAD_VALUE, "part_index"),
        (U, {"joint_rule": None}, Code.BAD_VALUE, "joint_rule"),
    ],
)
def test_a_filing_must_be_whole(kind: Kind, changes: dict[str, Any], code: Code, field: str) -> None:
    desk = Desk(at("2026-03-02"))
    broken = replace(filing(kind, desk.now), **changes)
    role = {F: A, C: W, L: A, U: S}[broken.kind]
    assert refusal(desk, c.File(broken, "h1"), role, by=ORIGIN, region=ORIGIN) == (code, f"filing.{field}")


def test_an_agent_with_a_mandate_may_file_and_withdraw() -> None:
    agent = Party("person", "样例丙", "identity_card", "110101199001011234")
    desk = filed(F, agent=agent, mandate="m-1")
    desk.do(c.Withdraw("asked to"), A)
    assert desk.state() == "withdrawn"


CORRECTIONS = [
    ((), Code.EMPTY_LIST, "defects"),
    ((defect(""),), Code.BAD_VALUE, "defects.0.code"),
    ((defect("field:"),), Code.BAD_VALUE, "defects.0.code"),
    ((defect("booklet"), defect("booklet")), Code.BAD_VALUE, "defects.1.code"),
    ((replace(defect("booklet"), reason=""),), Code.REASON_MISSING, "defects.0.reason"),
    ((defect("booklet"), defect("own_form")), Code.NOT_ON_GUIDE, "defects.1.code"),
    ((defect("booklet", "sometime"),), Code.BAD_VALUE, "defects.0.knowable_since"),
]


@pytest.mark.parametrize(("defects", "code", "field"), CORRECTIONS)
def test_a_correction_list(defects: Any, code: Code, field: str) -> None:
    assert refusal(in_state("pre_checked"), c.RequestCorrection(defects), O) == (code, field)


def test_every_listed_item_is_answered_by_itself_or_what_stands_in_for_it() -> None:
    desk = in_state("pre_checked")
    desk.do(c.RequestCorrection((defect("id_card"), defect("field:phone"))), O)
    assert refusal(desk, c.Correct((material("booklet"),)), A) == (Code.ITEM_MISSING, "correction.0")
    assert refusal(desk, c.Correct((material("passport"),)), A) == (Code.ITEM_MISSING, "correction.1")
    empty = c.Correct((material("passport"),), (("field:phone", ""),))
    assert refusal(desk, empty, A) == (Code.ITEM_MISSING, "correction.1")
    stray = c.Correct((material("passport"), material("own_form")), (("phone", "1"),))
    assert refusal(desk, stray, A) == (Code.NOT_ON_GUIDE, "materials.1.code")
    desk.do(c.Correct((material("passport", "e"),), (("field:phone", "13800000000"),)), A)
    assert dict(desk.it.values) == {"phone": "13800000000"}
    assert {m.code for m in desk.it.materials} == {"id_card", "booklet", "passport"}
    assert desk.it.told_later == ("passport", "field:phone")


def test_a_new_file_takes_the_place_of_the_old_one_of_its_code() -> None:
    desk = in_state("corrected")
    assert [m.sha256[0] for m in desk.it.materials if m.code == "booklet"] == ["c"]


LACKS = [
    ((), Code.EMPTY_LIST, "lacks"),
    (("booklet",), Code.NOT_LACKABLE, "lacks.0"),
    (("own_form",), Code.NOT_ON_GUIDE, "lacks.0"),
    (("photo", "photo"), Code.BAD_VALUE, "lacks.1"),
]


@pytest.mark.parametrize(("lacks", "code", "field"), LACKS)
def test_a_lack(lacks: tuple[str, ...], code: Code, field: str) -> None:
    assert refusal(in_state("pre_checked"), c.AcceptWithLack(lacks), O) == (code, field)


def test_no_lack_where_the_province_has_no_such_rule() -> None:
    desk = filed(F, terms=replace(TERMS, lack_allowed=False, lack=None))
    desk.do(c.PreCheck(), O)
    assert refusal(desk, c.AcceptWithLack(("photo",)), O) == (Code.LACK_NOT_ALLOWED, "")


def test_a_lack_is_supplied_from_wherever_the_case_stands_and_holds_the_decision_up() -> None:
    desk = prepared("in_review", "supply_lack", "A", F)
    for _ in range(3):
        desk.do(c.FinishStep("passed"), O)
    assert refusal(desk, GRANT, O) == (Code.LACK_OPEN, "")
    assert refusal(desk, c.SupplyLack((material("booklet"),)), A) == (Code.ITEM_MISSING, "materials")
    assert refusal(desk, c.Revoke("late"), O) == (Code.NOT_DUE, "")
    desk.do(c.SupplyLack((material("photo", "f"),)), A)
    assert refusal(desk, c.SupplyLack((material("photo"),)), A) == (Code.NOTHING_TO_DO, "")
    desk.do(GRANT, O)


def test_two_lacks_one_supplied() -> None:
    more = replace(TERMS.materials[2], code="form")
    desk = filed(F, terms=replace(TERMS, materials=(*TERMS.materials, more)))
    desk.do(c.PreCheck(), O)
    desk.do(c.AcceptWithLack(("photo", "form")), O)
    desk.do(c.SupplyLack((material("form"),)), A)
    assert (desk.state(), desk.it.lacks) == ("accepted_with_lack", ("photo",))
    desk.do(c.SupplyLack((material("photo"),)), W)
    assert (desk.state(), desk.it.lacks) == ("accepted", ())


@pytest.mark.parametrize(
    ("state", "command", "role", "code", "field"),
    [
        ("pre_checked", c.Refuse("", "text"), O, Code.REASON_MISSING, "reason"),
        ("pre_checked", c.Refuse("code", ""), O, Code.REASON_MISSING, "text"),
        ("correction", c.Refuse("code", "text"), O, Code.NOT_DUE, ""),
        ("in_review", c.OpenSpecial("hearing", "basis", ""), O, Code.APPROVER_MISSING, "approver"),
        ("in_review", c.OpenSpecial("hearing", "", "x"), O, Code.REASON_MISSING, "basis"),
        ("in_review", c.OpenSpecial("", "basis", "x"), O, Code.BAD_VALUE, "kind"),
        ("special_procedure", c.EndSpecial(""), O, Code.BAD_VALUE, "result"),
        ("in_review", c.Extend(""), H, Code.REASON_MISSING, "reason"),
        ("in_review", c.PassUp("", "why"), O, Code.BAD_VALUE, "to_authority"),
        ("in_review", c.PassUp("police-310115", "why"), O, Code.BAD_VALUE, "to_authority"),
        ("in_review", c.PassUp(HIGHER, ""), O, Code.REASON_MISSING, "reason"),
        ("in_review", c.FinishStep(""), O, Code.BAD_VALUE, "outcome"),
        ("in_review", GRANT, O, Code.STEPS_OPEN, ""),
        ("in_review", GRANT, S, Code.NOT_IN_TABLE, "decision.rule"),
        ("decided", c.ConfirmDelivery("a friend"), O, Code.BAD_VALUE, "received_by"),
        ("filed", c.Withdraw("why"), W, Code.MANDATE_MISSING, "mandate"),
        ("filed", c.Withdraw("why", deemed=True), A, Code.BAD_VALUE, "deemed"),
        ("filed", c.Suspend(""), P, Code.REASON_MISSING, "reason"),
        ("filed", c.Suspend("busy"), O, Code.NOT_IN_TABLE, "court_order"),
        ("suspended", c.Resume(), O, Code.NOT_IN_TABLE, ""),
        ("filed", c.RecomputeDeadlines(), S, Code.NOTHING_TO_DO, ""),
        ("filed", c.NoticeOverdue(), T, Code.NOT_DUE, ""),
        ("filed", c.ChangeLight(0, "red"), T, Code.NOT_DUE, ""),
        ("closed", c.Rate(Rating("somebody", 3)), A, Code.BAD_VALUE, "rating.target"),
        ("closed", c.Rate(Rating("origin", 6)), A, Code.BAD_VALUE, "rating.stars"),
        ("closed", c.Rate(Rating("origin", 0)), A, Code.BAD_VALUE, "rating.stars"),
        ("withdrawn", c.Reinstate(at("2026-04-20"), ()), S, Code.TOO_LATE, "received_at"),
    ],
)
def test_what_must_be_said(state: str, command: c.Command, role: Role, code: Code, field: str) -> None:
    assert refusal(in_state(state), command, role) == (code, field)


def test_a_denial_names_reasons_and_remedy() -> None:
    desk = prepared("in_review", "decide", "O", F)
    no_reason = c.Decide(Decision(granted=False, reasons="", remedy="review"))
    assert refusal(desk, no_reason, O) == (Code.REASON_MISSING, "decision.reasons")
    no_remedy = c.Decide(Decision(granted=False, reasons="not eligible", remedy=""))
    assert refusal(desk, no_remedy, O) == (Code.REMEDY_MISSING, "decision.remedy")
    not_a_rule = c.Decide(replace(GRANT.decision, rule="simple"))
    assert refusal(desk, not_a_rule, O) == (Code.BAD_VALUE, "decision.rule")


def test_the_node_decides_by_the_guides_rule_alone_and_needs_no_steps() -> None:
    desk = filed(F, terms=replace(TERMS, decision_rule="simple"))
    for command in (c.PreCheck(), c.Accept(), c.StartReview()):
        desk.do(command, S)
    other = c.Decide(replace(GRANT.decision, rule="another"))
    assert refusal(desk, other, S) == (Code.BAD_VALUE, "decision.rule")
    desk.do(c.Decide(replace(GRANT.decision, rule="simple")), S)
    assert desk.state() == "decided"


def test_a_limit_grows_only_where_the_guide_says_and_once() -> None:
    desk = filed(F, terms=replace(TERMS, extension=None))
    for command in (c.PreCheck(), c.Accept(), c.StartReview()):
        desk.do(command, O)
    assert refusal(desk, c.Extend("complex"), H) == (Code.NO_EXTENSION, "")
    desk = in_state("extended")
    desk.do(c.PassUp(HIGHER, "belongs there"), O)
    desk.do(c.TakeUp(), O)
    assert refusal(desk, c.Extend("complex"), H) == (Code.ALREADY_EXTENDED, "")


def test_who_acts() -> None:
    desk = in_state("pre_checked")
    assert refusal(desk, c.Accept(), O, authority="tax-310115") == (Code.WRONG_AUTHORITY, "actor.authority")
    assert refusal(desk, c.Accept(), O, by=ORIGIN) == (Code.WRONG_REGION, "actor.region")
    assert refusal(desk, c.Accept(), O, region=ORIGIN) == (Code.NOT_OWNER, "")
    assert refusal(in_state("filed", C), c.PreCheck(), W, by=COMPETENT) == (Code.WRONG_REGION, "actor.region")
    assert refusal(in_state("filed"), c.Suspend("x"), P, by=ORIGIN) == (Code.WRONG_REGION, "actor.region")


def test_a_case_that_is_not_with_the_authority_is_nobodys_to_decide() -> None:
    desk = filed(C)
    desk.do(c.RequestCorrection((defect("booklet"),)), W)
    desk.do(c.Correct((material("booklet", "c"),)), W)
    assert refusal(desk, c.Accept(), S) == (Code.NOT_OWNER, "")
    desk.do(c.PreCheck(), W)
    assert (desk.it.owner, desk.it.awaiting_receipt) == (COMPETENT, True)


def test_consignments() -> None:
    desk = in_state("decided")
    now = desk.now
    inward = c.Dispatch(shipment("x", "inward", now))
    assert refusal(desk, inward, O) == (Code.BAD_VALUE, "shipment.direction")
    ahead = c.Dispatch(shipment("x", "outward", at("2026-12-01")))
    assert refusal(desk, ahead, O) == (Code.BAD_VALUE, "shipment.sent_at")
    arrived = replace(shipment("x", "outward", now), arrived_at=now)
    assert refusal(desk, c.Dispatch(arrived), O) == (Code.BAD_VALUE, "shipment")
    desk.do(c.Dispatch(shipment("x", "outward", now)), O)
    assert refusal(desk, c.Dispatch(shipment("y", "outward", now)), O) == (Code.NOTHING_TO_DO, "")
    assert refusal(desk, c.Ship(shipment("x", "archive", now)), O) == (Code.BAD_VALUE, "shipment.id")
    assert refusal(desk, c.ReportLost("z"), W) == (Code.NOT_HELD, "shipment_id")
    desk.do(c.ReportLost("x"), W)
    assert refusal(desk, c.ReportLost("x"), W) == (Code.NOT_HELD, "shipment_id")
    desk.do(c.Dispatch(shipment("y", "outward", now)), W)
    desk.do(c.ConfirmDelivery("window"), A)
    assert [bool(s.arrived_at) for s in desk.it.shipments] == [False, True]


def test_the_node_confirms_electronic_delivery_only() -> None:
    desk = in_state("decided")
    desk.case = replace(
        desk.it, filing=replace(desk.it.filing, delivery=replace(desk.it.filing.delivery, way="courier"))
    )
    assert refusal(desk, c.ConfirmDelivery("applicant"), S) == (Code.NOT_IN_TABLE, "")


def test_originals() -> None:
    desk = in_state("filed")
    held = Custody("booklet", ORIGIN, "window-1", desk.now)
    stranger = replace(held, holder="34")
    assert refusal(desk, c.TakeCustody(stranger), W) == (Code.WRONG_REGION, "custody.holder")
    assert refusal(desk, c.TakeCustody(replace(held, item="")), W) == (Code.BAD_VALUE, "custody.item")
    assert refusal(desk, c.TakeCustody(replace(held, place="")), W) == (Code.BAD_VALUE, "custody.place")
    back = replace(held, returned_at=desk.now)
    assert refusal(desk, c.TakeCustody(back), W) == (Code.BAD_VALUE, "custody.returned_at")
    assert refusal(desk, c.ReturnOriginal("booklet", desk.now), W) == (Code.NOT_HELD, "item")


def test_no_withdrawal_under_a_court_order_nor_after_the_decision() -> None:
    desk = in_state("in_review")
    desk.do(c.Suspend("court", court_order=True), O)
    assert refusal(desk, c.Withdraw("why"), A) == (Code.NOT_IN_TABLE, "")
    desk = in_state("decided")
    desk.do(c.Suspend("duplicate"), P)
    assert refusal(desk, c.Withdraw("why"), A) == (Code.TOO_LATE, "")


def test_a_case_withdrawn_while_suspended_is_suspended_no_more() -> None:
    desk = in_state("special_procedure")
    desk.do(c.Suspend("duplicate"), P)
    desk.do(c.Withdraw("why"), A)
    assert (desk.state(), desk.it.suspension, desk.it.procedure) == ("withdrawn", None, None)
