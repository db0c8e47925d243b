"""The filed document: who asks for what, where it is received and decided, and what the guide promised.

Written once, never changed. Knows what is filed and on which terms. Must not know what becomes of it (case,
machine). Private: `applicant`, `agent`, `delivery.address`, `facts`, and the file names of materials.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, time
from enum import StrEnum

from regions.joint import JointRule
from regions.limits import Limit, YellowKind, YellowRule
from regions.matter import HandlingMode


class Kind(StrEnum):
    """The mode as a guard of the table: F, C, L and U of the transition table."""

    FULL_ONLINE = "full_online"
    COLLECT_ON_BEHALF = "collect_on_behalf"
    LEAD = "lead"
    PART = "part"


@dataclass(frozen=True, slots=True)
class RequiredMaterial:
    """One line of the guide's list as it stood when the case was filed."""

    code: str
    name_zh: str
    name_en: str
    required: bool = True
    lackable: bool = False
    original: bool = False  # the paper original must be seen
    alternatives: tuple[str, ...] = ()  # codes that stand in for it


@dataclass(frozen=True, slots=True)
class StepTerms:
    """One of the steps of the review with its own limit, if it has one."""

    name: str
    limit: Limit | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """What the guide promised when the case was filed; fixed for the life of the case."""

    guide_version: str
    notice: Limit
    decision: Limit
    correction: Limit
    lack: Limit | None  # None: no acceptance with a lack here
    delivery: Limit
    procedure: Limit
    contact: Limit
    grace: Limit | None  # timers that hurt the citizen wait this long after the due time; None: not at all
    extension: Limit | None = None
    steps: tuple[StepTerms, ...] = (StepTerms("handling"), StepTerms("review"), StepTerms("approval"))
    yellow_share: float = 0.2  # remaining share of the limit under which the light turns yellow
    yellow_units: int = 0  # last units of the limit in which the light is yellow; 0: by share
    close_of_business: time | None = None  # None: the day ends at 24:00
    deemed_withdrawal: bool = False
    lack_allowed: bool = False
    materials: tuple[RequiredMaterial, ...] = ()
    decision_rule: str = ""  # name of the automatic rule, "" = an officer decides

    @property
    def yellow(self) -> YellowRule:
        """The share or the last units as the calendar takes them."""
        if self.yellow_units:
            return YellowRule(YellowKind.LAST_UNITS, self.yellow_units)
        return YellowRule(YellowKind.SHARE, round(self.yellow_share * 100))


@dataclass(frozen=True, slots=True)
class Material:
    """A file handed in: content-addressed, never the bytes themselves."""

    code: str
    sha256: str  # 64 lower-case hex digits
    size: int  # bytes
    media_type: str
    pages: int = 0
    held_by: str = ""  # region whose store has the bytes
    reused: bool = False  # already held for this person, not asked for again
    file_name: str = ""  # private: belongs to the private part


@dataclass(frozen=True, slots=True)
class Party:
    """A person or firm. Private: everything here belongs to the private part of an event."""

    kind: str  # person | enterprise
    name: str
    id_type: str  # identity_card | credit_code | passport | ...
    id_no: str  # normalised
    phone: str = ""
    id_given: str = ""  # as handed in, when it differs (15 digits)
    address: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """How the applicant wants the result: electronic, courier or pickup (at the origin's window)."""

    way: str = "electronic"
    address: str = ""  # private


@dataclass(frozen=True, slots=True)
class JointPart:
    """One planned part of a joint case and, once known, how it answered.

    `needs`: indices of the parts that must be granted before this one is filed; under the ordered rule ()
    means the one before it.
    """

    index: int  # 1-based
    matter: str
    region: str
    authority: str
    area: str
    case_number: str = ""  # "" until filed
    version: int = 0  # version of the part that was folded last
    result: str = ""  # "" | granted | denied | refused | withdrawn | acceptance_revoked | lapsed | detached
    needs: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Filing:
    """The filed document: written once, never changed.

    `applicant`, `agent`, `delivery.address` and `facts` are private.
    """

    case_number: str
    kind: Kind
    mode: HandlingMode
    matter: str  # code in the catalogue
    guide_version: str
    origin: str  # region where papers are received
    origin_area: str  # city or county code of the place of filing
    competent: str  # region where the decision is made (of a lead: the origin)
    authority: str  # code of the deciding authority
    authority_area: str
    channel: str  # online | window | batch | node
    filed_at: datetime  # the origin's receipt
    consent: str  # reference of the signed consent
    applicant: Party
    terms: Terms
    agent: Party | None = None
    mandate: str = ""  # reference of the agent's mandate
    delivery: Delivery = field(default_factory=Delivery)
    materials: tuple[Material, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()  # what the applicant stated, by name
    lead: str = ""  # of a part: the lead's case number
    lead_region: str = ""
    part_index: int = 0
    joint_rule: JointRule | None = None
    parts: tuple[JointPart, ...] = ()  # of a lead
    client: str = ""  # who sent the request (scope of request ids)
    principal: int = 0  # of a lead: the part whose decision settles the matter; 0: the rule over all parts
