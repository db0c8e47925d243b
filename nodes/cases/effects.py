"""What a row of the table does to the clocks: a closed list of effects, each a function of the moment.

Knows which clock starts, stands, grows or ends. Must not know the table that names these effects.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum

from nodes.cases.case import Clock, ClockKind, Light, Stop
from nodes.cases.clock import Clocks, change, ended, grown, resumed, start, stopped, timed
from nodes.cases.commands import (
    AnswerRating,
    ChangeLight,
    Decide,
    HandOver,
    Rate,
    Reinstate,
    RejectHandover,
    SupplyLack,
)
from nodes.cases.filing import Filing, Kind
from nodes.cases.frozen import replace
from nodes.cases.moment import Moment
from nodes.cases.papers import answered
from regions.joint import JointRule
from regions.limits import Limit

SPECIAL = "special_procedure"
COURT = "court_order"
OTHERS = "awaiting_others"
DECIDING = frozenset({ClockKind.DECISION, ClockKind.STEP})
BAD_STARS = 2


class Effect(StrEnum):
    """Named in the table, applied in its order."""

    NOTICE_STARTS = "notice_starts"
    NOTICE_ENDS = "notice_ends"
    CORRECTION_STARTS = "correction_starts"
    CORRECTION_ENDS = "correction_ends"
    CORRECTION_RED = "correction_red"
    DECISION_STARTS = "decision_starts"
    DECISION_FROM_RECEIPT = "decision_from_receipt"
    DECISION_ENDS = "decision_ends"
    DECISION_STOPS = "decision_stops"
    DECISION_RESUMES = "decision_resumes"
    LACK_STARTS = "lack_starts"
    LACK_ENDS = "lack_ends"
    STEP_STARTS = "step_starts"
    STEP_MOVES_ON = "step_moves_on"
    PROCEDURE_STARTS = "procedure_starts"
    PROCEDURE_ENDS = "procedure_ends"
    PROCEDURE_RED = "procedure_red"
    LIMIT_GROWS = "limit_grows"
    DELIVERY_STARTS = "delivery_starts"
    DELIVERY_RESUMES = "delivery_resumes"
    DELIVERY_ENDS = "delivery_ends"
    CONTACT_STARTS = "contact_starts"
    CONTACT_ENDS = "contact_ends"
    COURT_STOPS = "court_stops"
    COURT_RESUMES = "court_resumes"
    MOVED = "moved"
    RESTORED = "restored"
    RECOMPUTED = "recomputed"
    LIGHT = "light"
    ALL_END = "all_end"


def waits_for_others(filing: Filing) -> bool:
    """Whether this is a part whose grant is delivered only with all the others."""
    return filing.kind is Kind.PART and filing.joint_rule is JointRule.ALL_OR_NONE


def bad_ratings(moment: Moment) -> tuple[str, ...]:
    """The sides that were rated badly, in the order of their contact clocks."""
    return tuple(r.target for r in moment.case.ratings if r.stars <= BAD_STARS)


def side_region(moment: Moment, target: str) -> str:
    """The region of the side that is rated: "origin" or "competent"."""
    filing = moment.case.filing
    return filing.origin if target == "origin" else moment.case.competent or filing.competent


def _new(
    m: Moment, kind: ClockKind, limit: Limit, region: str, at: datetime | None = None, step: int = 0
) -> Clock:
    return start(kind, limit, at or m.at, region, m.terms, m.calendar, step=step)


def _end(*kinds: ClockKind) -> Callable[[Clocks, Moment], Clocks]:
    return lambda clocks, m: change(clocks, lambda c: c.kind in kinds, lambda c: ended(c, m.at))


def _red(kind: ClockKind) -> Callable[[Clocks, Moment], Clocks]:
    return lambda clocks, _: change(clocks, lambda c: c.kind is kind, lambda c: replace(c, light=Light.RED))


def _notice_starts(clocks: Clocks, m: Moment) -> Clocks:
    filing = m.case.filing
    region = filing.competent if filing.kind in {Kind.FULL_ONLINE, Kind.PART} else m.region
    return (*clocks, _new(m, ClockKind.NOTICE, m.terms.notice, m.case.competent or region))


def _correction_starts(clocks: Clocks, m: Moment) -> Clocks:
    return (*clocks, _new(m, ClockKind.CORRECTION, m.terms.correction, m.case.filing.origin))


def _decision_starts(clocks: Clocks, m: Moment) -> Clocks:
    return (*clocks, _new(m, ClockKind.DECISION, m.terms.decision, m.region))


def _decision_from_receipt(clocks: Clocks, m: Moment) -> Clocks:
    """The notice clock began with the receipt; it is the last of its kind, ended or not."""
    received = next(c.started_at for c in reversed(clocks) if c.kind is ClockKind.NOTICE)
    return (*clocks, _new(m, ClockKind.DECISION, m.terms.decision, m.region, received))


def _decision_stops(clocks: Clocks, m: Moment) -> Clocks:
    return change(clocks, lambda c: c.kind in DECIDING, lambda c: stopped(c, SPECIAL, m.at))


def _decision_resumes(clocks: Clocks, m: Moment) -> Clocks:
    return change(clocks, lambda _: True, lambda c: resumed(c, SPECIAL, m.at, m.terms, m.calendar))


def _lack_starts(clocks: Clocks, m: Moment) -> Clocks:
    assert m.terms.lack is not None, "acceptance with a lack was checked"
    return (*clocks, _new(m, ClockKind.LACK, m.terms.lack, m.case.filing.origin))


def _lack_ends(clocks: Clocks, m: Moment) -> Clocks:
    assert isinstance(m.command, SupplyLack)
    still = [c for c in m.case.lacks if not answered(m.terms, c, m.command.materials)]
    return clocks if still else _end(ClockKind.LACK)(clocks, m)


def _step_clock(m: Moment, step: int) -> Clocks:
    steps = m.terms.steps
    if m.case.filing.kind is Kind.LEAD or step > len(steps):
        return ()
    limit = steps[step - 1].limit
    return () if limit is None else (_new(m, ClockKind.STEP, limit, m.region, step=step),)


def _step_starts(clocks: Clocks, m: Moment) -> Clocks:
    return (*clocks, *_step_clock(m, 1))


def _step_moves_on(clocks: Clocks, m: Moment) -> Clocks:
    return (*_end(ClockKind.STEP)(clocks, m), *_step_clock(m, m.case.step + 1))


def _procedure_starts(clocks: Clocks, m: Moment) -> Clocks:
    return (*clocks, _new(m, ClockKind.PROCEDURE, m.terms.procedure, m.region))


def _limit_grows(clocks: Clocks, m: Moment) -> Clocks:
    more = m.terms.extension
    assert more is not None, "the extension was checked"
    return change(
        clocks, lambda c: c.kind is ClockKind.DECISION, lambda c: grown(c, more, m.terms, m.calendar)
    )


def _delivery_starts(clocks: Clocks, m: Moment) -> Clocks:
    assert isinstance(m.command, Decide)
    waits = m.command.decision.granted and waits_for_others(m.case.filing)
    stops = (Stop(OTHERS, m.at),) if waits else ()
    clock = start(ClockKind.DELIVERY, m.terms.delivery, m.at, m.region, m.terms, m.calendar, stops=stops)
    return (*clocks, clock)


def _delivery_resumes(clocks: Clocks, m: Moment) -> Clocks:
    return change(clocks, lambda _: True, lambda c: resumed(c, OTHERS, m.at, m.terms, m.calendar))


def _contact_starts(clocks: Clocks, m: Moment) -> Clocks:
    assert isinstance(m.command, Rate)
    rating = m.command.rating
    if rating.stars > BAD_STARS:
        return clocks
    return (*clocks, _new(m, ClockKind.CONTACT, m.terms.contact, side_region(m, rating.target)))


def _contact_ends(clocks: Clocks, m: Moment) -> Clocks:
    assert isinstance(m.command, AnswerRating)
    index = contact_clock(clocks, bad_ratings(m), m.command.target)
    assert index is not None, "the contact clock was checked"
    return (*clocks[:index], ended(clocks[index], m.at), *clocks[index + 1 :])


def contact_clock(clocks: Clocks, bad: tuple[str, ...], target: str) -> int | None:
    """Index of the running contact clock of that side, or None."""
    contacts = [i for i, c in enumerate(clocks) if c.kind is ClockKind.CONTACT]
    found = next((i for i, side in zip(contacts, bad, strict=False) if side == target), None)
    return found if found is not None and clocks[found].ended_at is None else None


def _court_stops(clocks: Clocks, m: Moment) -> Clocks:
    if not getattr(m.command, "court_order", False):
        return clocks
    return change(clocks, lambda _: True, lambda c: stopped(c, COURT, m.at))


def _court_resumes(clocks: Clocks, m: Moment) -> Clocks:
    """Clocks that a court stopped run again; the applicant's grace counts from here."""

    def again(clock: Clock) -> Clock:
        if clock.adverse_at is not None and not clock.stopped:
            return timed(clock, m.terms, m.calendar, m.at)
        return resumed(clock, COURT, m.at, m.terms, m.calendar, m.at)

    return change(clocks, lambda _: True, again)


def _moved(clocks: Clocks, m: Moment) -> Clocks:
    """The authority's clocks go with the case, and come back with it."""
    filing = m.case.filing
    to = filing.origin if isinstance(m.command, RejectHandover) else filing.competent
    if isinstance(m.command, HandOver):
        to = m.command.to
    own = frozenset({ClockKind.NOTICE, ClockKind.DECISION})
    return change(clocks, lambda c: c.kind in own, lambda c: replace(c, region=to))


def _restored(clocks: Clocks, m: Moment) -> Clocks:
    """As if the timer had not fired: what it ended runs on; the item ended the applicant's clock in time."""
    assert isinstance(m.command, Reinstate)
    undone, received = m.case.deemed_at, m.command.received_at
    back = tuple(_unended(c) if undone is not None and c.ended_at == undone else c for c in clocks)
    hurt = frozenset({ClockKind.CORRECTION, ClockKind.LACK})
    back = change(back, lambda c: c.kind in hurt, lambda c: ended(c, received))
    if m.case.deemed == "revocation":
        return back
    region = m.case.competent or m.region
    return (*back, _new(m, ClockKind.NOTICE, m.terms.notice, region, received))


def _unended(clock: Clock) -> Clock:
    """The clock as it was before its end; a stop that ended only with it lasts on."""
    stops = clock.stops
    if stops and stops[-1].until == clock.ended_at:
        stops = (*stops[:-1], replace(stops[-1], until=None))
    return replace(clock, stops=stops, ended_at=None)


def _recomputed(clocks: Clocks, m: Moment) -> Clocks:
    return change(clocks, lambda _: True, lambda c: timed(c, m.terms, m.calendar, m.case.resumed_at))


def _light(clocks: Clocks, m: Moment) -> Clocks:
    assert isinstance(m.command, ChangeLight)
    index, light = m.command.clock, Light(m.command.light)
    return (*clocks[:index], replace(clocks[index], light=light), *clocks[index + 1 :])


def _all_end(clocks: Clocks, m: Moment) -> Clocks:
    """The duty to answer a bad rating outlives the case."""
    return change(clocks, lambda c: c.kind is not ClockKind.CONTACT, lambda c: ended(c, m.at))


APPLY: Mapping[Effect, Callable[[Clocks, Moment], Clocks]] = {
    Effect.NOTICE_STARTS: _notice_starts,
    Effect.NOTICE_ENDS: _end(ClockKind.NOTICE),
    Effect.CORRECTION_STARTS: _correction_starts,
    Effect.CORRECTION_ENDS: _end(ClockKind.CORRECTION),
    Effect.CORRECTION_RED: _red(ClockKind.CORRECTION),
    Effect.DECISION_STARTS: _decision_starts,
    Effect.DECISION_FROM_RECEIPT: _decision_from_receipt,
    Effect.DECISION_ENDS: _end(*DECIDING),
    Effect.DECISION_STOPS: _decision_stops,
    Effect.DECISION_RESUMES: _decision_resumes,
    Effect.LACK_STARTS: _lack_starts,
    Effect.LACK_ENDS: _lack_ends,
    Effect.STEP_STARTS: _step_starts,
    Effect.STEP_MOVES_ON: _step_moves_on,
    Effect.PROCEDURE_STARTS: _procedure_starts,
    Effect.PROCEDURE_ENDS: _end(ClockKind.PROCEDURE),
    Effect.PROCEDURE_RED: _red(ClockKind.PROCEDURE),
    Effect.LIMIT_GROWS: _limit_grows,
    Effect.DELIVERY_STARTS: _delivery_starts,
    Effect.DELIVERY_RESUMES: _delivery_resumes,
    Effect.DELIVERY_ENDS: _end(ClockKind.DELIVERY),
    Effect.CONTACT_STARTS: _contact_starts,
    Effect.CONTACT_ENDS: _contact_ends,
    Effect.COURT_STOPS: _court_stops,
    Effect.COURT_RESUMES: _court_resumes,
    Effect.MOVED: _moved,
    Effect.RESTORED: _restored,
    Effect.RECOMPUTED: _recomputed,
    Effect.LIGHT: _light,
    Effect.ALL_END: _all_end,
}


def run(effects: tuple[Effect, ...], moment: Moment) -> Clocks:
    """The clocks of the case after these effects."""
    clocks = moment.case.clocks
    for effect in effects:
        clocks = APPLY[effect](clocks, moment)
    return clocks
