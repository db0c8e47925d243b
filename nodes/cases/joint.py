"""What comes next in a joint case: the joiner's plan, from the lead and the mirrors of its parts.

Knows the three rules for any number of parts. Pure: the automatic room only carries the steps out, and what
is refused meanwhile is simply planned again. A grant under all_or_none is final (a part is not withdrawn once
decided), so the order in which the steps arrive does not matter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from nodes.cases import commands as c
from nodes.cases.case import Case, Decision, JointPart, State
from nodes.cases.delivery import originals_out, waits
from nodes.cases.lead import (
    DENIED,
    DETACHED,
    GRANTED,
    LAPSED,
    failed,
    fileable,
    hopeless,
    parts_out,
    parts_pending,
    verdict,
)
from nodes.cases.table import REVIEW, UNDECIDED
from regions.joint import JointRule

REMEDY = "see_parts"
"""Code of a lead's remedy: each part's own decision says how to appeal."""


@dataclass(frozen=True, slots=True)
class FileNext:
    """File the part at this position as a case of its own, then tell the lead by FilePart."""

    index: int


@dataclass(frozen=True, slots=True)
class TellLead:
    """Apply to the lead, as the node."""

    command: c.Command


@dataclass(frozen=True, slots=True)
class TellPart:
    """Ask of the part's owner, as the node of the lead's region."""

    case_number: str
    command: c.Command


Step = FileNext | TellLead | TellPart

_ENDED = frozenset({State.REFUSED, State.ACCEPTANCE_REVOKED, State.WITHDRAWN})


def answer(part: Case) -> str:
    """How a part answered: a result of JointPart, "" while it has not."""
    if part.phase in _ENDED:
        return part.phase.value
    if part.decision is None:
        return ""
    if part.state is State.CLOSED and waits(part):
        return LAPSED
    return GRANTED if part.decision.granted else DENIED


def next_steps(lead: Case, parts: Mapping[str, Case]) -> tuple[Step, ...]:
    """Everything to be done now, in order; () when it is somebody else's turn.

    `parts`: the mirrors (or own cases) of the filed parts, by case number. Planning again after each step is
    safe: a step that was done is not planned twice.
    """
    if lead.suspension is not None:
        return tuple(_folds(lead, parts))
    return (*_folds(lead, parts), *_for_lead(lead, parts), *_for_parts(lead, parts))


def _folds(lead: Case, parts: Mapping[str, Case]) -> Iterator[Step]:
    """News of filed parts, and the lapse of those that can no longer be filed."""
    for known in lead.parts:
        mirror = parts.get(known.case_number) if known.case_number else None
        if mirror is not None and known.result != DETACHED:
            result = answer(mirror)
            if result != known.result and mirror.version > known.version:
                yield TellLead(c.FoldPart(replace(known, version=mirror.version, result=result)))
    for index in hopeless(lead) if lead.state in UNDECIDED else ():
        known = next(p for p in lead.parts if p.index == index)
        yield TellLead(c.FoldPart(replace(known, result=LAPSED)))


def _for_lead(lead: Case, parts: Mapping[str, Case]) -> Iterator[Step]:
    if lead.withdrawing:
        if not parts_out(lead):
            yield TellLead(c.Withdraw(lead.reason))
    elif lead.state in {State.PRE_CHECKED, State.CORRECTED}:
        yield TellLead(c.Accept())
    elif lead.state in {State.ACCEPTED, State.ACCEPTED_WITH_LACK}:
        yield TellLead(c.StartReview())
    elif lead.state in REVIEW:
        filed = {part.filing.part_index: number for number, part in parts.items()}
        for index in fileable(lead):
            # A part that the lead does not know of came back after a restoration, and its note did not.
            number = filed.get(index)
            yield FileNext(index) if number is None else TellLead(c.FilePart(index, number))
        if not parts_pending(lead) and not lead.lacks:
            yield TellLead(c.Decide(conclusion(lead)))
    elif lead.state is State.DECIDED and lead.filing.delivery.way == "electronic":
        yield TellLead(c.ConfirmDelivery("agent" if lead.filing.agent is not None else "applicant"))
    elif lead.state is State.DELIVERED and not originals_out(lead) and not _unfinished(lead, parts):
        yield TellLead(c.Close())


def _unfinished(lead: Case, parts: Mapping[str, Case]) -> bool:
    """Whether a part that counts is still open; a part without a mirror is."""
    filed = [p for p in lead.parts if p.case_number and p.result != DETACHED]
    return any(p.case_number not in parts or parts[p.case_number].open for p in filed)


def _for_parts(lead: Case, parts: Mapping[str, Case]) -> Iterator[Step]:
    whole = outcome(lead)
    for known in lead.parts:
        part = parts.get(known.case_number) if known.case_number else None
        if part is None or part.suspension is not None:
            continue
        if part.state is State.DECIDED and waits(part):
            yield from _release(known, whole)
        elif part.state in UNDECIDED and (lead.withdrawing or lead.state in _ENDED):
            yield TellPart(known.case_number, c.Withdraw(lead.reason))


def _release(known: JointPart, whole: bool | None) -> Iterator[Step]:
    if known.result == DETACHED or whole is True:
        yield TellPart(known.case_number, c.Join())
    elif whole is False:
        yield TellPart(known.case_number, c.Join(lapse=True, reason="others_not_granted"))


def outcome(lead: Case) -> bool | None:
    """Whether all_or_none came about; None while it is open."""
    if lead.filing.joint_rule is not JointRule.ALL_OR_NONE:
        return None
    if lead.state in _ENDED or failed(lead):
        return False
    return None if parts_pending(lead) else verdict(lead)


def conclusion(lead: Case) -> Decision:
    """The lead's decision: the verdict, and how each part ended (codes; the faces say it in words)."""
    granted = verdict(lead)
    ends = {
        p.index: LAPSED if p.result == GRANTED and outcome(lead) is False else p.result for p in lead.parts
    }
    told = "; ".join(f"{index}={result}" for index, result in ends.items())
    return Decision(granted=granted, reasons=told, remedy="" if granted else REMEDY)
