"""Stories of an unusual handling: special procedure, extension, passing up, bad ratings, suspension, loss.

Knows the side ways of the review and of what follows it. Must not know faults of papers (`faults`).
"""

from tools.filings import facts
from tools.filings.line import Line, moment
from tools.filings.ordinary import delivered, ended, ordinary, reviewed
from tools.filings.scene import Scene


def special(scene: Scene, matter: str, day: int, *, overdue: bool) -> Line:
    """A procedure that does not count; too long, its own light is red and the decision's is not."""
    names = ("特别程序(现场核查)，不计入办理时限", "a special procedure: the clock stands")
    if overdue:
        names = ("特别程序超期，红灯亮在程序上", "a special procedure over its own limit")
    line, course, accepted = ordinary(scene, matter, day, names)
    line.faults.append("special_overdue" if overdue else "special")
    course.review(moment(accepted, 2))
    course.open_special(moment(accepted, 2), "inspection")
    back = accepted + (course.terms.procedure.value + 1 if overdue else 4)
    course.end_special(moment(back, 0))
    course.finish(moment(back, 1), 3)
    course.decide(moment(back, 1))
    course.seen(moment(back, 1))
    return ended(line, course)


def extended(scene: Scene, matter: str, day: int) -> Line:
    """Longer once, by the head; not twice."""
    names = ("经负责人批准延长一次", "extended once by the head")
    line, course, accepted = ordinary(scene, matter, day, names)
    line.faults.append("extension")
    course.review(moment(accepted, 2))
    course.finish(moment(accepted, 2))
    last = accepted + course.terms.decision.value
    course.extend(moment(last, 0))
    again = "再次延长 / once more"
    course.did(moment(last, 1), "head", "extend", reason=again, refused="NOT_IN_TABLE")
    course.finish(moment(last + 1, 1), 2)
    course.decide(moment(last + 1, 1))
    course.seen(moment(last + 1, 1))
    return ended(line, course)


def passed_up(scene: Scene, matter: str, day: int) -> Line:
    """The county passes it to the city: the number stays, a new clock runs."""
    names = ("转报上级机关", "passed up to a higher body")
    line, course, accepted = ordinary(scene, matter, day, names)
    line.faults.append("passed_up")
    course.review(moment(accepted, 2))
    department = facts.placements()[matter]["department"]
    city = facts.city_of()[course.body.area]
    course.pass_up(moment(accepted + 1, 0), f"{department}-{city}")
    course.take_up(moment(accepted + 2, 0))
    course.finish(moment(accepted + 2, 1), 3)
    course.decide(moment(accepted + 2, 1))
    course.seen(moment(accepted + 2, 1))
    return ended(line, course)


def bad_rating(scene: Scene, matter: str, day: int, *, answered: bool, target: str = "competent") -> Line:
    """Two stars for one side: that side, and no other, owes a contact."""
    names = (
        ("差评后一个工作日内联系", "a bad rating, answered in time")
        if answered
        else ("差评逾期未联系，亮红灯", "a bad rating, answered late")
    )
    line, course, accepted = ordinary(scene, matter, day, names)
    line.faults.append("bad_rating")
    reviewed(course, accepted, accepted + 1)
    course.seen(moment(accepted + 1, 1))
    other = "origin" if target == "competent" else "competent"
    course.rate(moment(accepted + 2, 0), target, 2 if answered else 1)
    course.rate(moment(accepted + 2, 1), other, 5)
    course.did(
        moment(accepted + 2, 2),
        "applicant",
        "rate",
        rating={"target": target, "stars": 5},
        refused="ALREADY_RATED",
    )
    course.answer_rating(moment(accepted + (3 if answered else 5), 0), target)
    return ended(line, course)


def suspended(scene: Scene, matter: str, day: int) -> Line:
    """By court order every clock stands; it resumes where it was."""
    names = ("依司法文书挂起后恢复", "suspended by court order, resumed")
    line, course, accepted = ordinary(scene, matter, day, names)
    line.faults.append("suspended")
    course.suspend(moment(accepted + 1, 0))
    course.resume(moment(accepted + 6, 0))
    reviewed(course, accepted + 6, accepted + 7)
    course.seen(moment(accepted + 7, 1))
    return ended(line, course)


def lost(scene: Scene, matter: str, day: int) -> Line:
    """The parcel is lost and another is sent; no clock moves."""
    names = ("快递遗失，重新寄送", "a parcel is lost and sent again")
    line, course, accepted = ordinary(scene, matter, day, names, way="courier")
    line.faults.append("lost_parcel")
    last = accepted + 1
    reviewed(course, accepted, last)
    course.dispatch(moment(last + 1, 0), "out-1")
    course.did(moment(last + 3, 0), "officer", "report_lost", shipment_id="out-1")
    course.dispatch(moment(last + 3, 1), "out-2")
    course.hand_over(moment(last + 4, 1))
    course.seen(moment(last + 4, 1))
    return ended(line, course)


def wrong_officer(scene: Scene, matter: str, day: int) -> Line:
    """An officer of another authority has no say; the denial has its reasons."""
    names = ("他处机关无权办理", "an officer of another authority has no say")
    line, course, accepted = ordinary(scene, matter, day, names)
    line.faults.append("wrong_officer")
    code = course.body.authority
    other = f"{code.rpartition('-')[0]}-{'320509' if code.endswith('320505') else '320505'}"
    course.did(moment(accepted, 2), "officer", "start_review", authority=other, refused="WRONG_AUTHORITY")
    reviewed(course, accepted, accepted + 1, denied=True)
    delivered(scene, course, accepted + 1)
    return ended(line, course)
