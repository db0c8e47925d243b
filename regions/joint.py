"""Joint matters: which parts, decided where, and how their results belong together.

Knows the plan of each joint matter (joint.toml, authored). Must not know cases: a node
files a part as a case of its own. Any number of parts, in any number of regions.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from regions.datafiles import DATA, Record, read_table
from regions.matter import HandlingMode, Matter, PlaceKind, Provenance
from regions.region import Level


class JointRule(StrEnum):
    """all_or_none: a decided part waits for the others; best_effort: each by itself;
    ordered: part k + 1 is filed on the result of part k.
    """

    ALL_OR_NONE = "all_or_none"
    BEST_EFFORT = "best_effort"
    ORDERED = "ordered"


@dataclass(frozen=True, slots=True)
class JointPart:
    """One part. code: unique in its plan; matter: the matter this part is a case of (the
    plan's own matter where the part is a side of it); needs: codes of parts whose grant
    this part cannot do without; supplied: material codes that the results of earlier
    parts bring, so that the applicant is not asked for them.
    """

    code: str
    matter: str
    name_zh: str
    name_en: str
    department: str
    place: PlaceKind
    level: Level
    needs: tuple[str, ...]
    supplied: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class JointPlan:
    """The parts of a joint matter in their order. principal: code of the part whose
    decision settles the matter for the citizen.
    """

    matter: str
    rule: JointRule
    parts: tuple[JointPart, ...]
    principal: str
    provenance: Provenance

    def part(self, code: str) -> JointPart | None:
        """The part of that code, or None."""
        return next((part for part in self.parts if part.code == code), None)


def load_plans(matters: Mapping[str, Matter], directory: Path = DATA) -> dict[str, JointPlan]:
    """Read joint.toml: one plan for every enabled joint matter. Raises DataError."""
    top = read_table(directory, "joint.toml")
    top.only("plan")
    table = top.table("plan")
    joint = {m.code for m in matters.values() if m.enabled and m.mode is HandlingMode.JOINT}
    for code in sorted(joint ^ set(table.fields)):
        reason = "has no plan" if code in joint else "is not an enabled joint matter"
        raise table.error(code, reason)
    return {code: _plan(matters, code, table.table(code)) for code in sorted(joint)}


def _plan(matters: Mapping[str, Matter], code: str, row: Record) -> JointPlan:
    row.only("rule", "principal", "status", "parts")
    parts: list[JointPart] = []
    for table in row.records("parts"):
        part = _part(matters, code, table)
        earlier = {known.code for known in parts}
        if part.code in earlier:
            raise table.error("code", "appears twice in the plan")
        if not earlier.issuperset(part.needs):
            raise table.error("needs", "names a part that does not come earlier")
        parts.append(part)
    principal = next((p for p in parts if p.code == row.text("principal")), None)
    if principal is None:
        raise row.error("principal", "is not one of the parts")
    where = matters[code].where
    own = (principal.department, principal.place, principal.level)
    if principal.matter == code and own != (where.department, where.place, where.level):
        raise row.error("principal", "is not decided where placement.csv says")
    rule, status = row.choice("rule", JointRule), row.choice("status", Provenance)
    return JointPlan(code, rule, tuple(parts), principal.code, status)


def _part(matters: Mapping[str, Matter], plan: str, row: Record) -> JointPart:
    needs, supplied = row.words("needs"), row.words("supplied")
    code, of = row.text("code"), row.optional("matter")
    if of is None:
        row.only("code", "name_zh", "name_en", "department", "place", "level", "needs", "supplied")
        return JointPart(
            code,
            plan,
            row.text("name_zh"),
            row.text("name_en"),
            row.text("department"),
            row.choice("place", PlaceKind),
            row.choice("level", Level),
            needs,
            supplied,
        )
    row.only("code", "matter", "needs", "supplied")
    matter = matters.get(of)
    if matter is None or not matter.enabled or matter.mode is HandlingMode.JOINT:
        raise row.error("matter", "is not an enabled matter with one deciding authority")
    at = matter.where
    names = (matter.name_zh, matter.name_en)
    return JointPart(code, of, *names, at.department, at.place, at.level, needs, supplied)
