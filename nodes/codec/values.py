"""The shapes of what a case is made of (case.proto).

Knows the table message <-> frozen value. Must not know events, commands or who may see what: private fields
are moved by `private`, hidden by `views`.
"""

from __future__ import annotations

import math
from typing import Any, Final

from nodes.cases import case as c
from nodes.codec.errors import DecodeError
from nodes.codec.kinds import (
    AREA,
    BOOL,
    COUNT,
    DIGEST,
    INDICES,
    MAYBE_NUMBER,
    MAYBE_REGION,
    MAYBE_TIME,
    NEEDED,
    NUMBER,
    PAIRS,
    POSITIVE,
    PROSE,
    REGION,
    TEXT,
    TIME,
    WORDS,
    Kind,
    Take,
    choice,
    many,
    maybe,
    minute,
    one,
)
from nodes.codec.shape import Remembered, Shape
from regions.joint import JointRule
from regions.limits import BasisKind, Limit, Unit
from regions.matter import HandlingMode
from tongban.v1 import case_pb2 as pb

MODE: Final = choice(HandlingMode, pb.HandlingMode, "HANDLING_MODE")
KIND: Final = choice(c.Kind, pb.CaseKind, "CASE_KIND")
STATE: Final = choice(c.State, pb.CaseState, "CASE_STATE", but="draft")
ROLE: Final = choice(c.Role, pb.Role, "ROLE")
LIGHT: Final = choice(c.Light, pb.Light, "LIGHT")
CLOCK_KIND: Final = choice(c.ClockKind, pb.ClockKind, "CLOCK_KIND")
UNIT: Final = choice(Unit, pb.LimitUnit, "LIMIT_UNIT")
BASIS: Final = choice(BasisKind, pb.LimitBasis, "LIMIT_BASIS")
JOINT_RULE: Final = choice(JointRule, pb.JointRule, "JOINT_RULE", maybe=True)
MAYBE_STATE: Final = choice(c.State, pb.CaseState, "CASE_STATE", maybe=True, but="draft")
CASE_ROLE: Final = choice(c.CaseRole, pb.CaseRole, "CASE_ROLE")


def _take_share(name: str) -> Take:
    def take(message: Any) -> float:
        share: float = getattr(message, name)
        if not (math.isfinite(share) and 0 <= share <= 1):
            raise DecodeError("", "is not a share from 0 to 1")
        return share

    return take


SHARE: Final = Kind(take=_take_share)

LIMIT: Final = Shape(
    Limit,
    pb.Limit,
    value=POSITIVE,
    unit=UNIT,
    basis_kind=BASIS,
    basis_zh=TEXT,
    basis_en=TEXT,
    official=BOOL,
)
LIMITS: Final = Remembered(LIMIT)
STOP: Final = Shape(c.Stop, pb.Stop, reason=NEEDED, since=TIME, until=MAYBE_TIME)
CLOCK: Final = Shape(
    c.Clock,
    pb.Clock,
    kind=CLOCK_KIND,
    limit=one(LIMITS),
    started_at=TIME,
    due_at=TIME,
    yellow_at=TIME,
    region=REGION,
    step=COUNT,
    stops=many(STOP),
    light=LIGHT,
    ended_at=MAYBE_TIME,
    provisional=BOOL,
    adverse_at=MAYBE_TIME,
)
CLOCKS: Final = Remembered(CLOCK)
"""A clock changes seldom, and stands in every event and state of its case."""
MATERIAL: Final = Shape(
    c.Material,
    pb.Material,
    code=NEEDED,
    sha256=DIGEST,
    size=COUNT,
    media_type=TEXT,
    pages=COUNT,
    held_by=MAYBE_REGION,
    reused=BOOL,
    file_name=TEXT,
)
REQUIRED: Final = Shape(
    c.RequiredMaterial,
    pb.RequiredMaterial,
    code=NEEDED,
    name_zh=TEXT,
    name_en=TEXT,
    required=BOOL,
    lackable=BOOL,
    original=BOOL,
    alternatives=WORDS,
)
STEP_TERMS: Final = Shape(c.StepTerms, pb.StepTerms, name=NEEDED, limit=maybe(LIMITS))
TERMS: Final = Shape(
    c.Terms,
    pb.Terms,
    guide_version=TEXT,
    notice=one(LIMITS),
    decision=one(LIMITS),
    correction=one(LIMITS),
    lack=maybe(LIMITS),
    delivery=one(LIMITS),
    procedure=one(LIMITS),
    contact=one(LIMITS),
    grace=maybe(LIMITS),
    extension=maybe(LIMITS),
    steps=many(STEP_TERMS, 20),
    yellow_share=SHARE,
    yellow_units=COUNT,
    close_of_business=minute("close_of_business_minute"),
    deemed_withdrawal=BOOL,
    lack_allowed=BOOL,
    materials=many(REQUIRED),
    decision_rule=TEXT,
)
ALL_TERMS: Final = Remembered(TERMS, 1024)
PARTY: Final = Shape(
    c.Party,
    pb.Party,
    kind=TEXT,
    name=TEXT,
    id_type=TEXT,
    id_no=TEXT,
    phone=TEXT,
    id_given=TEXT,
    address=TEXT,
)
DELIVERY: Final = Shape(c.Delivery, pb.DeliveryWish, way=TEXT, address=TEXT)
JOINT_PART: Final = Shape(
    c.JointPart,
    pb.JointPart,
    index=POSITIVE,
    matter=NEEDED,
    region=REGION,
    authority=TEXT,
    area=AREA,
    case_number=MAYBE_NUMBER,
    version=COUNT,
    result=TEXT,
    needs=INDICES,
)
FILING: Final = Shape(
    c.Filing,
    pb.Filing,
    case_number=NUMBER,
    kind=KIND,
    mode=MODE,
    matter=NEEDED,
    guide_version=TEXT,
    origin=REGION,
    origin_area=AREA,
    competent=REGION,
    authority=TEXT,
    authority_area=AREA,
    channel=TEXT,
    filed_at=TIME,
    consent=TEXT,
    applicant=one(PARTY),
    terms=one(ALL_TERMS),
    agent=maybe(PARTY),
    mandate=TEXT,
    delivery=one(DELIVERY),
    materials=many(MATERIAL),
    facts=PAIRS,
    lead=MAYBE_NUMBER,
    lead_region=MAYBE_REGION,
    part_index=COUNT,
    joint_rule=JOINT_RULE,
    parts=many(JOINT_PART),
    client=TEXT,
    principal=COUNT,
)
CASE_PARTY: Final = Shape(c.CaseParty, pb.CaseParty, region=REGION, role=CASE_ROLE, since_version=COUNT)
CASE_PARTIES: Final = Remembered(CASE_PARTY)
DEFECT: Final = Shape(c.Defect, pb.Defect, code=NEEDED, reason=PROSE, knowable_since=TEXT)
DECISION: Final = Shape(
    c.Decision, pb.Decision, granted=BOOL, reasons=PROSE, remedy=PROSE, document=TEXT, rule=TEXT
)
CUSTODY: Final = Shape(
    c.Custody, pb.Custody, item=NEEDED, holder=REGION, place=TEXT, since=TIME, returned_at=MAYBE_TIME
)
SHIPMENT: Final = Shape(
    c.Shipment,
    pb.Shipment,
    id=NEEDED,
    direction=NEEDED,
    carrier=TEXT,
    waybill=TEXT,
    sent_at=TIME,
    items=WORDS,
    arrived_at=MAYBE_TIME,
    lost_at=MAYBE_TIME,
)
RATING: Final = Shape(
    c.Rating, pb.Rating, target=NEEDED, stars=POSITIVE, indicators=WORDS, at=MAYBE_TIME, text=PROSE
)
SUSPENSION: Final = Shape(
    c.Suspension, pb.Suspension, reason=TEXT, court_order=BOOL, by=ROLE, back_to=STATE, since=TIME
)
PROCEDURE: Final = Shape(
    c.Procedure, pb.Procedure, kind=NEEDED, basis=TEXT, approver=TEXT, back_to=STATE, since=TIME
)
ACTOR: Final = Shape(c.Actor, pb.Actor, role=ROLE, region=REGION, id=MAYBE_NUMBER, authority=TEXT)
