"""A matter: one entry of the catalogue, and the words that describe it.

Knows names, departments, modes, who decides, published figures, and which of it is read in
a source, derived or our proposal. Must not know files, guides, authorities or cases.
"""

from dataclasses import dataclass
from enum import StrEnum

from regions.errors import FactError
from regions.limits import Unit
from regions.region import Level


class HandlingMode(StrEnum):
    """全程网办, 异地代收代办, 多地联办."""

    FULL_ONLINE = "full_online"
    COLLECT_ON_BEHALF = "collect_on_behalf"
    JOINT = "joint"


class DecidesAt(StrEnum):
    """Which side decides: the competent home authority, the filing place, or both."""

    HOME = "home"
    FILING = "filing"
    BOTH = "both"


class ApplicantKind(StrEnum):
    """Who may file."""

    PERSON = "person"
    ENTERPRISE = "enterprise"


class Provenance(StrEnum):
    """source: read in a source; derived: follows from one; proposal: authored here."""

    SOURCE = "source"
    DERIVED = "derived"
    PROPOSAL = "proposal"


class PlaceKind(StrEnum):
    """Which place of the applicant decides who is competent. Also the name of the fact."""

    FILING = "filing"
    HOUSEHOLD = "household"
    RESIDENCE = "residence"
    WORK = "work"
    FUND_CENTRE = "fund_centre"
    INSURED = "insured"
    TREATMENT = "treatment"
    TRANSFER_IN = "transfer_in"
    TRANSFER_OUT = "transfer_out"
    MOVE_IN = "move_in"
    REGISTRY = "registry"
    SITE = "site"
    IMMOVABLE = "immovable"
    ISSUING = "issuing"
    NOTARY = "notary"
    BIRTH = "birth"


class Flow(StrEnum):
    """Special flow that this matter will have; until then it runs as a generic case."""

    NONE = "none"
    MONEY = "money"
    REGISTER = "register"


@dataclass(frozen=True, slots=True)
class StageLimit:
    """A published part of a limit, as it stands in the source; guides say what it means."""

    stage_zh: str
    value: int
    unit: Unit
    source: str


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a matter is decided. Authored: derived from the law or a proposal of ours.

    department: kind of authority; family: group of matters with one default limit;
    licensing: whether 行政许可法 binds the matter; rule: name of a decision rule, or None.
    """

    department: str
    place: PlaceKind
    level: Level
    family: str
    licensing: bool
    rule: str | None
    flow: Flow
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class Matter:
    """One entry of the catalogue.

    materials_zh: names as found (materials_inferred: not from a source); the published
    figures are None where nothing was found; placement is None only for disabled matters;
    parts: codes of the matters a bundle is made of.
    """

    code: str
    name_zh: str
    name_en: str
    department_zh: str
    department_en: str
    domain: str
    applicant: ApplicantKind
    mode: HandlingMode
    mode_inferred: bool
    decides_at: DecidesAt
    enabled: bool
    name_verification: str
    list_membership: str
    source: str | None
    scenario_zh: str | None
    result_zh: str | None
    materials_zh: tuple[str, ...]
    materials_inferred: bool
    promised_working_days: int | None
    statutory_working_days: int | None
    statutory_calendar_days: int | None
    stages: tuple[StageLimit, ...]
    parts: tuple[str, ...]
    placement: Placement | None

    @property
    def printable_source(self) -> str | None:
        """The list that names this matter, only where the membership is verified."""
        return self.source if self.list_membership == "verified" else None

    @property
    def where(self) -> Placement:
        """The placement of an enabled matter; FactError(matter, matter_disabled) otherwise."""
        if self.placement is None:
            raise FactError("matter", "matter_disabled")
        return self.placement
