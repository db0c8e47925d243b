"""A small world for the tests of the machine: limits, terms, people, a desk that only calls the machine."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from nodes.cases import commands as c
from nodes.cases import machine
from nodes.cases.case import (
    Actor,
    Case,
    Decision,
    Defect,
    Filing,
    HandlingMode,
    JointPart,
    JointRule,
    Kind,
    Material,
    Party,
    RequiredMaterial,
    Role,
    Shipment,
    StepTerms,
    Terms,
)
from nodes.cases.events import Event
from regions.calendar import SHANGHAI, WorkCalendar, work_calendar
from regions.limits import BasisKind, Limit, Unit

A, W, O, H = Role.APPLICANT, Role.WINDOW, Role.OFFICER, Role.HEAD  # noqa: E741  # the letters of the table
S, T, P = Role.NODE, Role.TIMER, Role.OPERATOR
F, C, L, U = Kind.FULL_ONLINE, Kind.COLLECT_ON_BEHALF, Kind.LEAD, Kind.PART
ORIGIN, COMPETENT, LEAD_REGION = "32", "31", "33"
BODY, HIGHER = "police-310115", "police-310000"


def at(text: str, hour: int = 10) -> datetime:
    """2026-09-24, or 2026-09-24T15:30, in Shanghai."""
    moment = datetime.fromisoformat(text)
    return (moment if "T" in text else moment.replace(hour=hour)).replace(tzinfo=SHANGHAI)


def days(value: int, unit: Unit = Unit.WORKING_DAY, basis: str = "行政许可法第四十二条") -> Limit:
    return Limit(value, unit, BasisKind.STATUTORY, basis, f"law of {value} {unit}", official=True)


TERMS = Terms(
    guide_version="g1",
    notice=days(5, basis="行政许可法第三十二条"),
    decision=days(20),
    correction=days(15),
    lack=days(5),
    delivery=days(10, basis="行政许可法第四十四条"),
    procedure=days(10),
    contact=days(1),
    grace=days(1),
    extension=days(10),
    steps=(StepTerms("handling", days(10)), StepTerms("review", days(5)), StepTerms("approval", days(5))),
    yellow_share=0.2,
    deemed_withdrawal=True,
    lack_allowed=True,
    materials=(
        RequiredMaterial("id_card", "身份证", "identity card", alternatives=("passport",)),
        RequiredMaterial("booklet", "户口簿", "household booklet", original=True),
        RequiredMaterial("photo", "照片", "photograph", lackable=True),
    ),
)
PERSON = Party("person", "样例甲", "identity_card", "110101190001011009")


def material(code: str, digit: str = "a") -> Material:
    return Material(code, digit * 64, 10, "image/png", held_by=ORIGIN)


def filing(kind: Kind = F, filed_at: datetime | None = None, **changes: Any) -> Filing:
    modes = {F: HandlingMode.FULL_ONLINE, C: HandlingMode.COLLECT_ON_BEHALF}
    base = Filing(
        case_number=changes.pop("case_number", "320500202609240000017K"),
        kind=kind,
        mode=modes.get(kind, HandlingMode.JOINT),
        matter="PS-001",
        guide_version="g1",
        origin=ORIGIN,
        origin_area="320500",
        competent=ORIGIN if kind is L else COMPETENT,
        authority=BODY,
        authority_area="310115",
        channel="online",
        filed_at=filed_at or at("2026-03-02"),
        consent="consent-1",
        applicant=PERSON,
        terms=TERMS,
        materials=(material("id_card"), material("booklet", "b")),
    )
    if kind is L:
        base = replace(
            base,
            joint_rule=JointRule.ALL_OR_NONE,
            parts=(
                JointPart(1, "PS-001", "31", BODY, "310115"),
                JointPart(2, "PS-002", "33", "police-330106", "330106"),
            ),
        )
    if kind is U:
        base = replace(
            base, lead="320500L", lead_region=LEAD_REGION, part_index=1, joint_rule=JointRule.ALL_OR_NONE
        )
    return replace(base, **changes)


@dataclass
class Desk:
    """Applies timers first, then the command, at the region that owns the case; keeps the history."""

    now: datetime
    calendar: WorkCalendar = field(default_factory=work_calendar)
    case: Case | None = None
    history: list[Event] = field(default_factory=list)

    @property
    def it(self) -> Case:
        assert self.case is not None
        return self.case

    def state(self) -> str:
        return self.it.state.value

    def _take(self, events: tuple[Event, ...]) -> tuple[Event, ...]:
        for event in events:
            self.case = machine.evolve(self.case, event)
            self.history.append(event)
        return events

    def do(
        self,
        command: c.Command,
        role: Role,
        *,
        region: str = "",
        authority: str = "",
        at: datetime | None = None,
        by: str = "",
        submitted_at: datetime | None = None,
        ready: bool = True,
    ) -> tuple[Event, ...]:
        """`at` moves the time; `region` decides (default: the owner); `by` is where the actor acts."""
        self.now = at or self.now
        deciding = region or (self.case.owner if self.case else ORIGIN)
        if ready and self.case is not None:
            self._take(machine.advance(self.case, self.now, self.calendar, self.case.owner)[1])
            deciding = region or self.case.owner
        acts_in = by or {A: ORIGIN, W: ORIGIN}.get(role, deciding)
        body = authority or (self.case.authority if self.case and role in {O, H} else "")
        actor = Actor(role, acts_in, "someone", body)
        return self._take(
            machine.decide(
                self.case, command, actor, self.now, self.calendar, submitted_at=submitted_at, region=deciding
            )
        )

    def wait(self, until: datetime) -> tuple[Event, ...]:
        """Time passes; every timer fires."""
        self.now = until
        return self._take(machine.advance(self.it, until, self.calendar, self.it.owner)[1])

    def file(self, filed: Filing, role: Role = A) -> Desk:
        self.now = max(self.now, filed.filed_at)
        self.do(c.File(filed, f"h-{filed.case_number}-1"), role)
        if self.it.awaiting_receipt:
            self.do(c.Receive(), S)
        return self


GRANT = c.Decide(Decision(granted=True, reasons="complete", remedy=""))
DENY = c.Decide(Decision(granted=False, reasons="not eligible", remedy="review within 60 days"))


def filed(kind: Kind = F, when: str = "2026-03-02", **changes: Any) -> Desk:
    role = {F: A, C: W, L: A, U: S}[kind]
    return Desk(at(when)).file(filing(kind, at(when), **changes), role)


def defect(code: str, since: str = "first") -> Defect:
    return Defect(code, "not readable", since)


def shipment(name: str, direction: str, sent: datetime) -> Shipment:
    return Shipment(name, direction, "SF", f"SF{name}", sent)


def names(events: tuple[Event, ...] | list[Event]) -> list[str]:
    return [type(event.body).__name__ for event in events]
