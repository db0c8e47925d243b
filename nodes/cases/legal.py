"""What somebody may do next, for faces: the verbs of the table that would not be refused out of hand.

A hint, not a promise: the machine decides when the command comes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from nodes.cases import commands as c
from nodes.cases.case import REVIEWING, Case, CaseRole, ClockKind, Light, Role, State
from nodes.cases.delivery import originals_out, waits
from nodes.cases.filing import Kind
from nodes.cases.lead import parts_pending
from nodes.cases.table import INDEX, UNDECIDED, verb

_ASKS = frozenset({Role.APPLICANT, Role.WINDOW})
"""Roles that act where the papers were received and ask the owner."""

_WATCH = frozenset({CaseRole.LEAD, CaseRole.PART})
"""Parties where nobody does anything: a joint case's other half is there."""

_OVERDUE = (ClockKind.CORRECTION, ClockKind.LACK)


def legal_commands(case: Case, role: Role, region: str) -> list[str]:
    """The verbs open to `role` acting in `region`, in the order of the table.

    Where the region does not own the case they are asks: applicant and window may put them, nobody else.
    """
    parties = {p.region for p in case.parties if p.role not in _WATCH}
    if region not in parties or (region != case.owner and role not in _ASKS):
        return []
    if role is Role.WINDOW and region != case.filing.origin:
        return []
    if role in {Role.OFFICER, Role.HEAD} and region != case.competent:
        return []
    found: list[str] = []
    for state, command, by, kind in INDEX:
        if (state, by, kind) == (case.state, role, case.filing.kind) and _sensible(case, command, role):
            found.append(verb(command))
    return found


def _sensible(case: Case, command: type[c.Command], role: Role) -> bool:
    if case.awaiting_receipt != (command in {c.Receive, c.RejectHandover}):
        return False
    guard = _GUARDS.get(command)
    return guard is None or guard(case, role)


def _overdue(case: Case) -> bool:
    clocks = [case.clock(kind) for kind in _OVERDUE]
    return any(clock is not None and clock.light is Light.RED for clock in clocks)


def _refuse(case: Case, role: Role) -> bool:
    if role in {Role.NODE, Role.OPERATOR}:
        return bool(case.spent_handovers) and not case.competent
    return case.state is not State.CORRECTION or _overdue(case)


def _decide(case: Case, role: Role) -> bool:
    if case.lacks:
        return False
    if case.filing.kind is Kind.LEAD:
        return not parts_pending(case)
    if role is Role.NODE:
        return bool(case.filing.terms.decision_rule)
    return case.step > len(case.filing.terms.steps)


def _withdraw(case: Case, role: Role) -> bool:
    if role is Role.NODE and case.filing.kind is Kind.LEAD and not case.withdrawing:
        return False
    held = case.suspension
    return held is None or (not held.court_order and case.phase in UNDECIDED)


_GUARDS: Mapping[type[c.Command], Callable[[Case, Role], bool]] = {
    c.PreCheck: lambda case, role: (
        role is not Role.WINDOW or case.filing.kind is Kind.LEAD or not case.competent
    ),
    c.Refuse: _refuse,
    c.AcceptWithLack: lambda case, _: case.filing.terms.lack_allowed,
    c.SupplyLack: lambda case, _: bool(case.lacks),
    c.Revoke: lambda case, _: bool(case.lacks) and _overdue(case),
    c.FinishStep: lambda case, _: 0 < case.step <= len(case.filing.terms.steps),
    c.Extend: lambda case, _: case.filing.terms.extension is not None and not case.extended,
    c.Decide: _decide,
    c.Join: lambda case, _: waits(case),
    c.Dispatch: lambda case, _: not waits(case),
    c.ConfirmDelivery: lambda case, role: (
        not waits(case) and (role is not Role.NODE or case.filing.delivery.way == "electronic")
    ),
    c.ReportLost: lambda case, _: any(s.arrived_at is None and s.lost_at is None for s in case.shipments),
    c.ShipmentArrived: lambda case, _: any(
        s.arrived_at is None and s.direction != "outward" for s in case.shipments
    ),
    c.ReturnOriginal: lambda case, _: bool(originals_out(case)),
    c.Close: lambda case, _: not originals_out(case),
    c.Rate: lambda case, _: len(case.ratings) < 2,
    c.AnswerRating: lambda case, _: case.clock(ClockKind.CONTACT) is not None,
    c.Withdraw: _withdraw,
    c.Resume: lambda case, role: case.suspension is not None and case.suspension.by is role,
    c.Reinstate: lambda case, _: case.deemed in {"withdrawal", "revocation"},
    c.HandOver: lambda case, _: (
        not case.competent
        and (bool(case.spent_handovers) or (case.state is State.CORRECTION and _overdue(case)))
    ),
    c.FilePart: lambda case, _: case.state in REVIEWING and parts_pending(case),
    c.DetachPart: lambda case, _: parts_pending(case),
}
