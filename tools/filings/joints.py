"""Joint cases: a lead and its parts under three rules, with every way in which they can end.

Knows which part may be filed when, and what the whole then is. Any number of parts.
"""

from datetime import datetime
from typing import Any

from tools.filings import facts
from tools.filings.course import Course
from tools.filings.line import Line, moment
from tools.filings.ordinary import REASONS, REMEDY
from tools.filings.scene import Scene

GRANTED, DENIED, LAPSED, WITHDRAWN = "granted", "denied", "lapsed", "withdrawn"
TITLES = {
    "ordered": ("多地联办·依次办理", "joint, one part after the other"),
    "all_or_none": ("多地联办·同时生效", "joint, all or none"),
    "best_effort": ("多地联办·各自办理", "joint, each by itself"),
}


def joint(
    scene: Scene, matter: str, day: int, *, denied: tuple[int, ...] = (), corrected: int = 0, **how: Any
) -> Line:
    """A joint case to its end. denied: positions denied; corrected: one that tells a list first."""
    plan = facts.plans()[matter]
    rule, titles = plan["rule"], TITLES[plan["rule"]]
    line, lead = scene.open(matter, day, titles, f"joint_{rule}", **how)
    parts = scene.parts(line)
    _taken_in(lead, day)
    results: dict[int, str] = {}
    at = lead_at = moment(day, 1)
    if rule == "ordered":
        for part in parts:
            if any(results[_index(plan, code)] != GRANTED for code in plan["parts"][part.part - 1]["needs"]):
                results[part.part] = LAPSED
                continue
            at, results[part.part] = _handled(scene, part, at, part.part in denied, part.part == corrected)
    else:
        at = _side_by_side(scene, parts, lead_at, denied, corrected, results)
    lead.granted = _verdict(plan, results)
    return _ended(line, lead, parts, results, at)


def _taken_in(lead: Course, day: int) -> None:
    """The window checks; the node accepts, begins and files the parts."""
    at = moment(day, 1)
    lead.pre_check(at)
    lead.clocks.end(at, "notice")
    lead.clocks.start("decision", lead.terms.decision, at)
    lead.state = "in_review"
    lead.seen(at)


def _next(at: datetime, days: int, slot: int) -> datetime:
    """A slot so many working days later."""
    day = 0
    while moment(day).date() < at.date():
        day += 1
    return moment(day + days, slot)


def _handled(
    scene: Scene, part: Course, filed: datetime, deny: bool, correct: bool, slot: int = 0
) -> tuple[datetime, str]:
    """One part from its filing to its decision. Returns when, and how it ended."""
    part.filed(filed)
    part.seen(filed)
    wait = _next(filed, scene.dice.randint(0, 1), 2)
    part.pre_check(wait)
    if correct:
        code = part.line.filing["materials"][0]["code"]
        part.list_defects(_next(wait, 1, 0), code)
        part.correct(_next(wait, 2, 0), code)
        wait = _next(wait, 2, 2)
    part.accept(wait)
    part.review(wait)
    last = _next(wait, 1, slot)
    part.finish(last, 3)
    if deny:
        part.decide(last, granted=False, why=REASONS, remedy=REMEDY)
    else:
        part.decide(last)
    part.seen(last)
    return last, DENIED if deny else GRANTED


def _side_by_side(
    scene: Scene,
    parts: list[Course],
    filed: datetime,
    denied: tuple[int, ...],
    corrected: int,
    results: dict[int, str],
) -> datetime:
    """All parts at once; under all_or_none a grant waits for the others, and lapses with them."""
    ends: dict[int, datetime] = {}
    for part in parts:
        ends[part.part], results[part.part] = _handled(
            scene, part, filed, part.part in denied, part.part == corrected, slot=part.part % 3
        )
    last = max(ends.values())
    failed = min((ends[n] for n in denied), default=None)
    for part in parts:
        if not part.waits or part.part in denied:
            continue
        if failed is None:
            part.clocks.resume(last, "others")
            part.delivered(last)
        else:
            when = max(failed, ends[part.part])
            part.clocks.end(when)
            part.state, part.reason = "closed", "others_not_granted"
            results[part.part] = LAPSED
            last = max(last, when)
    return last


def _index(plan: dict[str, Any], code: str) -> int:
    return next(n for n, part in enumerate(plan["parts"], 1) if part["code"] == code)


def _verdict(plan: dict[str, Any], results: dict[int, str]) -> bool:
    """Under all_or_none every part; else the principal part settles it for the citizen."""
    if plan["rule"] == "all_or_none":
        return all(result == GRANTED for result in results.values())
    return results[_index(plan, plan["principal"])] == GRANTED


def _ended(line: Line, lead: Course, parts: list[Course], results: dict[int, str], at: datetime) -> Line:
    """The node decides and closes the lead."""
    granted = bool(lead.granted)
    lead.decided(at, granted)
    lead.seen(at)
    told = []
    for part in parts:
        filed = bool(part.clocks.all)
        told.append({"index": part.part, "result": results[part.part], **(part.outcome() if filed else {})})
        if filed:
            line.act(at, "", "await", part=part.part, when=part.state)
    line.expect |= {"outcome": "filed", **lead.outcome(), "parts": told}
    return line


def withdrawn(scene: Scene, matter: str, day: int, *, early: bool) -> Line:
    """The whole is withdrawn: before its parts are filed, or while they are out."""
    names = ("联办整体撤回", "a joint case is withdrawn as a whole")
    line, lead = scene.open(matter, day, names, "withdrawal", "joint_withdrawn")
    if early:
        lead.withdraw(moment(day, 2))
        lead.seen(moment(day, 2))
        untouched = [{"index": n, "result": ""} for n, _ in enumerate(facts.plans()[matter]["parts"], 1)]
        line.expect |= {"outcome": "filed", **lead.outcome(), "parts": untouched}
        return line
    parts = scene.parts(line)
    _taken_in(lead, day)
    at = moment(day + 2, 1)
    for part in parts:
        part.filed(moment(day, 1))
        part.seen(moment(day, 1))
        part.pre_check(moment(day + 1, 0))
    lead.withdraw(at)
    for part in parts:
        part.clocks.end(at)
        part.state, part.reason = "withdrawn", lead.reason
        part.seen(at)
    lead.seen(at)
    told = [{"index": p.part, "result": WITHDRAWN, **p.outcome()} for p in parts]
    line.expect |= {"outcome": "filed", **lead.outcome(), "parts": told}
    return line


def every_plan(scene: Scene) -> None:
    """Each joint matter once, then those that end otherwise."""
    for index, matter in enumerate(facts.plans()):
        joint(scene, matter, index % 8)
    joint(scene, "LB-006", 1, denied=(2,))
    joint(scene, "TX-002", 2, denied=(1,))
    joint(scene, "OT-008", 0, denied=(4,))
    joint(scene, "OT-008", 3, corrected=2)
    joint(scene, "SS-025", 2, denied=(3,))
    joint(scene, "OT-004", 4, denied=(1,))
    joint(scene, "OT-001", 1, denied=(3,))
    joint(scene, "HF-006", 3, denied=(1,))
    joint(scene, "PS-005", 5, denied=(2,))
    joint(scene, "OT-003", 2, corrected=1)
    joint(scene, "HI-002", 4, agent=True)
    withdrawn(scene, "TX-002", 3, early=True)
    withdrawn(scene, "LB-003", 4, early=False)
