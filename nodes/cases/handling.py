"""The three modes: who owns when, the handover, and what the node itself does next.

full_online and parts are handed over with the filing, collect_on_behalf with the pre-check (or with the
deemed acceptance), a lead never. A case that is decided where it is filed takes the same path to itself.
"""

from __future__ import annotations

from collections.abc import Mapping

from nodes.cases import commands as c
from nodes.cases import events as e
from nodes.cases.case import Case, CaseParty, CaseRole, Light, State
from nodes.cases.case import ClockKind as K
from nodes.cases.delivery import originals_out, waits
from nodes.cases.errors import Code
from nodes.cases.filing import Kind
from nodes.cases.frozen import replace
from nodes.cases.intake import Fact, Verb, need
from nodes.cases.moment import Moment


def handover(case: Case, event: e.Event, name: str = "") -> c.HandOver | None:
    """The handover that goes into the same commit as `event`, or None. `case` is the case before it."""
    filing = case.filing
    with_filing = isinstance(event.body, e.Filed) and filing.kind in {Kind.FULL_ONLINE, Kind.PART}
    ripe = isinstance(event.body, (e.PreChecked, e.AcceptanceDeemed))
    collected = ripe and filing.kind is Kind.COLLECT_ON_BEHALF
    if with_filing or (collected and not case.competent and not case.spent_handovers):
        return c.HandOver(filing.competent, filing.authority, name)
    return None


def hand_over(m: Moment, command: c.HandOver, after: e.After) -> Fact:
    """The ownership moves when this is committed. Without an id, the handover is named after its epoch."""
    case = m.case
    need(not case.competent, Code.NOT_IN_TABLE, "", "the case is with the competent region")
    need(command.to, Code.BAD_VALUE, "to")
    need(command.authority, Code.BAD_VALUE, "authority")
    name = command.handover_id or f"{case.number}.{case.epoch + 1}"
    need(name not in case.spent_handovers, Code.HANDOVER_SPENT, "handover_id")
    joins = CaseParty(command.to, CaseRole.COMPETENT, case.version + 1)
    moved = replace(
        after,
        owner=command.to,
        epoch=case.epoch + 1,
        parties=(*case.parties, joins),
        authority=command.authority,
    )
    return e.HandedOver(command.to, command.authority, name), moved


def hand_over_anew(m: Moment, command: c.HandOver, after: e.After) -> Fact:
    """After a rejection, or an overdue correction that the window had asked for."""
    clock = m.case.clock(K.CORRECTION)
    overdue = clock is not None and clock.light is Light.RED
    if m.case.state is State.CORRECTION:
        need(overdue, Code.NOT_DUE, "", "the correction is not overdue")
    else:
        need(m.case.spent_handovers, Code.NOT_IN_TABLE, "", "only after a rejected handover")
    need(command.handover_id, Code.BAD_VALUE, "handover_id")
    return hand_over(m, command, after)


def receive(m: Moment, _: c.Receive, after: e.After) -> Fact:
    """The new owner's first word."""
    need(m.case.awaiting_receipt, Code.NOT_IN_TABLE, "", "nothing was handed over")
    return e.Received(m.case.handover_id), after


def reject_handover(m: Moment, command: c.RejectHandover, after: e.After) -> Fact:
    """Its only other word: the ownership returns to the origin, and this handover is spent."""
    case = m.case
    need(case.awaiting_receipt, Code.NOT_IN_TABLE, "", "nothing was handed over")
    need(case.owner != case.filing.origin, Code.NOT_IN_TABLE, "", "the case is decided where it was filed")
    need(command.reason, Code.REASON_MISSING, "reason")
    back = replace(
        after,
        owner=case.filing.origin,
        epoch=case.epoch + 1,
        parties=tuple(p for p in case.parties if p.role is not CaseRole.COMPETENT),
    )
    return e.HandoverRejected(case.handover_id, command.reason), back


def node_next(case: Case, region: str) -> c.Command | None:
    """What the owner's node does next by itself: receive, confirm an electronic delivery, close.

    None when it is somebody else's turn. Of a lead, `joint` says it.
    """
    if case.owner != region or case.suspension is not None:
        return None
    if case.awaiting_receipt:
        return c.Receive()
    if case.filing.kind is Kind.LEAD:
        return None
    if case.state is State.DECIDED and case.filing.delivery.way == "electronic" and not waits(case):
        return c.ConfirmDelivery("agent" if case.filing.agent is not None else "applicant")
    if case.state is State.DELIVERED and not originals_out(case):
        return c.Close()
    return None


VERBS: Mapping[type[c.Command], Verb] = {
    c.HandOver: hand_over_anew,
    c.Receive: receive,
    c.RejectHandover: reject_handover,
}
