"""Joint matters: which parts, decided where, and how their results belong together.

Knows the plan of each joint matter (joint.toml, authored). Must not know cases: a node
files a part as a case of its own. Any number of parts, in any number of regions.
"""

from dataclasses import dataclass
from enum import StrEnum

from regions.catalog import PlaceKind, Provenance
from regions.region import Level


class JointRule(StrEnum):
    """all_or_none: a decided part waits for the others; best_effort: each by itself;
    ordered: part k + 1 is filed on the result of part k."""

    ALL_OR_NONE = "all_or_none"
    BEST_EFFORT = "best_effort"
    ORDERED = "ordered"


@dataclass(frozen=True, slots=True)
class JointPart:
    """One part. code: unique in its plan; matter: the matter this part is a case of (the
    plan's own matter where the part is a side of it); needs: codes of parts whose grant
    this part cannot do without."""

    code: str
    matter: str
    name_zh: str
    name_en: str
    department: str
    place: PlaceKind
    level: Level
    needs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class JointPlan:
    """The parts of a joint matter in their order. principal: code of the part whose
    decision settles the matter for the citizen."""

    matter: str
    rule: JointRule
    parts: tuple[JointPart, ...]
    principal: str
    provenance: Provenance

    def part(self, code: str) -> JointPart | None:
        """The part of that code, or None."""
        return next((part for part in self.parts if part.code == code), None)
