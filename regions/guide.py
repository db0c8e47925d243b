"""The guide (办事指南): what a competent authority says of one matter.

Knows materials, limits, steps, lights and the provincial rules as frozen, versioned facts.
Must not know dates or cases. A filing is checked against the guide of the place that
decides, never of the place that files; it names the version it was made with.
"""

from dataclasses import dataclass
from datetime import time
from enum import StrEnum

from regions.joint import JointPart, JointPlan
from regions.limits import BasisKind, Limit, Unit, YellowKind, YellowRule
from regions.matter import HandlingMode, Provenance

__all__ = [
    "BasisKind",
    "Guide",
    "Limit",
    "MaterialItem",
    "Relay",
    "RelayKind",
    "Step",
    "StepCode",
    "Unit",
    "YellowKind",
    "YellowRule",
]


@dataclass(frozen=True, slots=True)
class MaterialItem:
    """One row of the material list.

    code: the same in every region, so that what is held once need not be asked again;
    alternatives: codes that stand in for it; condition: code of the circumstance in which
    it is asked for, None for always; lackable: may be supplied later (容缺), False wherever
    the region has no such rule; provenance: SOURCE only where a source names it.
    """

    code: str
    name_zh: str
    name_en: str
    alternatives: tuple[str, ...]
    condition: str | None
    required: bool
    lackable: bool
    original_needed: bool
    provenance: Provenance

    def applies(self, circumstances: frozenset[str]) -> bool:
        """Whether it is asked for in these circumstances."""
        return self.condition is None or self.condition in circumstances

    def is_met_by(self, held: frozenset[str]) -> bool:
        """Whether one of the held material codes is this item or stands in for it."""
        return self.code in held or not held.isdisjoint(self.alternatives)


class StepCode(StrEnum):
    """审批 steps 1 handling, 2 review, 3 approval."""

    HANDLING = "handling"
    REVIEW = "review"
    APPROVAL = "approval"


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the decision with its own limit (lights burn per step too)."""

    code: StepCode
    name_zh: str
    name_en: str
    limit: Limit


class RelayKind(StrEnum):
    """push: the window's intake goes to the deciding side; inform: the window tells the
    applicant the result.
    """

    PUSH = "push"
    INFORM = "inform"


@dataclass(frozen=True, slots=True)
class Relay:
    """A published limit of the filing window, outside the decision."""

    kind: RelayKind
    limit: Limit


@dataclass(frozen=True, slots=True)
class Guide:
    """What the authority at `area` says of `matter`.

    part, of: this is the part of that code of the joint matter `of`; both None otherwise;
    area: area code of the authority; region: short code; authority: its code.
    notice: from the day of receipt to the notice of acceptance or correction;
    decision: from acceptance; extension: added once by the head, None: not provided for;
    procedure: default of a special procedure; correction, lack: for the applicant
    (lack None: no 容缺 here); delivery: from the decision; contact: answer to a bad rating.
    yellow: for every clock of the case. close_of_business None: limits end at 24:00.
    deemed_withdrawal: an overdue correction counts as withdrawn (provincial rule).
    grace_working_days: how long timers that hurt the citizen wait.
    joint: the plan, on the guide of the lead only; its materials are shared by all parts.
    rule: name of a decision rule.
    """

    matter: str
    part: str | None
    of: str | None
    area: str
    region: str
    authority: str
    version: str
    mode: HandlingMode
    licensing: bool
    materials: tuple[MaterialItem, ...]
    notice: Limit
    decision: Limit
    extension: Limit | None
    procedure: Limit
    correction: Limit
    lack: Limit | None
    delivery: Limit
    contact: Limit
    steps: tuple[Step, ...]
    relays: tuple[Relay, ...]
    yellow: YellowRule
    close_of_business: time | None
    deemed_withdrawal: bool
    lack_allowed: bool
    grace_working_days: int
    joint: JointPlan | None
    rule: str | None
    notes_zh: tuple[str, ...]
    notes_en: tuple[str, ...]

    @property
    def guide_version(self) -> str:
        """The same as `version`: the string a filing names."""
        return self.version

    def required(self, circumstances: frozenset[str] = frozenset()) -> tuple[MaterialItem, ...]:
        """The materials that must be there in these circumstances."""
        return tuple(m for m in self.materials if m.required and m.applies(circumstances))

    def missing(
        self, held: frozenset[str], circumstances: frozenset[str] = frozenset()
    ) -> tuple[MaterialItem, ...]:
        """Required materials that none of the held codes meets, in the order of the list."""
        return tuple(m for m in self.required(circumstances) if not m.is_met_by(held))

    def item(self, code: str) -> MaterialItem | None:
        """The row of that material code, or None."""
        return next((m for m in self.materials if m.code == code), None)

    def joint_part(self, code: str) -> JointPart | None:
        """The part of the joint plan, or None."""
        return self.joint.part(code) if self.joint else None
