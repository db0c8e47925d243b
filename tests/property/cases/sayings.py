"""The commands that the people of the property tests say, by verb and word."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from nodes.cases import commands as c
from nodes.cases.case import Case, Custody, Rating
from tests.unit.cases.world import BODY, COMPETENT, DENY, GRANT, HIGHER, ORIGIN, defect, material, shipment

Say = Callable[[str, datetime, str, Case], c.Command]

SAY: dict[str, tuple[tuple[str, ...], Say]] = {
    "receive": (("",), lambda *_: c.Receive()),
    "reject_handover": (("",), lambda *_: c.RejectHandover("not_competent")),
    "hand_over": (("",), lambda _w, _now, name, _: c.HandOver(COMPETENT, BODY, name)),
    "pre_check": (("",), lambda *_: c.PreCheck()),
    "request_correction": (
        ("first", "received", "checked"),
        lambda word, *_: c.RequestCorrection((defect("booklet", word),)),
    ),
    "correct": (("",), lambda *_: c.Correct((material("booklet", "c"),))),
    "accept": (("",), lambda *_: c.Accept()),
    "accept_with_lack": (("",), lambda *_: c.AcceptWithLack(("photo",))),
    "refuse": (("",), lambda *_: c.Refuse("not_eligible", "in writing")),
    "supply_lack": (("",), lambda *_: c.SupplyLack((material("photo", "d"),))),
    "revoke": (("",), lambda *_: c.Revoke("late")),
    "start_review": (("",), lambda *_: c.StartReview()),
    "finish_step": (("",), lambda *_: c.FinishStep("passed")),
    "open_special": (("",), lambda *_: c.OpenSpecial("hearing", "basis", "head-1")),
    "end_special": (("",), lambda *_: c.EndSpecial("held")),
    "extend": (("",), lambda *_: c.Extend("complex")),
    "pass_up": (("",), lambda *_: c.PassUp(HIGHER, "belongs there")),
    "take_up": (("",), lambda *_: c.TakeUp()),
    "decide": (("grant", "deny"), lambda word, *_: GRANT if word == "grant" else DENY),
    "join": (("", "lapse"), lambda word, *_: c.Join(lapse=word == "lapse", reason="others")),
    "dispatch": (("",), lambda _w, now, name, _: c.Dispatch(shipment(name, "outward", now))),
    "confirm_delivery": (("",), lambda *_: c.ConfirmDelivery("applicant")),
    "report_lost": (("",), lambda _w, _now, _name, case: c.ReportLost(_last(case))),
    "take_custody": (("",), lambda _w, now, *_: c.TakeCustody(Custody("booklet", ORIGIN, "window-1", now))),
    "return_original": (("",), lambda _w, now, *_: c.ReturnOriginal("booklet", now)),
    "close": (("",), lambda *_: c.Close()),
    "rate": (("origin", "competent"), lambda word, *_: c.Rate(Rating(word, 5 if word == "origin" else 2))),
    "answer_rating": (("",), lambda *_: c.AnswerRating("competent", "called back")),
    "withdraw": (("",), lambda *_: c.Withdraw("not needed", mandate="m-1")),
    "suspend": (("", "court"), lambda word, *_: c.Suspend("order", court_order=word == "court")),
    "resume": (("",), lambda *_: c.Resume()),
}

WORDS: dict[str, tuple[str, ...]] = {verb: words for verb, (words, _) in SAY.items()}


def _last(case: Case) -> str:
    return case.shipments[-1].id if case.shipments else "none"


def said(verb: str, word: str, now: datetime, name: str, case: Case) -> c.Command:
    """The command; `name` is new every time."""
    return SAY[verb][1](word, now, name, case)
