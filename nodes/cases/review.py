"""The review and the decision: steps, special procedure, extension, passing up, deciding.

Knows what an officer must say for each. Must not know clocks (effects) nor states (table).
"""

from __future__ import annotations

from collections.abc import Mapping

from nodes.cases import commands as c
from nodes.cases import events as e
from nodes.cases.case import Procedure, Role
from nodes.cases.errors import Code
from nodes.cases.filing import Kind
from nodes.cases.frozen import replace
from nodes.cases.intake import Fact, Verb, need
from nodes.cases.lead import parts_pending, verdict
from nodes.cases.moment import Moment


def start_review(m: Moment, _: c.StartReview, after: e.After) -> Fact:
    """Step 1; a lead has parts in the place of steps."""
    return e.ReviewStarted(), replace(after, step=_first(m))


def _first(m: Moment) -> int:
    return 0 if m.case.filing.kind is Kind.LEAD else 1


def finish_step(m: Moment, command: c.FinishStep, after: e.After) -> Fact:
    """The step under way; refused when all are finished."""
    step = m.case.step
    need(0 < step <= len(m.terms.steps), Code.NOTHING_TO_DO, "", "no step is under way")
    need(command.outcome, Code.BAD_VALUE, "outcome")
    return e.StepFinished(step, command.outcome, command.opinion), replace(after, step=step + 1)


def open_special(m: Moment, command: c.OpenSpecial, after: e.After) -> Fact:
    """Kind, basis and approver must be named: they are told to the applicant in writing."""
    need(command.kind, Code.BAD_VALUE, "kind")
    need(command.basis, Code.REASON_MISSING, "basis")
    need(command.approver, Code.APPROVER_MISSING, "approver")
    procedure = Procedure(command.kind, command.basis, command.approver, m.case.state, m.at)
    return e.SpecialOpened(procedure), replace(after, procedure=procedure)


def end_special(_: Moment, command: c.EndSpecial, after: e.After) -> Fact:
    """The case returns to where it came from."""
    need(command.result, Code.BAD_VALUE, "result")
    return e.SpecialEnded(command.result), replace(after, procedure=None)


def procedure_overdue(_m: Moment, _: c.ProcedureOverdue, after: e.After) -> Fact:
    """The red light stays on the procedure until somebody ends it."""
    return e.ProcedureOverdue(), after


def extend(m: Moment, command: c.Extend, after: e.After) -> Fact:
    """Once a case, where the guide provides for it, with a reason that is told."""
    need(m.terms.extension, Code.NO_EXTENSION, "")
    need(not m.case.extended, Code.ALREADY_EXTENDED, "")
    need(command.reason, Code.REASON_MISSING, "reason")
    return e.Extended(command.reason, m.actor.id), after


def pass_up(m: Moment, command: c.PassUp, after: e.After) -> Fact:
    """To a higher body of the same region; number and owner stay."""
    need(command.to_authority, Code.BAD_VALUE, "to_authority")
    need(command.to_authority != m.case.authority, Code.BAD_VALUE, "to_authority", "is the same body")
    need(command.reason, Code.REASON_MISSING, "reason")
    return e.PassedUp(command.to_authority, command.reason), replace(after, authority=command.to_authority)


def take_up(m: Moment, _: c.TakeUp, after: e.After) -> Fact:
    """The higher body begins its own review."""
    return e.TakenUp(m.case.authority), replace(after, step=_first(m))


def decide(m: Moment, command: c.Decide, after: e.After) -> Fact:
    """An officer after all steps; the node by the named rule, or for a lead by what its parts answered."""
    case, decision = m.case, command.decision
    need(not case.lacks, Code.LACK_OPEN, "")
    if case.filing.kind is Kind.LEAD:
        need(not parts_pending(case), Code.PARTS_PENDING, "")
        need(decision.granted == verdict(case), Code.BAD_VALUE, "decision.granted", "the parts say otherwise")
    elif m.actor.role is Role.NODE:
        need(decision.rule, Code.NOT_IN_TABLE, "decision.rule", "the node decides by rule only")
    else:
        need(case.step > len(m.terms.steps), Code.STEPS_OPEN, "")
    rule = m.terms.decision_rule if m.actor.role is Role.NODE and case.filing.kind is not Kind.LEAD else ""
    need(decision.rule == rule, Code.BAD_VALUE, "decision.rule", "is not the guide's")
    if not decision.granted:
        need(decision.reasons, Code.REASON_MISSING, "decision.reasons")
        need(decision.remedy, Code.REMEDY_MISSING, "decision.remedy")
    return e.Decided(decision), after


VERBS: Mapping[type[c.Command], Verb] = {
    c.StartReview: start_review,
    c.FinishStep: finish_step,
    c.OpenSpecial: open_special,
    c.EndSpecial: end_special,
    c.ProcedureOverdue: procedure_overdue,
    c.Extend: extend,
    c.PassUp: pass_up,
    c.TakeUp: take_up,
    c.Decide: decide,
}
