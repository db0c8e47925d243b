"""Commands: imperative, may be refused. One frozen class for each verb of the transition table.

A command carries what its author says, never what follows from it (clocks, due times, versions). Personal
data only in `File.filing` and in fields said to be private.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from nodes.cases.case import Custody, Decision, Defect, Filing, JointPart, Material, Rating, Shipment


@dataclass(frozen=True, slots=True)
class File:
    filing: Filing
    handover_id: str  # used when the case is handed over in the same commit


@dataclass(frozen=True, slots=True)
class PreCheck:
    """Form and identity checked against the competent place's list.

    `handover_id` as in File (collect_on_behalf).
    """

    handover_id: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class HandOver:
    """By the node: route anew after a rejected handover."""

    to: str
    authority: str
    handover_id: str


@dataclass(frozen=True, slots=True)
class Receive:
    """The new owner's first word: the handover arrived whole."""


@dataclass(frozen=True, slots=True)
class RejectHandover:
    reason: str


@dataclass(frozen=True, slots=True)
class RequestCorrection:
    defects: tuple[Defect, ...]


@dataclass(frozen=True, slots=True)
class Correct:
    """Every listed item must be answered: by a material, or by a value for a `field:` defect (private)."""

    materials: tuple[Material, ...]
    values: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Accept:
    pass


@dataclass(frozen=True, slots=True)
class AcceptWithLack:
    lacks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refuse:
    reason: str  # code
    text: str  # reasons in writing
    elsewhere: str = ""  # where to go instead


@dataclass(frozen=True, slots=True)
class SupplyLack:
    materials: tuple[Material, ...]


@dataclass(frozen=True, slots=True)
class Revoke:
    reason: str


@dataclass(frozen=True, slots=True)
class StartReview:
    pass


@dataclass(frozen=True, slots=True)
class FinishStep:
    outcome: str
    opinion: str = ""


@dataclass(frozen=True, slots=True)
class OpenSpecial:
    kind: str
    basis: str
    approver: str


@dataclass(frozen=True, slots=True)
class EndSpecial:
    result: str


@dataclass(frozen=True, slots=True)
class Extend:
    reason: str


@dataclass(frozen=True, slots=True)
class PassUp:
    to_authority: str
    reason: str


@dataclass(frozen=True, slots=True)
class TakeUp:
    pass


@dataclass(frozen=True, slots=True)
class Decide:
    decision: Decision


@dataclass(frozen=True, slots=True)
class Join:
    """By the lead's joiner: the other parts were all granted (`lapse` False), or not (`lapse` True)."""

    lapse: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Dispatch:
    shipment: Shipment


@dataclass(frozen=True, slots=True)
class ConfirmDelivery:
    received_by: str = ""  # applicant | agent | window


@dataclass(frozen=True, slots=True)
class ReportLost:
    shipment_id: str


@dataclass(frozen=True, slots=True)
class TakeCustody:
    """An attestation: an original was taken in, or moved to another holder."""

    custody: Custody


@dataclass(frozen=True, slots=True)
class ReturnOriginal:
    """An attestation: the applicant has the original back."""

    item: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Ship:
    """An attestation: a consignment left (papers to the authority, or the file to the archive)."""

    shipment: Shipment


@dataclass(frozen=True, slots=True)
class ShipmentArrived:
    shipment_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Close:
    pass


@dataclass(frozen=True, slots=True)
class Rate:
    rating: Rating


@dataclass(frozen=True, slots=True)
class AnswerRating:
    """The contact duty after a bad rating is done."""

    target: str
    result: str


@dataclass(frozen=True, slots=True)
class Withdraw:
    """`mandate`:

    reference of the applicant's word to the window. `deemed`: by the timer of an overdue correction.
    """

    reason: str = ""
    deemed: bool = False
    mandate: str = ""


@dataclass(frozen=True, slots=True)
class Suspend:
    reason: str
    court_order: bool = False


@dataclass(frozen=True, slots=True)
class Resume:
    pass


@dataclass(frozen=True, slots=True)
class Reinstate:
    """By the node:

    the origin had received the item in time (`received_at`), so the timer's effect is undone.
    """

    received_at: datetime
    materials: tuple[Material, ...]
    values: tuple[tuple[str, str], ...] = ()  # private, as in Correct


@dataclass(frozen=True, slots=True)
class RecomputeDeadlines:
    """By the node: a new working-day calendar is in force."""


@dataclass(frozen=True, slots=True)
class FilePart:
    """By the lead's joiner: part `index` was filed under this number."""

    index: int
    case_number: str


@dataclass(frozen=True, slots=True)
class FoldPart:
    """By the lead's joiner: a part answered."""

    part: JointPart


@dataclass(frozen=True, slots=True)
class DetachPart:
    """By an operator: go on without a stuck part."""

    index: int
    reason: str


# Timers: commands with a role of their own. `at` of the timer is its due time, not the time it fired.


@dataclass(frozen=True, slots=True)
class NoticeOverdue:
    pass


@dataclass(frozen=True, slots=True)
class CorrectionOverdue:
    pass


@dataclass(frozen=True, slots=True)
class LackOverdue:
    pass


@dataclass(frozen=True, slots=True)
class ProcedureOverdue:
    pass


@dataclass(frozen=True, slots=True)
class ChangeLight:
    clock: int  # index in Case.clocks
    light: str


Command = (
    File | PreCheck | HandOver | Receive | RejectHandover | RequestCorrection | Correct | Accept
    | AcceptWithLack | Refuse | SupplyLack | Revoke | StartReview | FinishStep | OpenSpecial | EndSpecial
    | Extend | PassUp | TakeUp | Decide | Join | Dispatch | ConfirmDelivery | ReportLost | TakeCustody
    | ReturnOriginal | Ship | ShipmentArrived | Close | Rate | AnswerRating | Withdraw | Suspend | Resume
    | Reinstate | RecomputeDeadlines | FilePart | FoldPart | DetachPart | NoticeOverdue | CorrectionOverdue
    | LackOverdue | ProcedureOverdue | ChangeLight
)  # fmt: skip
