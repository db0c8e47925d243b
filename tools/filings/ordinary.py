"""Stories in which nothing unusual happens, or only a denial, a late decision, paper, or a rule that decides.

Knows the pace of offices. Must not know faults of filings (`faults`).
"""

from dataclasses import replace
from datetime import date

from tools.filings import facts, limits
from tools.filings.course import Course
from tools.filings.line import Line, moment
from tools.filings.scene import Scene

Names = tuple[str, str]
PLAIN: Names = ("一般办件", "an ordinary case")
DENIED: Names = ("依法不予批准，说明理由", "denied with reasons")
LATE: Names = ("决定超期，亮红灯", "decided late: a red light")
COURIER: Names = ("结果快递送达", "the result goes by courier")
PICKUP: Names = ("结果在收件窗口领取", "the result is fetched at the window")
AGENT: Names = ("委托代办", "an agent files")
LOCAL: Names = ("在本市办理，不跨省", "decided where it is filed")
GRANTS: Names = ("自动规则准予", "the rule grants")
DENIES: Names = ("自动规则不予批准", "the rule denies")
LEAVES: Names = ("自动规则交由人工", "the rule leaves it to an officer")
FUND: Names = ("公积金中心仍存15位号码", "the fund still holds fifteen digits")
REASONS = "登记信息与所述不符 / the register says otherwise"
REMEDY = "六十日内可申请行政复议 / review may be asked for within sixty days"

REGISTERS: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "HF-001": ({"query.record": "found"}, {"query.record": "none"}),
    "SS-011": ({"query.record": "found"}, {"query.record": "none"}),
    "SS-012": ({"query.record": "found"}, {"query.record": "none"}),
    "SS-024": ({"query.record": "found"}, {"query.record": "none"}),
    "LB-007": ({"query.record": "found"}, {"query.record": "none"}),
    "ED-001": ({"query.record": "found"}, {"query.record": "none"}),
    "ED-002": ({"query.record": "found"}, {"query.record": "none"}),
    "HE-007": ({"query.record": "found"}, {"query.record": "none"}),
    "TP-005": ({"query.record": "found"}, {"query.record": "none"}),
    "HF-007": ({"fund.loan": "repaid"}, {"fund.loan": "open"}),
    "PS-001": ({"police.household": "found"}, {"police.household": "not_found"}),
    "PS-002": ({"police.record": "sealed"}, {"police.record": "found"}),
    "LB-001": ({"social.employment": "none"}, {"social.employment": "insured"}),
    "CA-004": (
        {"archives.record": "found", "archives.person": "applicant"},
        {"archives.record": "found", "archives.person": "another"},
    ),
    "CA-005": (
        {"archives.record": "found", "archives.person": "applicant"},
        {"archives.record": "not_found", "archives.person": "applicant"},
    ),
    "TX-005": ({"tax.paid_in_period": "yes"}, {"tax.paid_in_period": "no"}),
}
"""What a register says when the rule is to grant, and when it is to deny."""
UNCLEAR = {
    "query.record": "conflict",
    "fund.loan": "conflict",
    "police.household": "conflict",
    "police.record": "conflict",
    "social.employment": "conflict",
    "tax.paid_in_period": "conflict",
    "archives.record": "conflict",
    "archives.person": "applicant",
}


def taken_in(course: Course, day: int, slot: int = 1) -> None:
    """Checked for form where papers are received, or by the officer."""
    course.pre_check(moment(day, slot))


def reviewed(course: Course, day: int, last: int, *, denied: bool = False) -> None:
    """From the start of the review to the decision."""
    course.review(moment(day, 2))
    course.finish(moment(last, 1), 3)
    if denied:
        course.decide(moment(last, 1), granted=False, why=REASONS, remedy=REMEDY)
    else:
        course.decide(moment(last, 1))


def within(scene: Scene, course: Course, most: int = 5) -> int:
    """How many days a decision in time may take here."""
    return scene.dice.randint(1, max(1, min(course.terms.steps[0].value, most)))


def ordinary(
    scene: Scene, matter: str, day: int, names: Names = PLAIN, **how: object
) -> tuple[Line, Course, int]:
    """Filed, accepted and reviewed; returns the day of the decision, which is still to be made."""
    line, course = scene.open(matter, day, names, **how)  # type: ignore[arg-type]  # passed on as given
    taken_in(course, day)
    accepted = day + scene.dice.randint(0, 2)
    course.accept(moment(accepted, 2))
    return line, course, accepted


def plain(scene: Scene, matter: str, day: int, names: Names = PLAIN, **how: object) -> Line:
    """An ordinary case to its end."""
    line, course, accepted = ordinary(scene, matter, day, names, **how)
    last = accepted + within(scene, course)
    reviewed(course, accepted, last)
    delivered(scene, course, last)
    rated(scene, course, last + 1)
    return ended(line, course)


def denied(scene: Scene, matter: str, day: int) -> Line:
    """A denial is delivered like a grant."""
    line, course, accepted = ordinary(scene, matter, day, DENIED)
    last = accepted + within(scene, course)
    reviewed(course, accepted, last, denied=True)
    delivered(scene, course, last)
    return ended(line, course)


def late(scene: Scene, matter: str, day: int) -> Line:
    """The authority lets its limit pass."""
    line, course, accepted = ordinary(scene, matter, day, LATE)
    line.faults.append("late_decision")
    reviewed(course, accepted, accepted + course.terms.decision.value + 1)
    course.seen(moment(accepted + course.terms.decision.value + 1, 1))
    assert course.overdue
    return ended(line, course)


def delivered(scene: Scene, course: Course, day: int) -> None:
    """On paper, where that was wished for; else the node did it."""
    if course.state == "closed":
        course.seen(moment(day, 1))
        return
    course.dispatch(moment(day + 1, 0), "out-1")
    when = moment(day + 2 + scene.dice.randint(0, 1), 1)
    course.hand_over(when, "window" if course.way == "pickup" else "applicant")
    course.seen(when)


def rated(scene: Scene, course: Course, day: int) -> None:
    """Some rate one side or both."""
    if course.state != "closed" or scene.dice.random() > 0.25:
        return
    course.rate(moment(day + 2, 1), "competent", scene.dice.choice((3, 4, 5, 5)))
    if scene.dice.random() < 0.4:
        course.rate(moment(day + 2, 2), "origin", scene.dice.choice((4, 5)))


def by_rule(scene: Scene, matter: str, day: int, kind: str) -> Line:
    """What the authority's registers say decides: grant, deny, or leave it to an officer."""
    names = {"grant": GRANTS, "deny": DENIES, "leave": LEAVES}[kind]
    agent = kind == "leave" and matter == "CA-004"
    who = scene.people.person(old=matter == "HF-001", born=date(1985, 4, 2) if matter == "LB-001" else None)
    line, course = scene.open(matter, day, names, f"rule_{kind}", who=who, agent=agent)
    said = REGISTERS[matter]
    line.registers = {"grant": said[0], "deny": said[1]}.get(kind) or {
        name: UNCLEAR[name] for name in said[0]
    }
    return ruled(line, course, day, kind)


def held_by_fund(scene: Scene, day: int, *, accounts: str) -> Line:
    """The fund still holds the old number of fifteen digits: upgraded, it is the same person's."""
    who = scene.people.person(old=True)
    kind = "grant" if accounts == "1" else "leave"
    line, course = scene.open(
        "HF-005",
        day,
        FUND,
        f"rule_{kind}",
        "fifteen_digits",
        who=replace(
            who, given=who.number, warnings=tuple(w for w in who.warnings if w != "UPGRADED_FROM_15")
        ),
    )
    line.registers = {"fund.id_no": who.given, "fund.name": who.name, "fund.accounts": accounts}
    return ruled(line, course, day, kind)


def ruled(line: Line, course: Course, day: int, kind: str) -> Line:
    """Decided by the node at once, or left to an officer."""
    if kind == "leave":
        taken_in(course, day)
        course.accept(moment(day + 1, 1))
        reviewed(course, day + 1, day + 1 + min(1, course.terms.decision.value))
        course.seen(moment(day + 1 + min(1, course.terms.decision.value), 1))
        return ended(line, course)
    if course.kind == "C":
        taken_in(course, day)
        course.by_rule(moment(day, 1), kind == "grant")
    else:
        course.by_rule(line.at, kind == "grant")
    return ended(line, course)


def ended(line: Line, course: Course) -> Line:
    """What must have come of it."""
    line.expect |= {"outcome": "filed", **course.outcome()}
    return line


def every_matter(scene: Scene) -> None:
    """Each matter that is not joint, some twice, over all cities, spread over the first days."""
    codes = [c for c in scene.matters("full_online", "collect_on_behalf") if c not in ("MR-014", "EE-001")]
    for turn in (0, 1):
        for index, code in enumerate(codes):
            if turn and index % 3:
                continue
            day = (index * 5 + turn * 3) % 11
            choice = (index + turn * 7) % 11
            if choice == 3:
                denied(scene, code, day)
            elif choice == 5:
                plain(scene, code, day, COURIER, way="courier")
            elif choice == 8:
                plain(scene, code, day, PICKUP, way="pickup")
            elif choice == 9 and not _asks_of_agents(code):
                plain(scene, code, day, AGENT, agent=True)
            elif choice == 10:
                plain(scene, code, day, LOCAL, home=True)
            else:
                plain(scene, code, day)


def _asks_of_agents(code: str) -> bool:
    return any(row["condition"] == "agent" for row in facts.materials().get(code, []))


def special_bodies(scene: Scene) -> None:
    """Late decisions, and what registers decide."""
    short = [c for c in scene.matters("full_online", rule=False) if _days(c) <= 5]
    for index in range(6):
        late(scene, short[index * 3], index)
    for index, code in enumerate(REGISTERS):
        by_rule(scene, code, index % 9, "grant")
        if index % 3 == 0:
            by_rule(scene, code, (index + 2) % 9, "deny")
        if index % 5 == 0:
            by_rule(scene, code, (index + 4) % 9, "leave")
    held_by_fund(scene, 1, accounts="1")
    held_by_fund(scene, 4, accounts="2")


def _days(code: str) -> int:
    place = facts.placements()[code]
    if place["place"] == "filing":
        return 99
    return max(limits.terms(code, area).decision.value for area in ("310115", "320509", "330106", "340803"))
