"""evolve: a case and an event give the case after it, at the owner and at every mirror alike.

`after` alone gives state, owner, clocks and overlays; the body adds what the case remembers. A body that is
not known adds nothing and loses nothing of the first. Total: an event that follows a case is never refused
here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nodes.cases import events as e
from nodes.cases.case import Case, ClockKind, Role, Shipment, State
from nodes.cases.errors import CaseError, Code
from nodes.cases.filing import Filing, JointPart, Material
from nodes.cases.frozen import replace
from nodes.cases.lead import DECIDED, DETACHED
from nodes.cases.papers import Values, bare, merged, merged_values

Remember = Callable[[Case, Case, e.Event, Any], Case]


def drafted(filing: Filing) -> Case:
    """The case before its first event: local, without version."""
    return Case(filing, State.DRAFT, version=0, epoch=1, owner=filing.origin, authority=filing.authority)


def evolve(case: Case | None, event: e.Event) -> Case:
    """The case after `event`, which must be the next of its versions: the caller keeps the order.

    Raises NO_SUCH_CASE only where there is no case and the event is not its filing.
    """
    if case is None:
        if not isinstance(event.body, e.Filed):
            raise CaseError(Code.NO_SUCH_CASE, "", "the history does not begin with its filing")
        case = drafted(event.body.filing)
    after = event.after
    new = replace(
        case,
        state=after.state,
        version=event.version,
        epoch=after.epoch,
        owner=after.owner,
        clocks=after.clocks,
        parties=after.parties,
        calendar_version=after.calendar_version,
        authority=after.authority,
        step=after.step,
        lacks=after.lacks,
        procedure=after.procedure,
        suspension=after.suspension,
    )
    remember = REMEMBER.get(type(event.body))
    return new if remember is None else remember(case, new, event, event.body)


def _filed(_: Case, new: Case, _event: e.Event, body: e.Filed) -> Case:
    return replace(new, materials=body.filing.materials, parts=body.filing.parts)


def _handed_over(_: Case, new: Case, _event: e.Event, body: e.HandedOver) -> Case:
    return replace(new, handover_id=body.handover_id, awaiting_receipt=True)


def _received(_: Case, new: Case, _event: e.Event, _body: e.Received) -> Case:
    return replace(new, awaiting_receipt=False)


def _rejected(_: Case, new: Case, _event: e.Event, body: e.HandoverRejected) -> Case:
    spent = (*new.spent_handovers, body.handover_id)
    return replace(new, awaiting_receipt=False, spent_handovers=spent)


def _told(_: Case, new: Case, event: e.Event, body: e.CorrectionRequested) -> Case:
    return replace(
        new,
        correction=body.defects,
        corrections_told=new.corrections_told + 1,
        told_at=new.told_at or event.effective_at,
    )


def _taken_in(new: Case, materials: tuple[Material, ...], values: Values = ()) -> Case:
    """Materials and values join what is held; after the first list they count as received later."""
    codes = [*(m.code for m in materials), *(f"field:{bare(name)}" for name, _ in values)]
    later = tuple(dict.fromkeys((*new.told_later, *codes))) if new.corrections_told else ()
    return replace(
        new,
        materials=merged(new.materials, materials),
        values=merged_values(new.values, values) if values else new.values,
        told_later=later,
    )


def _corrected(_: Case, new: Case, _event: e.Event, body: e.Corrected) -> Case:
    return replace(_taken_in(new, body.materials, body.values), correction=())


def _supplied(_: Case, new: Case, _event: e.Event, body: e.LackSupplied) -> Case:
    return _taken_in(new, body.materials)


def _reinstated(_: Case, new: Case, _event: e.Event, body: e.Reinstated) -> Case:
    taken = _taken_in(new, body.materials, body.values)
    return replace(
        taken, correction=(), deemed="", deemed_at=None, before_deemed=None, closed_at=None, reason=""
    )


def _accepted(_: Case, new: Case, event: e.Event, _body: e.Accepted | e.AcceptedWithLack) -> Case:
    return replace(new, accepted_at=event.effective_at)


def _deemed(old: Case, new: Case, event: e.Event, _body: e.AcceptanceDeemed) -> Case:
    """Accepted from the day of receipt, which is where the decision clock began."""
    began = next((c.started_at for c in reversed(new.clocks) if c.kind is ClockKind.DECISION), None)
    return replace(
        new,
        accepted_at=began or event.effective_at,
        deemed="acceptance",
        deemed_at=event.effective_at,
        before_deemed=old.phase,
    )


def _refused(_: Case, new: Case, event: e.Event, body: e.Refused) -> Case:
    return replace(new, reason=body.reason, closed_at=event.effective_at)


def _revoked(old: Case, new: Case, event: e.Event, body: e.AcceptanceRevoked) -> Case:
    ended = replace(new, reason=body.reason, closed_at=event.effective_at)
    if event.by != Role.TIMER:
        return ended
    return replace(ended, deemed="revocation", deemed_at=event.effective_at, before_deemed=old.state)


def _withdrawn(old: Case, new: Case, event: e.Event, body: e.Withdrawn) -> Case:
    ended = replace(new, reason=body.reason, closed_at=event.effective_at, withdrawing=False)
    if not body.deemed:
        return ended
    return replace(ended, deemed="withdrawal", deemed_at=event.effective_at, before_deemed=old.state)


def _withdrawal_asked(_: Case, new: Case, _event: e.Event, body: e.WithdrawalAsked) -> Case:
    return replace(new, withdrawing=True, reason=body.reason)


def _resumed(_: Case, new: Case, event: e.Event, _body: e.Resumed) -> Case:
    return replace(new, resumed_at=event.effective_at)


def _extended(_: Case, new: Case, _event: e.Event, _body: e.Extended) -> Case:
    return replace(new, extended=True)


def _decided(_: Case, new: Case, event: e.Event, body: e.Decided) -> Case:
    return replace(new, decision=body.decision, decided_at=event.effective_at)


def _joined(_: Case, new: Case, _event: e.Event, _body: e.Joined) -> Case:
    return replace(new, joined=True)


def _lapsed(_: Case, new: Case, event: e.Event, body: e.Lapsed) -> Case:
    return replace(new, reason=body.reason, closed_at=event.effective_at)


def _closed(_: Case, new: Case, event: e.Event, _body: e.Closed) -> Case:
    return replace(new, closed_at=event.effective_at)


def _shipped(_: Case, new: Case, _event: e.Event, body: e.Dispatched | e.Shipped) -> Case:
    return replace(new, shipments=(*new.shipments, body.shipment))


def _shipments(case: Case, how: Callable[[Shipment], Shipment]) -> Case:
    return replace(case, shipments=tuple(how(s) for s in case.shipments))


def _delivered(_: Case, new: Case, event: e.Event, _body: e.Delivered) -> Case:
    def arrive(shipment: Shipment) -> Shipment:
        waiting = shipment.arrived_at is None and shipment.lost_at is None
        if shipment.direction == "outward" and waiting:
            return replace(shipment, arrived_at=event.effective_at)
        return shipment

    return _shipments(new, arrive)


def _lost(_: Case, new: Case, event: e.Event, body: e.DeliveryFailed) -> Case:
    at = event.effective_at
    return _shipments(new, lambda s: replace(s, lost_at=at) if s.id == body.shipment_id else s)


def _arrived(_: Case, new: Case, _event: e.Event, body: e.ShipmentReceived) -> Case:
    return _shipments(new, lambda s: replace(s, arrived_at=body.at) if s.id == body.shipment_id else s)


def _custody_taken(_: Case, new: Case, _event: e.Event, body: e.CustodyTaken) -> Case:
    return replace(new, custody=(*new.custody, body.custody))


def _original_returned(_: Case, new: Case, _event: e.Event, body: e.OriginalReturned) -> Case:
    back = tuple(
        replace(c, returned_at=body.at) if c.item == body.item and c.returned_at is None else c
        for c in new.custody
    )
    return replace(new, custody=back)


def _rated(_: Case, new: Case, _event: e.Event, body: e.Rated) -> Case:
    return replace(new, ratings=(*new.ratings, body.rating))


def _part(case: Case, index: int, how: Callable[[JointPart], JointPart]) -> Case:
    return replace(case, parts=tuple(how(p) if p.index == index else p for p in case.parts))


def _part_filed(_: Case, new: Case, _event: e.Event, body: e.PartFiled) -> Case:
    return _part(new, body.index, lambda p: replace(p, case_number=body.case_number))


def _part_folded(_: Case, new: Case, _event: e.Event, body: e.PartFolded) -> Case:
    """A part that was decided ends the lead's wish to withdraw."""
    folded = _part(new, body.part.index, lambda _: body.part)
    if body.part.result in DECIDED and folded.withdrawing:
        return replace(folded, withdrawing=False, reason="")
    return folded


def _part_detached(_: Case, new: Case, _event: e.Event, body: e.PartDetached) -> Case:
    return _part(new, body.index, lambda p: replace(p, result=DETACHED))


REMEMBER: Mapping[type[e.Body], Remember] = {
    e.Filed: _filed,
    e.HandedOver: _handed_over,
    e.Received: _received,
    e.HandoverRejected: _rejected,
    e.CorrectionRequested: _told,
    e.Corrected: _corrected,
    e.Accepted: _accepted,
    e.AcceptedWithLack: _accepted,
    e.AcceptanceDeemed: _deemed,
    e.Refused: _refused,
    e.LackSupplied: _supplied,
    e.AcceptanceRevoked: _revoked,
    e.Extended: _extended,
    e.Decided: _decided,
    e.Joined: _joined,
    e.Lapsed: _lapsed,
    e.Dispatched: _shipped,
    e.Delivered: _delivered,
    e.DeliveryFailed: _lost,
    e.CustodyTaken: _custody_taken,
    e.OriginalReturned: _original_returned,
    e.Shipped: _shipped,
    e.ShipmentReceived: _arrived,
    e.Closed: _closed,
    e.Rated: _rated,
    e.Withdrawn: _withdrawn,
    e.WithdrawalAsked: _withdrawal_asked,
    e.Resumed: _resumed,
    e.Reinstated: _reinstated,
    e.PartFiled: _part_filed,
    e.PartFolded: _part_folded,
    e.PartDetached: _part_detached,
}
