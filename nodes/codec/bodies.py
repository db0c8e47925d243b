"""The shapes of the event bodies (event.proto), and which of their fields are private.

Knows type name, field of the one-of and private paths of each body. Must not know hashes, ids or the bus.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from nodes.cases import events as e
from nodes.codec.kinds import (
    BOOL,
    COUNT,
    NEEDED,
    NUMBER,
    PAIRS,
    POSITIVE,
    PROSE,
    REGION,
    TEXT,
    TIME,
    WORDS,
    many,
    maybe,
    one,
)
from nodes.codec.shape import Shape
from nodes.codec.values import (
    CASE_PARTIES,
    CLOCKS,
    CUSTODY,
    DECISION,
    DEFECT,
    FILING,
    JOINT_PART,
    LIGHT,
    MATERIAL,
    PROCEDURE,
    RATING,
    SHIPMENT,
    STATE,
    SUSPENSION,
)
from tongban.v1 import event_pb2 as pb

BODIES: Final[Mapping[str, Shape[Any]]] = MappingProxyType(
    {
        "filed": Shape(e.Filed, pb.Filed, filing=one(FILING)),
        "pre_checked": Shape(e.PreChecked, pb.PreChecked, by_region=REGION, note=PROSE),
        "handed_over": Shape(e.HandedOver, pb.HandedOver, to=REGION, authority=TEXT, handover_id=NUMBER),
        "received": Shape(e.Received, pb.Received, handover_id=NUMBER),
        "handover_rejected": Shape(e.HandoverRejected, pb.HandoverRejected, handover_id=NUMBER, reason=TEXT),
        "correction_requested": Shape(
            e.CorrectionRequested, pb.CorrectionRequested, defects=many(DEFECT), list_no=COUNT
        ),
        "corrected": Shape(e.Corrected, pb.Corrected, materials=many(MATERIAL), values=PAIRS),
        "correction_overdue": Shape(e.CorrectionOverdue, pb.CorrectionOverdue),
        "accepted": Shape(e.Accepted, pb.Accepted),
        "accepted_with_lack": Shape(e.AcceptedWithLack, pb.AcceptedWithLack, lacks=WORDS),
        "acceptance_deemed": Shape(e.AcceptanceDeemed, pb.AcceptanceDeemed),
        "refused": Shape(e.Refused, pb.Refused, reason=TEXT, text=PROSE, elsewhere=TEXT),
        "lack_supplied": Shape(e.LackSupplied, pb.LackSupplied, materials=many(MATERIAL)),
        "acceptance_revoked": Shape(e.AcceptanceRevoked, pb.AcceptanceRevoked, reason=TEXT),
        "review_started": Shape(e.ReviewStarted, pb.ReviewStarted),
        "step_finished": Shape(e.StepFinished, pb.StepFinished, step=COUNT, outcome=TEXT, opinion=PROSE),
        "special_opened": Shape(e.SpecialOpened, pb.SpecialOpened, procedure=one(PROCEDURE)),
        "special_ended": Shape(e.SpecialEnded, pb.SpecialEnded, result=TEXT),
        "procedure_overdue": Shape(e.ProcedureOverdue, pb.ProcedureOverdue),
        "extended": Shape(e.Extended, pb.Extended, reason=PROSE, by=TEXT),
        "passed_up": Shape(e.PassedUp, pb.PassedUp, to_authority=TEXT, reason=PROSE),
        "taken_up": Shape(e.TakenUp, pb.TakenUp, authority=TEXT),
        "decided": Shape(e.Decided, pb.Decided, decision=one(DECISION)),
        "joined": Shape(e.Joined, pb.Joined),
        "lapsed": Shape(e.Lapsed, pb.Lapsed, reason=TEXT),
        "dispatched": Shape(e.Dispatched, pb.Dispatched, shipment=one(SHIPMENT)),
        "delivered": Shape(e.Delivered, pb.Delivered, received_by=TEXT),
        "delivery_failed": Shape(e.DeliveryFailed, pb.DeliveryFailed, shipment_id=NEEDED),
        "custody_taken": Shape(e.CustodyTaken, pb.CustodyTaken, custody=one(CUSTODY)),
        "original_returned": Shape(e.OriginalReturned, pb.OriginalReturned, item=NEEDED, at=TIME),
        "shipped": Shape(e.Shipped, pb.Shipped, shipment=one(SHIPMENT)),
        "shipment_received": Shape(e.ShipmentReceived, pb.ShipmentReceived, shipment_id=NEEDED, at=TIME),
        "closed": Shape(e.Closed, pb.Closed, summary=PROSE),
        "rated": Shape(e.Rated, pb.Rated, rating=one(RATING)),
        "rating_answered": Shape(e.RatingAnswered, pb.RatingAnswered, target=NEEDED, result=PROSE),
        "withdrawn": Shape(e.Withdrawn, pb.Withdrawn, reason=TEXT, deemed=BOOL),
        "withdrawal_asked": Shape(e.WithdrawalAsked, pb.WithdrawalAsked, reason=TEXT),
        "suspended": Shape(e.Suspended, pb.Suspended, suspension=one(SUSPENSION)),
        "resumed": Shape(e.Resumed, pb.Resumed),
        "reinstated": Shape(
            e.Reinstated, pb.Reinstated, received_at=TIME, materials=many(MATERIAL), values=PAIRS
        ),
        "deadline_recomputed": Shape(e.DeadlineRecomputed, pb.DeadlineRecomputed),
        "light_changed": Shape(e.LightChanged, pb.LightChanged, clock=COUNT, light=LIGHT),
        "part_filed": Shape(e.PartFiled, pb.PartFiled, index=POSITIVE, case_number=NUMBER),
        "part_folded": Shape(e.PartFolded, pb.PartFolded, part=one(JOINT_PART)),
        "part_detached": Shape(e.PartDetached, pb.PartDetached, index=POSITIVE, reason=TEXT),
    }
)
"""Every body by its field in the one-of of EventCore."""

FIELD_OF: Final[Mapping[type[Any], str]] = MappingProxyType(
    {shape.domain: field for field, shape in BODIES.items() if isinstance(shape.domain, type)}
)
TYPES: Final[frozenset[str]] = frozenset(domain.__name__ for domain in FIELD_OF)
"""Names of the bodies this contract knows, as they stand in EventCore.type."""

PRIVATE: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "filed": ("filing.delivery.address", "filing.materials.*.file_name"),
        "pre_checked": ("note",),
        "corrected": ("materials.*.file_name",),
        "refused": ("text",),
        "lack_supplied": ("materials.*.file_name",),
        "step_finished": ("opinion",),
        "decided": ("decision.reasons", "decision.remedy"),
        "rated": ("rating.text",),
        "rating_answered": ("result",),
        "reinstated": ("materials.*.file_name",),
    }
)
"""Private texts of each body, by path; `*` is every item of a list. Parties, facts and values have their
own place.
"""

AFTER: Final = Shape(
    e.After,
    pb.After,
    state=STATE,
    owner=REGION,
    epoch=POSITIVE,
    clocks=many(CLOCKS),
    calendar_version=TEXT,
    parties=many(CASE_PARTIES),
    authority=TEXT,
    step=COUNT,
    lacks=WORDS,
    procedure=maybe(PROCEDURE),
    suspension=maybe(SUSPENSION),
)
