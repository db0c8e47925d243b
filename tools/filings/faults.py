"""Stories in which something goes wrong with the papers: corrections, lacks, refusals, withdrawals, lateness.

Knows what people do wrong and what the rules make of it. Must not know refused filings (`refusals`).
"""

from tools.filings import facts, limits
from tools.filings.course import Course
from tools.filings.line import Line, moment
from tools.filings.ordinary import ended, ordinary, reviewed, taken_in
from tools.filings.scene import Scene


def _soon(course: Course, day: int) -> None:
    """Accepted, reviewed and decided within the shortest of limits."""
    course.accept(moment(day, 2))
    reviewed(course, day, day + 1)
    course.seen(moment(day + 1, 1))


def corrected(scene: Scene, matter: str, day: int, wait: int) -> Line:
    """A required material is missing: one list, answered."""
    missing = _some_required(matter, scene)
    names = ("缺材料，一次性告知后补正", "a material is missing: told once, corrected")
    line, course = scene.open(matter, day, names, "missing_material", without=(missing,))
    taken_in(course, day)
    course.list_defects(moment(day + 1, 1), missing)
    course.correct(moment(day + 1 + wait, 1), missing)
    _soon(course, day + 1 + wait)
    return ended(line, course)


def field_corrected(scene: Scene, matter: str, day: int) -> Line:
    """What is to be corrected is a field of the form."""
    names = ("申请信息填写有误，补正", "a field of the form is corrected")
    line, course = scene.open(matter, day, names, "missing_material")
    taken_in(course, day)
    course.list_defects(moment(day + 1, 1), "field:applicant.phone")
    course.correct(moment(day + 3, 1), **{"applicant.phone": "10000000000"})
    _soon(course, day + 4)
    return ended(line, course)


def second_list(scene: Scene, matter: str, day: int) -> Line:
    """A second list for what could be known is refused; one for what came in later is not."""
    missing = _some_required(matter, scene)
    names = ("第二次补正告知：应一次告知的被拒", "a second list: refused for what was knowable")
    line, course = scene.open(matter, day, names, "missing_material", "second_list", without=(missing,))
    taken_in(course, day)
    course.list_defects(moment(day + 1, 1), missing)
    course.correct(moment(day + 3, 1), missing)
    other = next(
        (r["code"] for r in limits.required(matter, course.body.region) if r["code"] != missing), missing
    )
    defects = [{"code": other, "reason": "补充说明 / more", "knowable_since": "first"}]
    course.did(moment(day + 4, 0), "officer", "request_correction", defects=defects, refused="SECOND_LIST")
    course.list_defects(moment(day + 4, 1), missing, since="received")
    course.correct(moment(day + 5, 1), missing)
    _soon(course, day + 6)
    return ended(line, course)


def unanswered(scene: Scene, matter: str, day: int, region: str) -> Line:
    """The list is not answered: withdrawn where the province says so, else refused by an officer."""
    missing = _some_required(matter, scene)
    names = ("逾期不补正", "the correction list is not answered")
    line, course = scene.open(
        matter, day, names, "missing_material", "correction_overdue", without=(missing,), at=region
    )
    taken_in(course, day)
    course.list_defects(moment(day + 1, 0), missing)
    after = day + 1 + course.terms.correction.value + 2
    course.let_correction_lapse()
    if course.state == "correction":
        course.refuse(moment(after, 1), "correction_overdue", "逾期未补正 / not corrected in time")
    course.seen(moment(after, 1))
    return ended(line, course)


def lack(scene: Scene, matter: str, day: int, *, supplied: bool) -> Line:
    """Zhejiang accepts with a listed item lacking; it comes in time, or the acceptance is revoked."""
    item = next(r["code"] for r in limits.required(matter, "33") if r["lackable"] == "yes")
    names = (
        ("容缺受理，按期补齐", "accepted with a lack, supplied")
        if supplied
        else ("容缺受理，逾期未补，撤销受理", "accepted with a lack, not supplied: revoked")
    )
    line, course = scene.open(
        matter, day, names, "lack" if supplied else "lack_overdue", without=(item,), at="33"
    )
    taken_in(course, day)
    course.accept(moment(day, 2), item)
    if supplied:
        course.supply(moment(day + 1, 0), item)
        reviewed(course, day + 1, day + 2)
        course.seen(moment(day + 2, 1))
    else:
        course.let_lack_lapse()
        course.seen(moment(day + 8, 0))
    return ended(line, course)


def lack_elsewhere(scene: Scene, matter: str, day: int) -> Line:
    """Other provinces have no such rule: refused, and told once instead."""
    item = next(r["code"] for r in limits.required(matter, "34") if r["lackable"] == "yes")
    names = ("当地无容缺受理，改为补正", "no acceptance with a lack here: corrected")
    line, course = scene.open(matter, day, names, "missing_material", without=(item,), at="34")
    taken_in(course, day)
    course.did(moment(day + 1, 0), "officer", "accept_with_lack", lacks=[item], refused="LACK_NOT_ALLOWED")
    course.list_defects(moment(day + 1, 1), item)
    course.correct(moment(day + 2, 1), item)
    _soon(course, day + 3)
    return ended(line, course)


def refused(scene: Scene, matter: str, day: int) -> Line:
    """Not accepted, with reasons in writing and where to go."""
    names = ("不予受理，书面说明理由", "not accepted, with reasons in writing")
    line, course = scene.open(matter, day, names, "refusal")
    taken_in(course, day)
    course.refuse(moment(day + 2, 1), "not_eligible", "不符合申请条件 / the conditions are not met", "12345")
    course.seen(moment(day + 2, 1))
    return ended(line, course)


def late_notice(scene: Scene, matter: str, day: int) -> Line:
    """Nobody says anything for five days: accepted from the day of receipt, and a list is too late."""
    names = ("逾期未告知，自收件之日视为受理", "a late notice: deemed accepted from receipt")
    line, course = scene.open(matter, day, names, "late_notice")
    taken_in(course, day)
    after = day + course.terms.notice.value + 1
    course.let_notice_pass()
    defects = [
        {
            "code": limits.required(matter, course.body.region)[0]["code"],
            "reason": "缺少 / missing",
            "knowable_since": "first",
        }
    ]
    course.did(moment(after, 0), "officer", "request_correction", defects=defects, refused="NOTICE_LATE")
    reviewed(course, after, after + 1)
    course.seen(moment(after + 1, 1))
    return ended(line, course)


def withdrawn(scene: Scene, matter: str, day: int, stage: str) -> Line:
    """Taken back while filed, while under review, or too late."""
    names = {
        "early": ("受理前撤回", "withdrawn before acceptance"),
        "review": ("审批中撤回", "withdrawn under review"),
        "late": ("办结后申请撤回，不予准许", "a withdrawal that comes too late"),
    }[stage]
    if stage == "early":
        line, course = scene.open(matter, day, names, "withdrawal")
        taken_in(course, day)
        course.withdraw(moment(day + 1, 0))
        course.seen(moment(day + 1, 0))
        return ended(line, course)
    line, course, accepted = ordinary(scene, matter, day, names)
    line.faults.append("withdrawal")
    if stage == "review":
        course.review(moment(accepted, 2))
        course.withdraw(moment(accepted + 1, 0))
    else:
        reviewed(course, accepted, accepted + 1)
        course.withdraw(moment(accepted + 1, 2), refused="NOT_IN_TABLE")
    course.seen(moment(accepted + 1, 2))
    return ended(line, course)


def race(scene: Scene, matter: str, day: int) -> Line:
    """A withdrawal and the decision at the same moment: one of them comes first, never both."""
    names = ("撤回与决定同时发生", "a withdrawal races the decision")
    line, course, accepted = ordinary(scene, matter, day, names)
    line.faults += ["withdrawal", "race"]
    course.review(moment(accepted, 2))
    course.finish(moment(accepted + 1, 0), 3)
    at = moment(accepted + 1, 1)
    course.did(at, "applicant", "withdraw", reason="改变计划 / plans changed", beside=True)
    course.decide(at)
    course.seen(at, "closed|withdrawn")
    ended(line, course)
    lights = {kind: light for kind, light in line.expect["lights"].items() if kind != "delivery"}
    line.expect["or"] = {
        "state": "withdrawn",
        "granted": None,
        "reason": "改变计划 / plans changed",
        "lights": lights,
    }
    return line


def _some_required(matter: str, scene: Scene) -> str:
    """A material that every province asks for."""
    shared = [r["code"] for r in limits.required(matter, "32")]
    found = [
        c for c in shared if all(c in {r["code"] for r in limits.required(matter, x)} for x in facts.REGIONS)
    ]
    return scene.dice.choice(found)
