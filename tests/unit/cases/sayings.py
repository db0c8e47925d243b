"""A well-formed command of each verb, and somebody who may say it."""

from __future__ import annotations

from dataclasses import replace

from nodes.cases import commands as c
from nodes.cases.case import Actor, Case, Custody, JointPart, Light, Rating
from tests.unit.cases.standing import ROLES, START
from tests.unit.cases.world import (
    COMPETENT,
    DENY,
    GRANT,
    HIGHER,
    LEAD_REGION,
    ORIGIN,
    Desk,
    F,
    L,
    U,
    at,
    defect,
    filing,
    material,
    shipment,
)

BY_RULE = c.Decide(replace(GRANT.decision, rule="simple"))


def say(command: str, desk: Desk, role: str) -> c.Command:
    now, case = desk.now, desk.case
    light = (
        next((i for i, k in enumerate(case.clocks) if k.running and k.light is Light.GREEN), 0) if case else 0
    )
    part = replace(case.parts[0], version=9, result="granted") if case and case.parts else _PART
    said: dict[str, c.Command] = {
        "file": c.File(filing(F, now), "h1"),
        "pre_check": c.PreCheck(),
        "hand_over": c.HandOver(COMPETENT, "police-310000", "h9"),
        "receive": c.Receive(),
        "reject_handover": c.RejectHandover("not_competent"),
        "request_correction": c.RequestCorrection((defect("id_card", "checked"),)),
        "correct": c.Correct((material("booklet", "d"),)),
        "accept": c.Accept(),
        "accept_with_lack": c.AcceptWithLack(("photo",)),
        "refuse": c.Refuse("not_eligible", "in writing"),
        "supply_lack": c.SupplyLack((material("photo", "d"),)),
        "revoke": c.Revoke("late"),
        "start_review": c.StartReview(),
        "finish_step": c.FinishStep("passed"),
        "open_special": c.OpenSpecial("hearing", "basis", "head-1"),
        "end_special": c.EndSpecial("held"),
        "extend": c.Extend("complex"),
        "pass_up": c.PassUp(HIGHER, "belongs there"),
        "take_up": c.TakeUp(),
        "decide": BY_RULE if role == "S" and case and case.filing.kind is not L else DENY,
        "join": c.Join(),
        "dispatch": c.Dispatch(shipment("out-2", "outward", now)),
        "confirm_delivery": c.ConfirmDelivery("applicant"),
        "report_lost": c.ReportLost("in-1"),
        "take_custody": c.TakeCustody(Custody("booklet", ORIGIN, "window-1", now)),
        "return_original": c.ReturnOriginal("booklet", now),
        "ship": c.Ship(shipment("in-2", "archive", now)),
        "shipment_arrived": c.ShipmentArrived("in-1", now),
        "close": c.Close(),
        "rate": c.Rate(Rating("competent", 4)),
        "answer_rating": c.AnswerRating("origin" if role == "W" else "competent", "called back"),
        "withdraw": c.Withdraw(deemed=True) if role == "T" else c.Withdraw("not needed", mandate="m-1"),
        "suspend": c.Suspend("order", court_order=role == "O"),
        "resume": c.Resume(),
        "reinstate": c.Reinstate(
            at(START), (material("photo", "d"),) if case and case.lacks else (material("booklet", "d"),)
        ),
        "recompute_deadlines": c.RecomputeDeadlines(),
        "file_part": c.FilePart(1, "part-1"),
        "fold_part": c.FoldPart(part),
        "detach_part": c.DetachPart(1, "stuck"),
        "notice_overdue": c.NoticeOverdue(),
        "correction_overdue": c.CorrectionOverdue(),
        "lack_overdue": c.LackOverdue(),
        "procedure_overdue": c.ProcedureOverdue(),
        "change_light": c.ChangeLight(light, "yellow"),
    }
    return said[command]


_PART = JointPart(1, "PS-001", "31", "x", "310115", "part-1", 9, "granted")
VERBS = (
    *(
        "file",
        "pre_check",
        "hand_over",
        "receive",
        "reject_handover",
        "request_correction",
        "correct",
        "accept",
    ),
    *("accept_with_lack", "refuse", "supply_lack", "revoke", "start_review", "finish_step", "open_special"),
    *("end_special", "extend", "pass_up", "take_up", "decide", "join", "dispatch", "confirm_delivery"),
    *("report_lost", "take_custody", "return_original", "ship", "shipment_arrived", "close", "rate"),
    *("answer_rating", "withdraw", "suspend", "resume", "reinstate", "recompute_deadlines", "file_part"),
    *(
        "fold_part",
        "detach_part",
        "notice_overdue",
        "correction_overdue",
        "lack_overdue",
        "procedure_overdue",
    ),
    "change_light",
)


def actor(command: str, role: str, case: Case | None) -> Actor:
    owner = case.owner if case else ORIGIN
    region = ORIGIN if role in "AW" else owner
    if role == "S" and case is not None and case.filing.kind is U and command in {"join", "withdraw"}:
        region = LEAD_REGION
    body = case.authority if case is not None and role in "OH" else ""
    return Actor(ROLES[role], region, "someone", body)
