"""Events: facts, past tense. Each carries what happened (`body`) and what holds afterwards (`after`).

A reader that does not know a body applies `after` alone and loses no state, owner or deadline. Ids, hashes
and bytes are the codec's; here an event is a value. Private fields are the same as in the commands.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from nodes.cases.case import (
    CaseParty,
    Clock,
    Custody,
    Decision,
    Defect,
    Filing,
    JointPart,
    Material,
    Procedure,
    Rating,
    Shipment,
    State,
    Suspension,
)
from nodes.cases.frozen import quick


@dataclass(frozen=True, slots=True)
class Filed:
    filing: Filing


@dataclass(frozen=True, slots=True)
class PreChecked:
    by_region: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class HandedOver:
    to: str
    authority: str
    handover_id: str


@dataclass(frozen=True, slots=True)
class Received:
    handover_id: str


@dataclass(frozen=True, slots=True)
class HandoverRejected:
    handover_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class CorrectionRequested:
    defects: tuple[Defect, ...]
    list_no: int


@dataclass(frozen=True, slots=True)
class Corrected:
    materials: tuple[Material, ...]
    values: tuple[tuple[str, str], ...] = ()  # private


@dataclass(frozen=True, slots=True)
class CorrectionOverdue:
    pass


@dataclass(frozen=True, slots=True)
class Accepted:
    pass


@dataclass(frozen=True, slots=True)
class AcceptedWithLack:
    lacks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AcceptanceDeemed:
    """The notice came too late: accepted from the day of receipt."""


@dataclass(frozen=True, slots=True)
class Refused:
    reason: str
    text: str
    elsewhere: str = ""


@dataclass(frozen=True, slots=True)
class LackSupplied:
    materials: tuple[Material, ...]


@dataclass(frozen=True, slots=True)
class AcceptanceRevoked:
    reason: str


@dataclass(frozen=True, slots=True)
class ReviewStarted:
    pass


@dataclass(frozen=True, slots=True)
class StepFinished:
    step: int
    outcome: str
    opinion: str = ""


@dataclass(frozen=True, slots=True)
class SpecialOpened:
    procedure: Procedure


@dataclass(frozen=True, slots=True)
class SpecialEnded:
    result: str


@dataclass(frozen=True, slots=True)
class ProcedureOverdue:
    pass


@dataclass(frozen=True, slots=True)
class Extended:
    reason: str
    by: str  # id of the head


@dataclass(frozen=True, slots=True)
class PassedUp:
    to_authority: str
    reason: str


@dataclass(frozen=True, slots=True)
class TakenUp:
    authority: str


@dataclass(frozen=True, slots=True)
class Decided:
    decision: Decision


@dataclass(frozen=True, slots=True)
class Joined:
    pass


@dataclass(frozen=True, slots=True)
class Lapsed:
    reason: str


@dataclass(frozen=True, slots=True)
class Dispatched:
    shipment: Shipment


@dataclass(frozen=True, slots=True)
class Delivered:
    received_by: str


@dataclass(frozen=True, slots=True)
class DeliveryFailed:
    shipment_id: str


@dataclass(frozen=True, slots=True)
class CustodyTaken:
    custody: Custody


@dataclass(frozen=True, slots=True)
class OriginalReturned:
    item: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Shipped:
    shipment: Shipment


@dataclass(frozen=True, slots=True)
class ShipmentReceived:
    shipment_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Closed:
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Rated:
    rating: Rating


@dataclass(frozen=True, slots=True)
class RatingAnswered:
    target: str
    result: str


@dataclass(frozen=True, slots=True)
class Withdrawn:
    reason: str
    deemed: bool = False


@dataclass(frozen=True, slots=True)
class WithdrawalAsked:
    """Of a lead:

    the parts are asked to withdraw; it is withdrawn once all have, unless one was decided first.
    """

    reason: str


@dataclass(frozen=True, slots=True)
class Suspended:
    suspension: Suspension


@dataclass(frozen=True, slots=True)
class Resumed:
    pass


@dataclass(frozen=True, slots=True)
class Reinstated:
    received_at: datetime
    materials: tuple[Material, ...]
    values: tuple[tuple[str, str], ...] = ()  # private


@dataclass(frozen=True, slots=True)
class DeadlineRecomputed:
    pass


@dataclass(frozen=True, slots=True)
class LightChanged:
    clock: int
    light: str


@dataclass(frozen=True, slots=True)
class PartFiled:
    index: int
    case_number: str


@dataclass(frozen=True, slots=True)
class PartFolded:
    part: JointPart


@dataclass(frozen=True, slots=True)
class PartDetached:
    index: int
    reason: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """A body of a newer contract: kept as bytes by the codec, projected by `after`."""

    type: str


Body = (
    Filed | PreChecked | HandedOver | Received | HandoverRejected | CorrectionRequested | Corrected
    | CorrectionOverdue | Accepted | AcceptedWithLack | AcceptanceDeemed | Refused | LackSupplied
    | AcceptanceRevoked | ReviewStarted | StepFinished | SpecialOpened | SpecialEnded | ProcedureOverdue
    | Extended | PassedUp | TakenUp | Decided | Joined | Lapsed | Dispatched | Delivered | DeliveryFailed
    | CustodyTaken | OriginalReturned | Shipped | ShipmentReceived | Closed | Rated | RatingAnswered
    | Withdrawn | WithdrawalAsked | Suspended | Resumed | Reinstated | DeadlineRecomputed | LightChanged
    | PartFiled | PartFolded | PartDetached | Unknown
)  # fmt: skip


@quick
@dataclass(frozen=True, slots=True)
class After:
    """What holds once the event is applied; enough for a mirror that does not know the body."""

    state: State
    owner: str
    epoch: int
    clocks: tuple[Clock, ...]
    calendar_version: str
    parties: tuple[CaseParty, ...]
    authority: str  # that decides now (it changes when the case is passed up or routed anew)
    step: int = 0
    lacks: tuple[str, ...] = ()
    procedure: Procedure | None = None
    suspension: Suspension | None = None


@quick
@dataclass(frozen=True, slots=True)
class Event:
    """One fact of one case.

    `version` is 1 for the first and grows by one; `epoch` is the author's at the time.
    """

    version: int
    epoch: int
    author: str  # region
    by: str  # role of the actor
    effective_at: datetime  # business time at which it holds (a timer's due time)
    recorded_at: datetime  # business time at which it was written
    body: Body
    after: After
    actor: str = ""  # id of the actor
    caused_by: str = ""  # ask_id or request id
