"""The lead of a joint case and its parts: which may be filed, what they answered, what follows for the whole.

Any number of parts, three rules. A part whose needs can no longer be granted lapses unfiled. Pure functions
of the lead; what a node then does with them is `joint`'s word.
"""

from __future__ import annotations

from collections.abc import Mapping

from nodes.cases import commands as c
from nodes.cases import events as e
from nodes.cases.case import Case, CaseParty, CaseRole
from nodes.cases.errors import CaseError, Code
from nodes.cases.filing import JointPart
from nodes.cases.frozen import replace
from nodes.cases.intake import Fact, Verb, need
from nodes.cases.moment import Moment
from regions.joint import JointRule

GRANTED, DENIED, LAPSED, DETACHED = "granted", "denied", "lapsed", "detached"
DECIDED = frozenset({GRANTED, DENIED})
RESULTS = frozenset({GRANTED, DENIED, "refused", "withdrawn", "acceptance_revoked", LAPSED, ""})


def part_of(case: Case, index: int) -> JointPart:
    """The part at this position. Raises NO_SUCH_PART."""
    found = next((p for p in case.parts if p.index == index), None)
    if found is None:
        raise CaseError(Code.NO_SUCH_PART, "index")
    return found


def parts_pending(case: Case) -> bool:
    """Whether some part has not answered, filed or not."""
    return any(not p.result for p in case.parts)


def parts_out(case: Case) -> bool:
    """Whether some part was filed and has not answered."""
    return any(p.case_number and not p.result for p in case.parts)


def failed(case: Case) -> bool:
    """Whether all_or_none can no longer come about."""
    return any(p.result not in {"", GRANTED, DETACHED} for p in case.parts)


def fileable(case: Case) -> tuple[int, ...]:
    """The parts that may be filed now.

    All at once, or in their order; none while the lead is being withdrawn.
    """
    if case.withdrawing:
        return ()
    return tuple(p.index for p in case.parts if _open(p) and _ready(case, p))


def hopeless(case: Case) -> tuple[int, ...]:
    """The unfiled parts that cannot come about any more: a part they need was not granted."""
    return tuple(p.index for p in case.parts if _open(p) and _vain(case, p))


def _open(part: JointPart) -> bool:
    return not part.case_number and not part.result


def _needed(case: Case, part: JointPart) -> tuple[tuple[JointPart, ...], frozenset[str]]:
    """The parts it waits for, and the results of theirs that will do."""
    if part.needs:
        return tuple(part_of(case, n) for n in part.needs), frozenset({GRANTED})
    if case.filing.joint_rule is JointRule.ORDERED and part.index > 1:
        return (part_of(case, part.index - 1),), frozenset({GRANTED, DETACHED})
    return (), frozenset()


def _ready(case: Case, part: JointPart) -> bool:
    rule = case.filing.joint_rule
    if rule is JointRule.ALL_OR_NONE and failed(case):
        return False
    if rule is JointRule.ORDERED and any(not p.result for p in case.parts if p.index < part.index):
        return False
    needed, enough = _needed(case, part)
    return all(p.result in enough for p in needed)


def _vain(case: Case, part: JointPart) -> bool:
    if case.filing.joint_rule is JointRule.ALL_OR_NONE and failed(case):
        return True
    needed, enough = _needed(case, part)
    return any(p.result and p.result not in enough for p in needed)


def verdict(case: Case) -> bool:
    """Whether the whole is granted, once all parts have answered.

    all_or_none and ordered: every part that was not detached is granted. best_effort: at least one is. A
    principal part settles it where the plan names one, except under all_or_none.
    """
    counted = [p for p in case.parts if p.result != DETACHED]
    rule, principal = case.filing.joint_rule, case.filing.principal
    if principal and rule is not JointRule.ALL_OR_NONE:
        return part_of(case, principal).result == GRANTED
    granted = [p.result == GRANTED for p in counted]
    return bool(granted) and (any(granted) if rule is JointRule.BEST_EFFORT else all(granted))


def file_part(m: Moment, command: c.FilePart, after: e.After) -> Fact:
    """Raises PARTS_PENDING when the rule does not let it be filed yet."""
    part = part_of(m.case, command.index)
    need(_open(part), Code.NOTHING_TO_DO, "index", "the part is filed or has answered")
    need(part.index in fileable(m.case), Code.PARTS_PENDING, "index", "the part is not due")
    need(command.case_number, Code.BAD_VALUE, "case_number")
    return e.PartFiled(command.index, command.case_number), replace(after, parties=_kept_by(m.case, part))


def _kept_by(case: Case, part: JointPart) -> tuple[CaseParty, ...]:
    """The parties, and the region of the part: the lead is then not with its own region alone."""
    if any(party.region == part.region for party in case.parties):
        return case.parties
    return (*case.parties, CaseParty(part.region, CaseRole.PART, case.version + 1))


def fold_part(m: Moment, command: c.FoldPart, after: e.After) -> Fact:
    """A newer word of a filed part, or the lapse of one that cannot be filed any more."""
    told = command.part
    known = part_of(m.case, told.index)
    need(told.result in RESULTS, Code.BAD_VALUE, "part.result")
    need(told.case_number == known.case_number, Code.NO_SUCH_PART, "part.case_number")
    need(known.result != DETACHED, Code.NOTHING_TO_DO, "part", "the part was detached")
    if known.case_number:
        need(told.version > known.version, Code.NOTHING_TO_DO, "part.version", "is known")
    else:
        vain = told.result == LAPSED and known.index in hopeless(m.case)
        need(vain, Code.NOTHING_TO_DO, "part", "the part is not filed")
    folded = replace(known, version=told.version, result=told.result)
    return e.PartFolded(folded), after


def detach_part(m: Moment, command: c.DetachPart, after: e.After) -> Fact:
    """Only a part that has not answered: the whole goes on without it."""
    part = part_of(m.case, command.index)
    need(not part.result, Code.NOTHING_TO_DO, "index", "the part has answered")
    need(command.reason, Code.REASON_MISSING, "reason")
    return e.PartDetached(command.index, command.reason), after


VERBS: Mapping[type[c.Command], Verb] = {
    c.FilePart: file_part,
    c.FoldPart: fold_part,
    c.DetachPart: detach_part,
}
