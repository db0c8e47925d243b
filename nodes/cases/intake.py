"""From the filing to the acceptance, or to what stands in its place: the guards and the facts.

Knows the guards of intake: one list for what could be known, against the competent place's guide; the notice
day; the lack. Must not know clocks beyond their times (effects) nor states (table).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from nodes.cases import commands as c
from nodes.cases import events as e
from nodes.cases.case import Case, CaseParty, CaseRole, ClockKind, Defect, Light, Role, State
from nodes.cases.errors import CaseError, Code
from nodes.cases.filing import Filing, Kind
from nodes.cases.frozen import replace
from nodes.cases.moment import Moment
from nodes.cases.papers import FIELD, answered, bare, item, require_known
from regions.joint import JointRule
from regions.matter import HandlingMode

Fact = tuple[e.Body, e.After]
Verb = Callable[[Moment, Any, e.After], Fact]

MODES: Mapping[Kind, HandlingMode] = {
    Kind.FULL_ONLINE: HandlingMode.FULL_ONLINE,
    Kind.COLLECT_ON_BEHALF: HandlingMode.COLLECT_ON_BEHALF,
    Kind.LEAD: HandlingMode.JOINT,
    Kind.PART: HandlingMode.JOINT,
}


def need(value: object, code: Code, field: str, detail: str = "") -> None:
    """Raises CaseError(code, field) unless `value` is there."""
    if not value:
        raise CaseError(code, field, detail)


def file(m: Moment, command: c.File, after: e.After) -> Fact:
    """The document must be whole; the parties are the origin and, of a part, the lead's region."""
    filing = command.filing
    _require_whole(m, filing)
    parties = [CaseParty(filing.origin, CaseRole.ORIGIN, 1)]
    if filing.lead_region and filing.lead_region != filing.origin:
        parties.append(CaseParty(filing.lead_region, CaseRole.LEAD, 1))
    return e.Filed(filing), replace(after, parties=tuple(parties))


def _require_whole(m: Moment, filing: Filing) -> None:
    need(filing.case_number, Code.BAD_VALUE, "filing.case_number")
    need(filing.origin == m.region, Code.WRONG_REGION, "filing.origin", "papers are received elsewhere")
    need(filing.mode is MODES[filing.kind], Code.BAD_VALUE, "filing.mode", "does not fit the kind of case")
    need(filing.consent, Code.BAD_VALUE, "filing.consent", "the consent is not signed")
    need(filing.applicant.name, Code.BAD_VALUE, "filing.applicant.name")
    need(filing.applicant.id_no, Code.BAD_VALUE, "filing.applicant.id_no")
    need(filing.authority, Code.BAD_VALUE, "filing.authority")
    same = filing.guide_version == filing.terms.guide_version
    need(same, Code.BAD_VALUE, "filing.guide_version", "the terms are those of another version")
    timely = filing.filed_at.tzinfo is not None and filing.filed_at <= m.now
    need(timely, Code.BAD_VALUE, "filing.filed_at", "lies ahead")
    if filing.agent is not None:
        need(filing.mandate, Code.MANDATE_MISSING, "filing.mandate", "an agent needs a mandate")
    if filing.kind is Kind.LEAD:
        need(filing.competent == filing.origin, Code.BAD_VALUE, "filing.competent")
        need(filing.joint_rule, Code.BAD_VALUE, "filing.joint_rule")
        indices = [part.index for part in filing.parts]
        whole = indices and indices == list(range(1, len(indices) + 1))
        need(whole, Code.BAD_VALUE, "filing.parts", "are not numbered from 1")
        for part in filing.parts:
            ahead = all(0 < n < part.index for n in part.needs)
            need(ahead, Code.BAD_VALUE, f"filing.parts.{part.index - 1}.needs", "names a later part")
        need(0 <= filing.principal <= len(indices), Code.BAD_VALUE, "filing.principal")
    else:
        need(not filing.parts, Code.BAD_VALUE, "filing.parts", "only a lead has parts")
    if filing.kind is Kind.PART:
        need(filing.lead, Code.BAD_VALUE, "filing.lead")
        need(filing.lead_region, Code.BAD_VALUE, "filing.lead_region")
        need(filing.part_index > 0, Code.BAD_VALUE, "filing.part_index")
        need(isinstance(filing.joint_rule, JointRule), Code.BAD_VALUE, "filing.joint_rule")


def pre_check(m: Moment, command: c.PreCheck, after: e.After) -> Fact:
    """By the window, only before the case was handed over; its own correction does not change that."""
    if m.actor.role is Role.WINDOW and m.case.filing.kind is Kind.COLLECT_ON_BEHALF:
        need(not m.case.competent, Code.NOT_IN_TABLE, "", "the case is with the competent region")
    return e.PreChecked(m.region, command.note), after


def request_correction(m: Moment, command: c.RequestCorrection, after: e.After) -> Fact:
    """One list, every item on the competent place's guide; a second one only for what could not be known."""
    in_time(m)
    need(command.defects, Code.EMPTY_LIST, "defects")
    seen: set[str] = set()
    for index, defect in enumerate(command.defects):
        field = f"defects.{index}"
        need(bare(defect.code), Code.BAD_VALUE, f"{field}.code")
        need(defect.code not in seen, Code.BAD_VALUE, f"{field}.code", "stands twice")
        need(defect.reason, Code.REASON_MISSING, f"{field}.reason")
        if not defect.code.startswith(FIELD):
            known = item(m.terms, defect.code)
            need(known, Code.NOT_ON_GUIDE, f"{field}.code", "not on the competent place's guide")
        _require_new(m.case, defect, f"{field}.knowable_since")
        seen.add(defect.code)
    return e.CorrectionRequested(command.defects, m.case.corrections_told + 1), after


def _require_new(case: Case, defect: Defect, field: str) -> None:
    need(defect.knowable_since in {"first", "received", "checked"}, Code.BAD_VALUE, field)
    if not case.corrections_told or defect.knowable_since == "checked":
        return
    came_later = defect.knowable_since == "received" and defect.code in case.told_later
    need(came_later, Code.SECOND_LIST, field, "could have been named in the first list")


def in_time(m: Moment) -> None:
    """Raises NOTICE_LATE once the notice day has passed: the deemed acceptance comes first."""
    clock = m.case.clock(ClockKind.NOTICE)
    if clock is not None and clock.running and clock.due_at <= m.now:
        raise CaseError(Code.NOTICE_LATE, "", "the case counts as accepted from the day of receipt")


def correct(m: Moment, command: c.Correct, after: e.After) -> Fact:
    """Every listed item must be answered; nothing may be handed in that the guide does not know."""
    listed = [defect.code for defect in m.case.correction]
    require_known(m.terms, command.materials, listed)
    for index, code in enumerate(listed):
        there = answered(m.terms, code, command.materials, command.values)
        need(there, Code.ITEM_MISSING, f"correction.{index}", code)
    return e.Corrected(command.materials, command.values), after


def accept(m: Moment, _: c.Accept, after: e.After) -> Fact:
    """Accepted: the decision clock starts the next working day."""
    in_time(m)
    return e.Accepted(), after


def accept_with_lack(m: Moment, command: c.AcceptWithLack, after: e.After) -> Fact:
    """Only where the province has the rule, and only for items that the guide lets lack."""
    in_time(m)
    need(m.terms.lack_allowed and m.terms.lack, Code.LACK_NOT_ALLOWED, "")
    need(command.lacks, Code.EMPTY_LIST, "lacks")
    for index, code in enumerate(command.lacks):
        line = item(m.terms, code)
        need(line, Code.NOT_ON_GUIDE, f"lacks.{index}")
        need(line and line.lackable, Code.NOT_LACKABLE, f"lacks.{index}")
        need(code not in command.lacks[:index], Code.BAD_VALUE, f"lacks.{index}", "stands twice")
    return e.AcceptedWithLack(command.lacks), replace(after, lacks=command.lacks)


def notice_overdue(m: Moment, _: c.NoticeOverdue, after: e.After) -> Fact:
    """Accepted from the day of receipt; under a suspension that is where it resumes."""
    held = m.case.suspension
    if held is not None:
        after = replace(after, suspension=replace(held, back_to=State.ACCEPTED))
    return e.AcceptanceDeemed(), after


def correction_overdue(_m: Moment, _: c.CorrectionOverdue, after: e.After) -> Fact:
    """The red light; what follows from it waits the grace time."""
    return e.CorrectionOverdue(), after


def refuse(m: Moment, command: c.Refuse, after: e.After) -> Fact:
    """Reasons in writing.

    An officer refuses in time or after an overdue correction; the origin after a rejection.
    """
    if m.actor.role in {Role.NODE, Role.OPERATOR}:
        rejected = m.case.spent_handovers and not m.case.competent
        need(rejected, Code.NOT_IN_TABLE, "", "only after a rejected handover")
    else:
        in_time(m)
    clock = m.case.clock(ClockKind.CORRECTION)
    if clock is not None:
        over = clock.light is Light.RED and not clock.provisional
        need(over, Code.NOT_DUE, "", "the correction is not overdue")
    need(command.reason, Code.REASON_MISSING, "reason")
    need(command.text, Code.REASON_MISSING, "text")
    return e.Refused(command.reason, command.text, command.elsewhere), after


def _still_lacking(m: Moment, command: c.SupplyLack) -> tuple[str, ...]:
    return tuple(code for code in m.case.lacks if not answered(m.terms, code, command.materials))


def supplied_all(m: Moment, command: c.SupplyLack) -> bool:
    """Whether no lack is left after this."""
    return not _still_lacking(m, command)


def supply_lack(m: Moment, command: c.SupplyLack, after: e.After) -> Fact:
    """At least one open lack must be answered, and nothing else is taken in."""
    need(m.case.lacks, Code.NOTHING_TO_DO, "", "no item lacks")
    require_known(m.terms, command.materials)
    still = _still_lacking(m, command)
    need(still != m.case.lacks, Code.ITEM_MISSING, "materials", "answers no open lack")
    return e.LackSupplied(command.materials), replace(after, lacks=still)


def lack_overdue(m: Moment, _: c.LackOverdue, after: e.After) -> Fact:
    """The acceptance is revoked with a reason; the open lacks stay named."""
    need(m.case.lacks, Code.NOT_DUE, "")
    return e.AcceptanceRevoked("lack_overdue"), after


def revoke(m: Moment, command: c.Revoke, after: e.After) -> Fact:
    """By an officer, once the lack is overdue on a date that is sure."""
    need(m.case.lacks, Code.NOTHING_TO_DO, "", "no item lacks")
    clock = m.case.clock(ClockKind.LACK)
    over = clock is not None and clock.running and clock.due_at <= m.now and not clock.provisional
    need(over, Code.NOT_DUE, "", "the applicant still has time")
    need(command.reason, Code.REASON_MISSING, "reason")
    return e.AcceptanceRevoked(command.reason), after


def reinstate(m: Moment, command: c.Reinstate, after: e.After) -> Fact:
    """Undoes a timer whose item the origin had received before it took effect."""
    case = m.case
    need(
        case.deemed in {"withdrawal", "revocation"} and case.deemed_at,
        Code.NOT_IN_TABLE,
        "",
        "no timer did it",
    )
    assert case.deemed_at is not None, "a timer's effect has its time"
    need(command.received_at.tzinfo is not None, Code.BAD_VALUE, "received_at", "has no time zone")
    need(command.received_at < case.deemed_at, Code.TOO_LATE, "received_at")
    open_items = case.lacks if case.deemed == "revocation" else tuple(d.code for d in case.correction)
    require_known(m.terms, command.materials, open_items)
    for index, code in enumerate(open_items):
        there = answered(m.terms, code, command.materials, command.values)
        need(there, Code.ITEM_MISSING, f"materials.{index}", code)
    lacks = () if case.deemed == "revocation" else after.lacks
    return e.Reinstated(command.received_at, command.materials, command.values), replace(after, lacks=lacks)


def rescued(case: Case, command: c.Command, submitted_at: datetime | None) -> c.Command:
    """What the origin had in time, but that came after the timer: a reinstatement.

    `submitted_at`: the origin's receipt. Any other command is given back as it is.
    """
    if submitted_at is None or case.deemed_at is None or submitted_at >= case.deemed_at:
        return command
    if isinstance(command, c.Correct) and case.deemed == "withdrawal":
        return c.Reinstate(submitted_at, command.materials, command.values)
    if isinstance(command, c.SupplyLack) and case.deemed == "revocation":
        return c.Reinstate(submitted_at, command.materials)
    return command


VERBS: Mapping[type[c.Command], Verb] = {
    c.File: file,
    c.PreCheck: pre_check,
    c.RequestCorrection: request_correction,
    c.Correct: correct,
    c.Accept: accept,
    c.AcceptWithLack: accept_with_lack,
    c.NoticeOverdue: notice_overdue,
    c.CorrectionOverdue: correction_overdue,
    c.Refuse: refuse,
    c.SupplyLack: supply_lack,
    c.LackOverdue: lack_overdue,
    c.Revoke: revoke,
    c.Reinstate: reinstate,
}
