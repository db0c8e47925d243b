"""The machine: decide (what a command leads to), evolve (what then holds), advance (what time leads to).

Knows the order of a decision: owner, table, actor, guard, clocks. Pure: time, ids and the calendar are
arguments. Must not know how a case is stored, encoded or carried.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from nodes.cases import commands as c
from nodes.cases import delivery, handling, intake, lead, review, standing, timers
from nodes.cases.actors import check_actor
from nodes.cases.case import Actor, Case, ClockKind, Role, State
from nodes.cases.clock import Clocks
from nodes.cases.effects import Effect, run
from nodes.cases.errors import CaseError, Code
from nodes.cases.events import Event, Received
from nodes.cases.evolve import drafted, evolve
from nodes.cases.frozen import replace
from nodes.cases.handling import node_next
from nodes.cases.intake import Verb
from nodes.cases.joint import next_steps
from nodes.cases.legal import legal_commands
from nodes.cases.moment import Moment
from nodes.cases.states import render_states
from nodes.cases.table import INDEX, WAITING, Row, To, When, verb
from nodes.cases.terms import terms_of
from nodes.cases.timers import Timed
from regions.calendar import WorkCalendar
from regions.errors import CalendarError

__all__ = [
    "Timed",
    "advance",
    "decide",
    "due_timer",
    "evolve",
    "legal_commands",
    "next_due",
    "next_steps",
    "node_next",
    "render_states",
    "terms_of",
]

VERBS: Mapping[type[c.Command], Verb] = {
    **intake.VERBS,
    **review.VERBS,
    **delivery.VERBS,
    **standing.VERBS,
    **handling.VERBS,
    **lead.VERBS,
}

_NOTICES = (c.RequestCorrection, c.Refuse, c.Accept, c.AcceptWithLack)


def decide(
    case: Case | None,
    command: c.Command,
    actor: Actor,
    now: datetime,
    calendar: WorkCalendar,
    *,
    submitted_at: datetime | None = None,
    caused_by: str = "",
    region: str,
) -> tuple[Event, ...]:
    """What follows from `command`: one event, with those that must be committed together with it.

    `case` is None for File only, and must have been advanced to `now`. `now`: aware business time, the time
    of writing. `submitted_at`: the origin's receipt of an ask, from which the fact then holds. `region`: the
    region that decides; it must own the case. Raises CaseError with a code of the closed list and the field
    that is wrong.
    """
    if isinstance(command, c.File):
        if case is not None:
            raise CaseError(Code.ALREADY_FILED)
        case = drafted(command.filing)
    elif case is None:
        raise CaseError(Code.NO_SUCH_CASE)
    elif case.owner != region:
        raise CaseError(Code.NOT_OWNER, "", f"the case is owned by {case.owner}")
    meant = command
    if actor.role in {Role.APPLICANT, Role.WINDOW}:
        meant = intake.rescued(case, command, submitted_at)
    if meant is not command:
        actor = replace(actor, role=Role.NODE)
    at = _effective(case, meant, now, submitted_at)
    moment = Moment(case, meant, actor, region, now, at, calendar, caused_by)
    return _written(moment)


def _effective(case: Case, command: c.Command, now: datetime, submitted_at: datetime | None) -> datetime:
    """When it holds: the origin's receipt, but never before the list it answers, nor after now."""
    if isinstance(command, c.File):
        filed_at = command.filing.filed_at
        return now if filed_at.tzinfo is None else min(filed_at, now)
    if submitted_at is None:
        return now
    asked = [k.started_at for k in case.clocks if k.ended_at is None and k.kind in _ASKED]
    return min(now, max(submitted_at, case.filing.filed_at, *asked))


_ASKED = frozenset({ClockKind.CORRECTION, ClockKind.LACK})


def _written(moment: Moment) -> tuple[Event, ...]:
    event = _turn(moment)
    name = getattr(moment.command, "handover_id", "")
    handed = handling.handover(moment.case, event, name)
    if handed is None:
        return (event,)
    return (event, *_handed_over(moment, event, handed))


def _handed_over(moment: Moment, event: Event, command: c.HandOver) -> tuple[Event, ...]:
    """The handover in the same commit; to the region itself, its receipt too."""
    node = Actor(Role.NODE, moment.region)
    before = None if moment.case.version == 0 else moment.case
    case = evolve(before, event)
    m = replace(moment, case=case, command=command, actor=node, at=event.effective_at, caused_by="")
    body, after = handling.hand_over(m, command, m.standing())
    gone = m.event(body, replace(after, clocks=run((Effect.MOVED,), m)))
    if command.to != moment.region:
        return (gone,)
    own = replace(m, case=evolve(case, gone), command=c.Receive())
    return gone, own.event(Received(own.case.handover_id), own.standing())


def _turn(m: Moment) -> Event:
    """One command, one event."""
    row = _row(m)
    check_actor(m)
    if m.actor.role is Role.TIMER:
        m = replace(m, at=_due(m))
    body, after = VERBS[type(m.command)](m, m.command, m.standing())
    clocks = _clocks(row, m)
    version = m.calendar.version if row.clock else m.case.calendar_version
    after = replace(after, state=_target(m, row), clocks=clocks, calendar_version=version)
    return m.event(body, after)


def _clocks(row: Row, m: Moment) -> Clocks:
    """Raises BAD_VALUE for a day that the calendar does not know."""
    try:
        return run(row.clock, m)
    except CalendarError as error:
        field = "filing.filed_at" if isinstance(m.command, c.File) else ""
        raise CaseError(Code.BAD_VALUE, field, "lies outside the calendar") from error


def _row(m: Moment) -> Row:
    case = m.case
    rows = INDEX.get((case.state, type(m.command), m.actor.role, case.filing.kind), ())
    if case.awaiting_receipt and not isinstance(m.command, (c.Receive, c.RejectHandover)):
        raise CaseError(Code.NOT_RECEIVED, "", "the handover is not received yet")
    if not rows:
        if isinstance(m.command, _NOTICES) and case.deemed == "acceptance" and case.phase not in WAITING:
            raise CaseError(Code.NOTICE_LATE, "", "the case counts as accepted from the day of receipt")
        said = f"{m.actor.role} may not {verb(type(m.command))} in {case.state}"
        raise CaseError(Code.NOT_IN_TABLE, "", said)
    return next(row for row in rows if _holds(row.when, m))


def _holds(when: When, m: Moment) -> bool:
    match when:
        case When.ALWAYS:
            return True
        case When.ALL_SUPPLIED | When.STILL_LACKING:
            assert isinstance(m.command, c.SupplyLack)
            return intake.supplied_all(m, m.command) is (when is When.ALL_SUPPLIED)
        case When.JOINED | When.LAPSED:
            assert isinstance(m.command, c.Join)
            return m.command.lapse is (when is When.LAPSED)
        case When.PARTS_OUT | When.NO_PART_OUT:
            return (lead.parts_out(m.case) and m.actor.role is not Role.NODE) is (when is When.PARTS_OUT)


def _target(m: Moment, row: Row) -> State:
    case = m.case
    match row.to:
        case To.STAYS:
            return case.state
        case To.BACK:
            overlay = case.suspension or case.procedure
            assert overlay is not None, "an overlay remembers the way back"
            return overlay.back_to
        case To.BEFORE:
            assert case.before_deemed is not None, "a timer's effect remembers the way back"
            before = case.before_deemed
            return State.ACCEPTED if before is State.ACCEPTED_WITH_LACK else before
        case state:
            return state


def _due(m: Moment) -> datetime:
    """The due time of the timer that this command is. Raises NOT_DUE."""
    for timed in timers.pending(m.case):
        if timed.command == m.command and timed.at <= m.now:
            return timed.at
    raise CaseError(Code.NOT_DUE)


def due_timer(case: Case, now: datetime) -> Timed | None:
    """The first timer due at `now`, with its due time; None when nothing is due."""
    if not timers.may_be_due(case, now):
        return None
    timed = timers.first(case)
    return timed if timed is not None and timed.at <= now else None


def next_due(case: Case) -> datetime | None:
    """When a desk must look at this case again because of time alone; None: never, as it stands."""
    timed = timers.first(case)
    return None if timed is None else timed.at


def advance(case: Case, now: datetime, calendar: WorkCalendar, region: str) -> tuple[Case, tuple[Event, ...]]:
    """The case with every timer fired that is due at `now`, in order, each effective at its due time.

    Late and punctual firing give the same record but for recorded_at. Only the owner fires; a case that runs
    on another calendar than `calendar` is recomputed first.
    """
    if case.owner != region:
        return case, ()
    events: list[Event] = []
    if _outdated(case, calendar):
        node = Actor(Role.NODE, region)
        events += _written(Moment(case, c.RecomputeDeadlines(), node, region, now, now, calendar))
        case = evolve(case, events[-1])
    clerk = Actor(Role.TIMER, region)
    while case.owner == region and (timed := due_timer(case, now)) is not None:
        fired = _written(Moment(case, timed.command, clerk, region, now, timed.at, calendar))
        for event in fired:
            case = evolve(case, event)
        events += fired
    return case, tuple(events)


def _outdated(case: Case, calendar: WorkCalendar) -> bool:
    runs = any(clock.ended_at is None for clock in case.clocks)
    return runs and case.calendar_version != calendar.version and not case.awaiting_receipt
