"""Which stories make up the input, and how many of each.

Knows the cast; the order of the lines is that of filing. Must not know how a story is told.
"""

from tools.filings import facts, faults, joints, limits, ordinary, refusals, stages, windows
from tools.filings.line import Line
from tools.filings.scene import Scene

SEED = 20260914


def tell() -> list[Line]:
    """All lines, in the order in which they are filed."""
    scene = Scene(SEED)
    ordinary.every_matter(scene)
    ordinary.special_bodies(scene)
    _unusual(scene)
    _faults(scene)
    _stages(scene)
    joints.every_plan(scene)
    refusals.numbers(scene)
    refusals.authorities(scene)
    refusals.forms(scene)
    for n in (4, 40):
        refusals.repeated(scene, scene.lines[n])
    return sorted(scene.lines, key=lambda line: (line.at, line.request_id))


def _unusual(scene: Scene) -> None:
    codes = [c for c in scene.matters("full_online", "collect_on_behalf", rule=False) if _for_persons(c)]
    for index, who in enumerate(refusals.unusual(scene)):
        matter = codes[(index * 7) % len(codes)]
        names = ("旧号码、停用区划或护照", "an old number, a retired area code or a passport")
        old = "fifteen_digits" if len(who.given) == 15 else "unusual_number"
        line = ordinary.plain(scene, matter, index % 9, names, who=who)
        line.faults.append(old)


def _faults(scene: Scene) -> None:
    some = [c for c in scene.matters("full_online", "collect_on_behalf", rule=False) if _steady(c)]
    for index in range(14):
        faults.corrected(scene, some[index * 3 % len(some)], index % 9, 1 + index % 4)
    for index in range(3):
        faults.field_corrected(scene, some[(index * 5 + 1) % len(some)], index * 2)
        faults.refused(scene, some[(index * 4 + 2) % len(some)], index * 3)
    for index, matter in enumerate([c for c in some if _many(c)][:2]):
        faults.second_list(scene, matter, index)
    for index, region in enumerate(("33", "33", "31", "34")):
        matter = [c for c in some if facts.placements()[c]["place"] != "filing"][index * 6]
        faults.unanswered(scene, matter, index, region)
    lackable = [c for c in some if _lackable(c)]
    for index in range(3):
        faults.lack(scene, lackable[index * 2], index * 2, supplied=True)
        faults.lack(scene, lackable[index * 2 + 1], index * 2, supplied=False)
    faults.lack_elsewhere(scene, lackable[7], 2)
    for index in range(4):
        faults.withdrawn(scene, some[index * 4 + 3], index, ("early", "review", "late", "review")[index])
    for index in range(5):
        faults.race(scene, some[index * 4 + 5], index)


def _stages(scene: Scene) -> None:
    some = [c for c in scene.matters("full_online", "collect_on_behalf", rule=False) if _steady(c)]
    long = [c for c in some if _decision(c) >= 5]
    for index in range(4):
        faults.late_notice(scene, some[index * 5 + 2], index)
    for index in range(3):
        stages.special(scene, long[index], index, overdue=False)
    stages.special(scene, long[4], 0, overdue=True)
    for index, matter in enumerate(("MR-002", "MR-003", "MR-005", "MR-015")):
        stages.extended(scene, matter, index)
    for index, matter in enumerate([c for c in long if facts.placements()[c]["level"] == "county"][:2]):
        stages.passed_up(scene, matter, index * 2 + 1)
    for index, answered in enumerate((True, False, True)):
        target = "origin" if index == 2 else "competent"
        stages.bad_rating(scene, some[index * 7 + 1], index, answered=answered, target=target)
    for index in range(2):
        stages.suspended(scene, long[index + 5], index)
        stages.lost(scene, long[index + 8], index + 1)
        stages.wrong_officer(scene, long[index + 10], index + 2)
    papers = [c for c in scene.matters("collect_on_behalf", rule=False) if _original(c)]
    for index, matter in enumerate(papers[:8]):
        windows.originals(scene, matter, index % 6, posted=index % 2 == 0)
    windows.held(scene, 1, "SS-006", "SS-008")
    windows.held(scene, 3, "HI-008", "SS-009")


def _for_persons(code: str) -> bool:
    return bool(facts.matters()[code]["applicant"] == "person")


def _steady(code: str) -> bool:
    """A person's matter whose list is the same in all provinces and in any circumstances."""
    same = {tuple(r["code"] for r in limits.required(code, region)) for region in facts.REGIONS}
    return _for_persons(code) and len(same) == 1 and facts.placements()[code]["place"] != "filing"


def _many(code: str) -> bool:
    return len(limits.required(code, "32")) > 1


def _lackable(code: str) -> bool:
    return any(row["lackable"] == "yes" for row in limits.required(code, "33"))


def _original(code: str) -> bool:
    return all(any(r["original"] == "yes" for r in limits.required(code, region)) for region in facts.REGIONS)


def _decision(code: str) -> int:
    return min(limits.terms(code, area).decision.value for area in ("310115", "320509", "330106", "340803"))
