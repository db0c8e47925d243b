"""From the decision to the last word: delivery, papers and originals, closing, rating.

Knows consignments, custody and ratings. A loss never touches a clock. Must not know clocks (effects) nor
states (table).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from nodes.cases import commands as c
from nodes.cases import events as e
from nodes.cases.case import Case, Role, Shipment
from nodes.cases.effects import bad_ratings, contact_clock, waits_for_others
from nodes.cases.errors import CaseError, Code
from nodes.cases.intake import Fact, Verb, need
from nodes.cases.moment import Moment

OUTWARD = "outward"
PAPERS = frozenset({"inward", "archive"})


def waits(case: Case) -> bool:
    """Whether the grant may not be delivered yet: the other parts have not all been granted."""
    granted = case.decision is not None and case.decision.granted
    return granted and waits_for_others(case.filing) and not case.joined


def join(m: Moment, command: c.Join, after: e.After) -> Fact:
    """Only for a grant that waits; a denial is the citizen's at once."""
    need(waits(m.case), Code.NOTHING_TO_DO, "", "the part does not wait")
    if not command.lapse:
        return e.Joined(), after
    need(command.reason, Code.REASON_MISSING, "reason")
    return e.Lapsed(command.reason), after


def _deliverable(m: Moment) -> None:
    if waits(m.case):
        raise CaseError(Code.NOT_JOINED, "", "the part waits for the others")


def _on_its_way(case: Case, direction: str = "") -> list[Shipment]:
    running = [s for s in case.shipments if s.arrived_at is None and s.lost_at is None]
    return [s for s in running if not direction or s.direction == direction]


def _require_new(m: Moment, shipment: Shipment, directions: frozenset[str]) -> None:
    need(shipment.id, Code.BAD_VALUE, "shipment.id")
    known = any(s.id == shipment.id for s in m.case.shipments)
    need(not known, Code.BAD_VALUE, "shipment.id", "stands for another consignment")
    need(shipment.direction in directions, Code.BAD_VALUE, "shipment.direction")
    unfinished = shipment.arrived_at is None and shipment.lost_at is None
    need(unfinished, Code.BAD_VALUE, "shipment", "is only just sent")
    _require_past(m, shipment.sent_at, "shipment.sent_at")


def _require_past(m: Moment, at: datetime, field: str) -> None:
    need(at.tzinfo is not None and at <= m.now, Code.BAD_VALUE, field, "lies ahead")


def dispatch(m: Moment, command: c.Dispatch, after: e.After) -> Fact:
    """The result leaves; again only when the consignment before was lost."""
    _deliverable(m)
    _require_new(m, command.shipment, frozenset({OUTWARD}))
    need(not _on_its_way(m.case, OUTWARD), Code.NOTHING_TO_DO, "", "a consignment is on its way")
    return e.Dispatched(command.shipment), after


def confirm_delivery(m: Moment, command: c.ConfirmDelivery, after: e.After) -> Fact:
    """The node confirms electronic delivery only."""
    _deliverable(m)
    if m.actor.role is Role.NODE:
        electronic = m.case.filing.delivery.way == "electronic"
        need(electronic, Code.NOT_IN_TABLE, "", "somebody must have handed it over")
    known = command.received_by in {"applicant", "agent", "window"}
    need(known, Code.BAD_VALUE, "received_by")
    return e.Delivered(command.received_by), after


def report_lost(m: Moment, command: c.ReportLost, after: e.After) -> Fact:
    """The loss is recorded and no clock moves: neither against the citizen nor in favour of the authority."""
    known = any(s.id == command.shipment_id for s in _on_its_way(m.case))
    need(known, Code.NOT_HELD, "shipment_id", "no such consignment is on its way")
    return e.DeliveryFailed(command.shipment_id), after


def take_custody(m: Moment, command: c.TakeCustody, after: e.After) -> Fact:
    """Which original, who holds it where, since when."""
    custody = command.custody
    need(custody.item, Code.BAD_VALUE, "custody.item")
    need(custody.holder, Code.BAD_VALUE, "custody.holder")
    need(custody.place, Code.BAD_VALUE, "custody.place")
    need(custody.returned_at is None, Code.BAD_VALUE, "custody.returned_at")
    party = custody.holder in {p.region for p in m.case.parties}
    need(party, Code.WRONG_REGION, "custody.holder", "has no part in this case")
    _require_past(m, custody.since, "custody.since")
    return e.CustodyTaken(custody), after


def originals_out(case: Case) -> tuple[str, ...]:
    """The originals that the applicant does not have back, by item."""
    return tuple(dict.fromkeys(entry.item for entry in case.custody if entry.returned_at is None))


def return_original(m: Moment, command: c.ReturnOriginal, after: e.After) -> Fact:
    """The applicant has it back."""
    need(command.item in originals_out(m.case), Code.NOT_HELD, "item")
    _require_past(m, command.at, "at")
    return e.OriginalReturned(command.item, command.at), after


def ship(m: Moment, command: c.Ship, after: e.After) -> Fact:
    """Papers leave: to the authority, or the file to the archive."""
    _require_new(m, command.shipment, PAPERS)
    return e.Shipped(command.shipment), after


def shipment_arrived(m: Moment, command: c.ShipmentArrived, after: e.After) -> Fact:
    """Papers arrived; what was thought lost may still come."""
    waiting = [s for s in m.case.shipments if s.arrived_at is None and s.direction in PAPERS]
    known = any(s.id == command.shipment_id for s in waiting)
    need(known, Code.NOT_HELD, "shipment_id", "no such consignment is awaited")
    _require_past(m, command.at, "at")
    return e.ShipmentReceived(command.shipment_id, command.at), after


def close(m: Moment, _: c.Close, after: e.After) -> Fact:
    """Refused while an original is out. A lead tells how its parts ended."""
    out = originals_out(m.case)
    need(not out, Code.ORIGINALS_OUT, "custody", ", ".join(out))
    summary = "; ".join(f"{p.index}={p.result}" for p in m.case.parts)
    return e.Closed(summary), after


def rate(m: Moment, command: c.Rate, after: e.After) -> Fact:
    """Each side once; only the side that was rated badly is chased."""
    rating = command.rating
    need(rating.target in {"origin", "competent"}, Code.BAD_VALUE, "rating.target")
    need(1 <= rating.stars <= 5, Code.BAD_VALUE, "rating.stars")
    rated = any(r.target == rating.target for r in m.case.ratings)
    need(not rated, Code.ALREADY_RATED, "rating.target")
    return e.Rated(rating), after


def answer_rating(m: Moment, command: c.AnswerRating, after: e.After) -> Fact:
    """The contact was made by the side that was rated.

    The window for the origin, an officer for the authority.
    """
    side = "origin" if m.actor.role is Role.WINDOW else "competent"
    need(command.target == side, Code.WRONG_AUTHORITY, "target", "the rated side answers")
    open_clock = contact_clock(m.case.clocks, bad_ratings(m), command.target)
    need(open_clock is not None, Code.NOTHING_TO_DO, "target", "no contact is owed")
    need(command.result, Code.BAD_VALUE, "result")
    return e.RatingAnswered(command.target, command.result), after


VERBS: Mapping[type[c.Command], Verb] = {
    c.Join: join,
    c.Dispatch: dispatch,
    c.ConfirmDelivery: confirm_delivery,
    c.ReportLost: report_lost,
    c.TakeCustody: take_custody,
    c.ReturnOriginal: return_original,
    c.Ship: ship,
    c.ShipmentArrived: shipment_arrived,
    c.Close: close,
    c.Rate: rate,
    c.AnswerRating: answer_rating,
}
