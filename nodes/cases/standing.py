"""Leaving and standing still: withdrawal, suspension, lights, recomputed deadlines.

Knows who may take a case back and when it is too late. Must not know clocks (effects) nor states (table).
"""

from __future__ import annotations

from collections.abc import Mapping

from nodes.cases import commands as c
from nodes.cases import events as e
from nodes.cases.case import Light, Role, Suspension
from nodes.cases.errors import Code
from nodes.cases.filing import Kind
from nodes.cases.frozen import replace
from nodes.cases.intake import Fact, Verb, need
from nodes.cases.lead import DECIDED, parts_out
from nodes.cases.moment import Moment
from nodes.cases.table import UNDECIDED


def withdraw(m: Moment, command: c.Withdraw, after: e.After) -> Fact:
    """By the applicant, by the window with a mandate, by a timer; a lead waits for the parts that are out."""
    case, role = m.case, m.actor.role
    need(command.deemed == (role is Role.TIMER), Code.BAD_VALUE, "deemed", "is the timer's word")
    if role is Role.TIMER:
        return e.Withdrawn("correction_overdue", deemed=True), after
    if role is Role.WINDOW:
        need(command.mandate or case.filing.mandate, Code.MANDATE_MISSING, "mandate")
    elif case.filing.agent is not None and role is Role.APPLICANT:
        need(case.filing.mandate, Code.MANDATE_MISSING, "filing.mandate")
    if case.suspension is not None:
        need(not case.suspension.court_order, Code.NOT_IN_TABLE, "", "suspended by court order")
        need(case.phase in UNDECIDED, Code.TOO_LATE, "", "the case is decided")
    if case.filing.kind is Kind.LEAD:
        decided = any(p.result in DECIDED for p in case.parts)
        need(not decided, Code.PART_DECIDED, "")
        if role is Role.NODE:
            need(case.withdrawing, Code.NOT_IN_TABLE, "", "nobody asked for it")
            need(not parts_out(case), Code.PARTS_PENDING, "")
        elif parts_out(case):
            need(not case.withdrawing, Code.NOTHING_TO_DO, "", "the parts have been asked")
            return e.WithdrawalAsked(command.reason), after
    return e.Withdrawn(command.reason), replace(after, suspension=None, procedure=None)


def suspend(m: Moment, command: c.Suspend, after: e.After) -> Fact:
    """An officer suspends by court order only; the reason is recorded."""
    if m.actor.role is Role.OFFICER:
        need(command.court_order, Code.NOT_IN_TABLE, "court_order", "an officer needs a court order")
    need(command.reason, Code.REASON_MISSING, "reason")
    held = Suspension(command.reason, command.court_order, m.actor.role, m.case.state, m.at)
    return e.Suspended(held), replace(after, suspension=held)


def resume(m: Moment, _: c.Resume, after: e.After) -> Fact:
    """By the role that suspended."""
    held = m.case.suspension
    need(held is not None and held.by is m.actor.role, Code.NOT_IN_TABLE, "", "another role suspended it")
    return e.Resumed(), replace(after, suspension=None)


def change_light(_: Moment, command: c.ChangeLight, after: e.After) -> Fact:
    """Fired by `timers`, which knows when."""
    return e.LightChanged(command.clock, Light(command.light).value), after


def recompute_deadlines(m: Moment, _: c.RecomputeDeadlines, after: e.After) -> Fact:
    """Only for another calendar than the case was timed with."""
    need(m.calendar.version != m.case.calendar_version, Code.NOTHING_TO_DO, "", "the calendar is the same")
    return e.DeadlineRecomputed(), after


VERBS: Mapping[type[c.Command], Verb] = {
    c.Withdraw: withdraw,
    c.Suspend: suspend,
    c.Resume: resume,
    c.ChangeLight: change_light,
    c.RecomputeDeadlines: recompute_deadlines,
}
