"""The case: the record of one matter being handled, as frozen values.

Knows what a case holds. Must not know what may happen to it (machine), how it is stored or encoded.

Time: every `datetime` is timezone-aware business time. Regions are the two-digit codes ("31", "32", "33",
"34"), areas are six-digit GB/T 2260 codes. A part of a joint case is a full case with `lead` set.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from nodes.cases.filing import (
    Delivery,
    Filing,
    JointPart,
    Kind,
    Material,
    Party,
    RequiredMaterial,
    StepTerms,
    Terms,
)
from nodes.cases.frozen import quick
from regions.joint import JointRule
from regions.limits import Limit
from regions.matter import HandlingMode

__all__ = [
    "REVIEWING",
    "TERMINAL",
    "Actor",
    "Case",
    "CaseParty",
    "CaseRole",
    "Clock",
    "ClockKind",
    "Custody",
    "Decision",
    "Defect",
    "Delivery",
    "Filing",
    "HandlingMode",
    "JointPart",
    "JointRule",
    "Kind",
    "Light",
    "Limit",
    "Material",
    "Party",
    "Procedure",
    "Rating",
    "RequiredMaterial",
    "Role",
    "Shipment",
    "State",
    "StepTerms",
    "Stop",
    "Suspension",
    "Terms",
]


class State(StrEnum):
    """Where a case stands.

    `special_procedure`, `suspended` and the lack are overlays that remember the way back.
    """

    DRAFT = "draft"
    FILED = "filed"
    PRE_CHECKED = "pre_checked"
    CORRECTION = "correction"
    CORRECTED = "corrected"
    ACCEPTED = "accepted"
    ACCEPTED_WITH_LACK = "accepted_with_lack"
    ACCEPTANCE_REVOKED = "acceptance_revoked"
    REFUSED = "refused"
    IN_REVIEW = "in_review"
    EXTENDED = "extended"
    SPECIAL_PROCEDURE = "special_procedure"
    PASSED_UP = "passed_up"
    DECIDED = "decided"
    DELIVERING = "delivering"
    DELIVERED = "delivered"
    CLOSED = "closed"
    RATED = "rated"
    WITHDRAWN = "withdrawn"
    SUSPENDED = "suspended"


TERMINAL = frozenset({State.REFUSED, State.ACCEPTANCE_REVOKED, State.WITHDRAWN, State.CLOSED, State.RATED})
"""States that are not open: nothing more is owed except a rating."""

REVIEWING = frozenset({State.IN_REVIEW, State.EXTENDED})


class Role(StrEnum):
    """Who performs a command."""

    APPLICANT = "applicant"  # or the agent who files for somebody
    WINDOW = "window"  # clerk at the origin's window
    OFFICER = "officer"  # official of the authority that decides
    HEAD = "head"  # head of that authority
    NODE = "node"  # the node itself: decision rule, joiner, inbox
    TIMER = "timer"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever performs a command: a role, the region it acts in, and an id that is not personal data."""

    role: Role
    region: str
    id: str = ""
    authority: str = ""  # of an officer or a head: the authority they act for


class ClockKind(StrEnum):
    NOTICE = "notice"  # tell once, accept or refuse
    CORRECTION = "correction"
    LACK = "lack"
    DECISION = "decision"
    STEP = "step"  # one of handling, review, approval
    PROCEDURE = "procedure"  # the special procedure's own
    DELIVERY = "delivery"
    CONTACT = "contact"  # after a rating of one or two stars


class Light(StrEnum):
    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


@dataclass(frozen=True, slots=True)
class Stop:
    """An interval in which a clock did not run.

    `until` is None while it lasts. `reason` is a code, not prose.
    """

    reason: str
    since: datetime
    until: datetime | None = None


@quick
@dataclass(frozen=True, slots=True)
class Clock:
    """A running, stopped or ended limit.

    `due_at` and `yellow_at` already contain every finished stop; while a stop lasts they are those of its
    start. `light` is the worst light it has shown: red once lit stays. `ended_at` None means not ended.
    `provisional`: the due date rests on a calendar that is not yet published. `adverse_at`: when a timer that
    hurts the citizen takes effect, grace included; None when there is none, or the date is provisional.
    """

    kind: ClockKind
    limit: Limit
    started_at: datetime
    due_at: datetime
    yellow_at: datetime
    region: str  # whose clock it is
    step: int = 0  # of a STEP clock: 1, 2, 3
    stops: tuple[Stop, ...] = ()
    light: Light = Light.GREEN
    ended_at: datetime | None = None
    provisional: bool = False
    adverse_at: datetime | None = None

    @property
    def stopped(self) -> bool:
        """Whether a stop lasts."""
        return bool(self.stops) and self.stops[-1].until is None

    @property
    def running(self) -> bool:
        """Whether it counts: neither ended nor stopped."""
        return self.ended_at is None and not self.stopped


class CaseRole(StrEnum):
    """A region's place in the case."""

    ORIGIN = "origin"
    COMPETENT = "competent"
    LEAD = "lead"  # region of the lead case, party to each of its parts
    PART = "part"  # region that a part was filed to, party to the lead: it keeps a copy, and asks nothing


@dataclass(frozen=True, slots=True)
class CaseParty:
    region: str
    role: CaseRole
    since_version: int


@dataclass(frozen=True, slots=True)
class Defect:
    """One item of a correction list.

    `knowable_since`: "first" when it could have been named in the first list; "received" when it lies in
    material received after the first list, "checked" when it follows from a check finished after it.
    """

    code: str  # material code, or a field name with prefix "field:"
    reason: str
    knowable_since: str = "first"


@dataclass(frozen=True, slots=True)
class Decision:
    granted: bool
    reasons: str
    remedy: str  # how to appeal; needed when denied
    document: str = ""  # reference of the result document
    rule: str = ""  # the automatic rule that decided, "" = an officer


@dataclass(frozen=True, slots=True)
class Custody:
    """A paper original: who holds it since when, and when the applicant had it back."""

    item: str  # material code
    holder: str  # region
    place: str  # window or authority code
    since: datetime
    returned_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Shipment:
    """A consignment.

    `outward`: the result, to applicant or window; `inward`: the paper file, to the authority; `archive`.
    """

    id: str
    direction: str
    carrier: str
    waybill: str
    sent_at: datetime
    items: tuple[str, ...] = ()
    arrived_at: datetime | None = None
    lost_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Rating:
    target: str  # "origin" or "competent": who is rated
    stars: int  # 1-5
    indicators: tuple[str, ...] = ()
    at: datetime | None = None
    text: str = ""  # private


@dataclass(frozen=True, slots=True)
class Suspension:
    reason: str
    court_order: bool
    by: Role
    back_to: State
    since: datetime


@dataclass(frozen=True, slots=True)
class Procedure:
    """A special procedure: kind, basis, who approved it, where the case came from."""

    kind: str  # hearing | inspection | test | appraisal | expert_review | ...
    basis: str
    approver: str
    back_to: State
    since: datetime


@quick
@dataclass(frozen=True, slots=True)
class Case:
    """Everything known of a case at one version. Built only by `machine.evolve`."""

    filing: Filing
    state: State
    version: int  # of the last event applied; the first is 1
    epoch: int  # of ownership; the first is 1
    owner: str  # region
    clocks: tuple[Clock, ...] = ()
    parties: tuple[CaseParty, ...] = ()
    calendar_version: str = ""
    materials: tuple[Material, ...] = ()
    correction: tuple[Defect, ...] = ()  # the open list
    corrections_told: int = 0  # lists sent so far
    told_at: datetime | None = None  # when the first list was sent
    lacks: tuple[str, ...] = ()  # open lacking items (material codes)
    step: int = 0  # under way, 1-based; one more than there are steps when all are finished
    procedure: Procedure | None = None
    suspension: Suspension | None = None
    decision: Decision | None = None
    joined: bool = False  # of a part under all_or_none
    custody: tuple[Custody, ...] = ()
    shipments: tuple[Shipment, ...] = ()
    ratings: tuple[Rating, ...] = ()
    parts: tuple[JointPart, ...] = ()
    handover_id: str = ""  # of the last handover
    spent_handovers: tuple[str, ...] = ()  # rejected ones, never repeated
    extended: bool = False
    deemed: str = ""  # "acceptance" | "withdrawal" | "revocation": the last effect of a timer, for reinstate
    accepted_at: datetime | None = None
    decided_at: datetime | None = None
    closed_at: datetime | None = None
    reason: str = ""  # code of the refusal, withdrawal, revocation or lapse
    authority: str = ""  # that decides now: the filing's, or another after passing up or routing anew
    # handed over, and the new owner has said neither Received nor HandoverRejected
    awaiting_receipt: bool = False
    values: tuple[tuple[str, str], ...] = ()  # private: fields as corrected, by name without "field:"
    told_later: tuple[str, ...] = ()  # codes of what came in after the first correction list
    deemed_at: datetime | None = None  # when the timer's effect that `deemed` names took place
    before_deemed: State | None = None  # where the case stood then
    resumed_at: datetime | None = None  # end of the last suspension
    withdrawing: bool = False  # of a lead: withdrawal was asked for and waits for the parts

    @property
    def number(self) -> str:
        """The federation case number."""
        return self.filing.case_number

    @property
    def open(self) -> bool:
        """Whether the case itself is not finished."""
        return self.state not in TERMINAL

    @property
    def phase(self) -> State:
        """Where the case stands beneath a suspension."""
        return self.suspension.back_to if self.suspension else self.state

    @property
    def competent(self) -> str:
        """The region that decides: of the lead its origin; "" while the case was never handed over."""
        if self.filing.kind is Kind.LEAD:
            return self.filing.origin
        return next((p.region for p in self.parties if p.role is CaseRole.COMPETENT), "")

    @property
    def light(self) -> Light:
        """The worst light of any clock; red once lit stays in the record."""
        order = (Light.GREEN, Light.YELLOW, Light.RED)
        return max((c.light for c in self.clocks), key=order.index, default=Light.GREEN)

    def clock(self, kind: ClockKind, step: int = 0) -> Clock | None:
        """The latest clock of that kind that has not ended, or None."""
        for c in reversed(self.clocks):
            if c.kind is kind and c.ended_at is None and (not step or c.step == step):
                return c
        return None
