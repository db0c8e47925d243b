"""Where and by whom something is filed: cities in turn, persons drawn, a filing put together.

Knows how a filing is stated. Must not know what becomes of it (`course`, `stories`).
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

from tools.filings import competence, facts, limits
from tools.filings.competence import Body
from tools.filings.course import Course
from tools.filings.line import Line, moment
from tools.filings.people import Party, Registry

KINDS = {"full_online": "F", "collect_on_behalf": "C", "joint": "L"}
ANSWERS = {"PS-001": {"purpose": "item_changed"}, "TX-005": {"period": "2026-01/2026-06"}}
ROAD = "演示路 100 号 / 100 Demo Road"


@dataclass(slots=True)
class Scene:
    """What the stories draw from; the same seed gives the same filings."""

    seed: int
    dice: random.Random = field(init=False)
    people: Registry = field(init=False)
    lines: list[Line] = field(default_factory=list)
    _cities: Iterator[str] = field(init=False)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        self.people = Registry(random.Random(self.seed + 1))
        order = list(facts.cities())
        self.dice.shuffle(order)
        self._cities = cycle(order)

    def county(self, city: str) -> str:
        """Some county of that city."""
        return self.dice.choice(facts.counties()[city])

    def abroad(self, region: str, not_in: tuple[str, ...] = ()) -> str:
        """Some county of another province than `region` and, while there is one, than those of `not_in`."""
        others = [r for r in facts.REGIONS if r != region and r not in not_in]
        chosen = self.dice.choice(others or [r for r in facts.REGIONS if r != region])
        return self.county(self.dice.choice([c for c in facts.cities() if c.startswith(chosen)]))

    def matters(self, *modes: str, rule: bool | None = None, region: str = "") -> list[str]:
        """Codes of matters with those modes; rule: only with, only without a decision rule."""
        found = []
        for code, matter in facts.matters().items():
            has = bool(facts.placements()[code]["rule"])
            if matter["handling_mode"] in modes and (rule is None or rule is has):
                found.append(code)
        return [c for c in found if not region or facts.placements()[c]["place"] != "filing"]

    def places(self, matter: str, origin: str, at: str = "", home: bool = False) -> dict[str, str]:
        """What the applicant says: each kind of place in another province; at: all in this one."""
        found: dict[str, str] = {}
        taken: tuple[str, ...] = ()
        for kind in competence.kinds_of_places(matter):
            if home:
                place = self.county(facts.city_of()[origin])
            elif at:
                place = self.county(self.dice.choice([c for c in facts.cities() if c.startswith(at)]))
            else:
                place = self.abroad(origin[:2], taken)
            taken = (*taken, place[:2])
            found[kind] = place
        return found

    def open(
        self,
        matter: str,
        day: int,
        title: tuple[str, str],
        *faults: str,
        slot: int = 0,
        origin: str = "",
        places: dict[str, str] | None = None,
        at: str = "",
        home: bool = False,
        who: Party | None = None,
        agent: bool = False,
        way: str = "",
        without: tuple[str, ...] = (),
        standing: bool = True,
        **said: Any,
    ) -> tuple[Line, Course]:
        """A filing on the n-th working day and, if it stands, the course that begins with it.

        at: the competent province; home: everything in the filing city; without: material codes left out;
        said: fields of the filing in place of the usual ones.
        """
        mode = facts.matters()[matter]["handling_mode"]
        origin = origin or self.county(self._next_city(at))
        places = self.places(matter, origin, at, home) if places is None else places
        firm = facts.matters()[matter]["applicant"] == "enterprise"
        party = who or (self.people.firm() if firm else self.people.person())
        way = way or "electronic"
        window = mode == "collect_on_behalf" or (mode == "joint" and self.dice.random() < 0.5)
        wanted = limits.wanted(matter, origin[:2]) if mode == "joint" else ()
        request_id = f"demo-{len(self.lines) + 1:04}"
        filing: dict[str, Any] = {
            "matter": matter,
            "origin_area": origin,
            "channel": "window" if window else "online",
            "applicant": party.stated(),
            "consent": f"consent-{request_id}",
            "places": places,
            "delivery": {"way": way, **({"address": ROAD} if way == "courier" else {})},
        }
        warnings = list(party.warnings)
        if agent:
            other = self.people.person()
            warnings += other.warnings
            filing |= {"agent": other.stated(), "mandate": f"mandate-{request_id}"}
        if matter in ANSWERS:
            filing["facts"] = ANSWERS[matter]
        line = Line(
            request_id,
            moment(day, slot),
            origin[:2],
            "window" if window else "applicant",
            filing,
            title,
            list(faults),
        )
        line.number = party.number
        self.lines.append(line)
        body = competence.decides(matter, origin, places) if standing else Body(origin[:2], "", origin)
        rows = wanted or limits.required(matter, body.region)
        filing["materials"] = [{"code": r["code"]} for r in rows if r["code"] not in without]
        filing |= said
        if not said.get("reuse_held"):
            warnings += ["MATERIAL_MISSING" for r in rows if r["code"] in without]
        if warnings and standing:
            line.expect["warnings"] = warnings
        course = (
            Course(line, limits.terms(matter, body.area), body, KINDS[mode], way=way)
            if standing
            else _none(line)
        )
        if standing:
            course.filed(line.at)
            line.expect["notice_due"] = course.clocks.all[0].due_at
        return line, course

    def parts(self, line: Line, way: str = "electronic") -> list[Course]:
        """The courses of the parts of a joint case, in order; each still to be filed."""
        matter, origin = line.filing["matter"], line.filing["origin_area"]
        plan = facts.plans()[matter]
        found = []
        for index, part in enumerate(plan["parts"], 1):
            body = competence.body(part, origin, line.filing["places"])
            terms = limits.terms(matter, body.area, part["code"])
            waits = plan["rule"] == "all_or_none"
            found.append(Course(line, terms, body, "U", part=index, way=way, waits=waits))
        return found

    def _next_city(self, not_in: str) -> str:
        while (city := next(self._cities))[:2] == not_in:
            pass
        return city


def _none(line: Line) -> Course:
    """A course that never begins."""
    some = competence.decides("SS-011", "310115", {"insured": "310115"})
    return Course(line, limits.terms("SS-011", some.area), some, "F")
