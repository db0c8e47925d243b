"""Cases brought into a state by the steps that real people would take; nothing is read off the table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import cache

from nodes.cases import commands as c
from nodes.cases.case import Case, Clock, Custody, Kind, Light, Rating, Role, State
from tests.unit.cases.world import (
    COMPETENT,
    DENY,
    GRANT,
    HIGHER,
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

START = "2026-03-02"
SIDES = {"W": "origin", "O": "competent"}
ROLES = dict(zip("AWOHSTP", (A, W, O, H, S, T, P), strict=True))
KINDS = dict(zip("FCLU", (F, C, L, U), strict=True))
LIST = c.RequestCorrection((defect("booklet"),))
RULED = replace(TERMS, decision_rule="simple")


def later(case: Case, name: str) -> datetime:
    """The latest due time (or adverse time) of the running clocks."""
    times: list[datetime | None] = [getattr(k, name) for k in case.clocks if k.running]
    return max(time for time in times if time is not None)


def _file(kind: Kind, **changes: object) -> Desk:
    return filed(kind, START, **changes)


def _checked(kind: Kind, **changes: object) -> Desk:
    desk = _file(kind, **changes)
    desk.do(c.PreCheck(), W if kind in {C, L} else O)
    if desk.it.awaiting_receipt:
        desk.do(c.Receive(), S)
    return desk


def _told(kind: Kind) -> Desk:
    desk = _checked(kind)
    desk.do(LIST, O)
    return desk


def _corrected(kind: Kind) -> Desk:
    desk = _told(kind)
    desk.do(c.Correct((material("booklet", "c"),)), A)
    return desk


def _accepted(kind: Kind, **changes: object) -> Desk:
    desk = _checked(kind, **changes)
    desk.do(c.Accept(), O)
    return desk


def _lacking(kind: Kind) -> Desk:
    desk = _checked(kind)
    desk.do(c.AcceptWithLack(("photo",)), O)
    return desk


def _reviewing(kind: Kind, **changes: object) -> Desk:
    desk = _accepted(kind, **changes)
    desk.do(c.StartReview(), O)
    return desk


def _reviewing_lack(kind: Kind) -> Desk:
    desk = _lacking(kind)
    desk.do(c.StartReview(), O)
    return desk


def _extended(desk: Desk) -> Desk:
    desk.do(c.Extend("complex"), H)
    return desk


def _special(desk: Desk) -> Desk:
    desk.do(c.OpenSpecial("hearing", "行政许可法第四十五条", "head-1"), O)
    return desk


def _passed_up(desk: Desk) -> Desk:
    desk.do(c.PassUp(HIGHER, "belongs there"), O)
    return desk


def _ripe(desk: Desk) -> Desk:
    """Nothing stands in the way of a decision any more."""
    if desk.it.filing.kind is L:
        for part in desk.it.parts:
            desk.do(c.DetachPart(part.index, "stuck"), P)
        return desk
    for _ in range(3):
        desk.do(c.FinishStep("passed"), O)
    return desk


def _decided(kind: Kind, decision: c.Decide = DENY, **changes: object) -> Desk:
    desk = _ripe(_reviewing(kind, **changes))
    desk.do(decision, O)
    return desk


def _delivering(kind: Kind) -> Desk:
    desk = _decided(kind)
    desk.do(c.Dispatch(shipment("out-1", "outward", desk.now)), O)
    return desk


def _delivered(kind: Kind) -> Desk:
    desk = _decided(kind)
    desk.do(c.ConfirmDelivery("applicant"), O)
    return desk


def _closed(kind: Kind) -> Desk:
    desk = _delivered(kind)
    desk.do(c.Close(), S)
    return desk


def _rated(kind: Kind) -> Desk:
    desk = _closed(kind)
    desk.do(c.Rate(Rating("origin", 5)), A)
    return desk


def _refused(kind: Kind) -> Desk:
    desk = _checked(kind)
    desk.do(c.Refuse("not_eligible", "in writing"), O)
    return desk


def _revoked(kind: Kind) -> Desk:
    desk = _lacking(kind)
    desk.wait(later(desk.it, "adverse_at"))
    return desk


def _withdrawn(kind: Kind) -> Desk:
    desk = _told(kind)
    desk.wait(later(desk.it, "adverse_at"))
    return desk


def _suspended(desk: Desk, role: Role = P) -> Desk:
    desk.do(c.Suspend("node_cut_off", court_order=role is O), role)
    return desk


STANDING: dict[str, Callable[[Kind], Desk]] = {
    "filed": _file,
    "pre_checked": _checked,
    "correction": _told,
    "corrected": _corrected,
    "accepted": _accepted,
    "accepted_with_lack": _lacking,
    "in_review": _reviewing,
    "extended": lambda kind: _extended(_reviewing(kind)),
    "special_procedure": lambda kind: _special(_reviewing(kind)),
    "passed_up": lambda kind: _passed_up(_reviewing(kind)),
    "decided": _decided,
    "delivering": _delivering,
    "delivered": _delivered,
    "closed": _closed,
    "rated": _rated,
    "refused": _refused,
    "acceptance_revoked": _revoked,
    "withdrawn": _withdrawn,
    "suspended": lambda kind: _suspended(_checked(kind)),
}


@cache
def standing(state: str, kind: Kind) -> Desk:
    desk = STANDING[state](kind)
    assert desk.it.state == state
    return desk


def _rejected(desk: Desk) -> Desk:
    """The handover went out and came back."""
    desk.do(c.RejectHandover("not_competent"), S)
    return desk


def _sent(kind: Kind, state: str) -> Desk:
    """Handed over in this state, not received yet."""
    desk = Desk(at(START))
    desk.do(c.File(filing(kind, desk.now), "h1"), {F: A, C: W, U: S}[kind])
    if kind is C and state == "filed":
        desk.do(c.PreCheck(), W)
        desk.case = replace(desk.it, state=State.FILED)
    elif state in {"pre_checked", "corrected", "accepted", "correction"} or kind is C:
        desk = _anew(kind, state if state != "suspended" else "pre_checked")
    if state == "suspended":
        held = _suspended(_rejected(Desk(desk.now, case=desk.it)))
        assert held.it.suspension is not None
        desk.case = replace(held.it, owner=COMPETENT, awaiting_receipt=True)
    return desk


def _anew(kind: Kind, state: str) -> Desk:
    """Back at the origin after a rejection, then handed over again."""
    desk = _home(kind, state)
    desk.do(c.HandOver(COMPETENT, "police-310000", "h2"), S)
    return desk


def _home(kind: Kind, state: str) -> Desk:
    """Rejected, and so owned by the origin, in this state."""
    desk = Desk(at(START))
    desk.do(c.File(filing(kind, desk.now), "h1"), {F: A, C: W, U: S}[kind])
    if kind is C:
        if state in {"correction", "corrected"}:
            desk.do(LIST, W)
            if state == "correction":
                desk.wait(later(desk.it, "due_at"))
                return desk
            desk.do(c.Correct((material("booklet", "c"),)), W)
        desk.do(c.PreCheck(), W)
    _rejected(desk)
    if state == "accepted":
        desk.wait(later(desk.it, "due_at"))
    elif state != desk.it.state:
        desk.case = replace(desk.it, state=State(state))
        if state == "correction":
            told = next(k for k in _told(kind).it.clocks if k.kind == "correction")
            desk.case = replace(desk.it, clocks=(replace(told, light=Light.RED),))
    return desk


def _due(desk: Desk, name: str) -> Desk:
    """The desk at a due time whose timer has not fired yet."""
    desk.now = later(desk.it, name)
    return desk


def _lacking_in(state: str, kind: Kind) -> Desk:
    desk = _lacking(kind) if state == "accepted_with_lack" else _reviewing_lack(kind)
    if state == "extended":
        _extended(desk)
    elif state == "special_procedure":
        _special(desk)
    elif state == "passed_up":
        _passed_up(desk)
    return desk


def _lack_due(state: str, kind: Kind, name: str) -> Desk:
    desk = _lacking_in(state, kind)
    clock = next(k for k in desk.it.clocks if k.kind == "lack")
    desk.now = getattr(clock, name)
    return desk


def _lights_due(desk: Desk) -> Desk:
    running = [k.yellow_at for k in desk.it.clocks if k.running and k.light is Light.GREEN]
    if running:
        desk.now = max(running)
    return desk


def _bad(desk: Desk, target: str) -> Desk:
    desk.do(c.Rate(Rating(target, 1)), A)
    return desk


def prepared(  # noqa: C901  # one list of special cases reads best in one place
    state: str, command: str, role: str, kind: Kind
) -> Desk:
    """A case in this state in which this step may be taken."""
    match command, state, role:
        case (("receive" | "reject_handover"), _, _):
            return _sent(kind, state)
        case ("hand_over", _, _) | ("refuse", _, "S" | "P"):
            return _home(kind, state)
        case "refuse", "correction", _:
            desk = _told(kind)
            desk.wait(later(desk.it, "due_at"))
            return desk
        case "pre_check", "corrected", _:
            desk = _file(C)
            desk.do(LIST, W)
            desk.do(c.Correct((material("booklet", "c"),)), W)
            return desk
        case "notice_overdue", "suspended", _:
            return _due(_suspended(_checked(kind)), "due_at")
        case "correction_overdue", "suspended", _:
            return _due(_suspended(_told(kind)), "due_at")
        case "procedure_overdue", "suspended", _:
            return _due(_suspended(_special(_reviewing(kind))), "due_at")
        case (("notice_overdue" | "correction_overdue"), _, _):
            return _due(STANDING[state](kind), "due_at")
        case "procedure_overdue", _, _:
            desk = _special(_reviewing(kind))
            desk.now = desk.it.clocks[-1].due_at
            return desk
        case "withdraw", "correction", "T":
            desk = _told(kind)
            desk.wait(later(desk.it, "due_at"))
            return _due(desk, "adverse_at")
        case "withdraw", _, "S" if kind is L:
            desk = STANDING[state](kind)
            desk.case = replace(desk.it, withdrawing=True)
            return desk
        case "withdraw", "suspended", _:
            return _suspended(_checked(kind))
        case "supply_lack", _, _:
            return _lacking_in(state, kind)
        case "lack_overdue", _, _:
            return _lack_due(state, kind, "adverse_at")
        case "revoke", _, _:
            return _lack_due(state, kind, "due_at")
        case "decide", _, _:
            terms = {"terms": RULED} if role == "S" and kind is not L else {}
            desk = _reviewing(kind, **terms)
            return _ripe(_extended(desk) if state == "extended" else desk)
        case "join", _, _:
            return _decided(kind, GRANT)
        case "dispatch", "delivering", _:
            desk = _delivering(kind)
            desk.do(c.ReportLost("out-1"), O)
            return desk
        case "answer_rating", _, _:
            done = state in {"closed", "rated"}
            desk = _bad((_delivered if done else STANDING[state])(kind), SIDES[role])
            if done:
                desk.do(c.Close(), S)
            if state == "rated":
                desk.do(c.Rate(Rating(SIDES["O" if role == "W" else "W"], 5)), A)
            return desk
        case (("report_lost" | "shipment_arrived"), _, _):
            desk = STANDING[state](kind)
            desk.do(c.Ship(shipment("in-1", "inward", desk.now)), W)
            return desk
        case "return_original", _, _:
            desk = STANDING[state](kind)
            held = Custody("booklet", ORIGIN, "window-1", desk.now)
            desk.case = replace(desk.it, custody=(held,))
            return desk
        case "resume", _, _:
            return _suspended(_checked(kind), ROLES[role])
        case "change_light", _, _:
            desk = STANDING[state](kind)
            if all(not k.running for k in desk.it.clocks):
                desk.case = replace(desk.it, clocks=_contact(desk))
            return _lights_due(desk)
        case "fold_part", _, _:
            desk = STANDING[state](kind)
            filed_part = replace(desk.it.parts[0], case_number="part-1", result="")
            desk.case = replace(desk.it, parts=(filed_part, *desk.it.parts[1:]))
            return desk
        case _:
            return STANDING[state](kind)


def _contact(desk: Desk) -> tuple[Clock, ...]:
    clocks = _bad(_delivered(F), "origin").it.clocks
    return (*desk.it.clocks, clocks[-1])
