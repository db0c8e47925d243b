"""The arithmetic of one clock: when it is due, when its light turns, what a stop or an extension does to it.

Knows limits, stops and the calendar. Must not know states or commands: what starts and ends a clock is the
table's word (effects). The day of the event does not count; a stop from day P to day R keeps the days after P
up to R out of the count. A limit that is over is not moved by a later stop; one that stood on its last day
ends no earlier than the day on which it runs again.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

from nodes.cases.case import Clock, ClockKind, Stop
from nodes.cases.filing import Terms
from nodes.cases.frozen import replace
from regions.calendar import WorkCalendar, local_day
from regions.limits import Limit, Unit

Clocks = tuple[Clock, ...]

_MOMENT = timedelta(microseconds=1)


def timed(clock: Clock, terms: Terms, calendar: WorkCalendar, resumed_at: datetime | None = None) -> Clock:
    """The clock with its times worked out anew from start, limit and finished stops.

    `resumed_at`: end of the last suspension; nobody could answer before, so the grace runs from there.
    Raises regions' CalendarError for dates outside the calendar.
    """
    limit = clock.limit
    due = calendar.ending(_last_day(clock, calendar), limit.unit, terms.close_of_business)
    yellow = calendar.yellow_before(local_day(clock.started_at), due.day, limit, terms.yellow)
    adverse = None
    if _hurts(clock.kind, terms) and not due.provisional:
        adverse = _after_grace(max(due.at, resumed_at) if resumed_at else due.at, terms, calendar)
    return replace(clock, due_at=due.at, yellow_at=yellow, provisional=due.provisional, adverse_at=adverse)


def start(
    kind: ClockKind,
    limit: Limit,
    at: datetime,
    region: str,
    terms: Terms,
    calendar: WorkCalendar,
    *,
    step: int = 0,
    stops: tuple[Stop, ...] = (),
) -> Clock:
    """A clock that starts by an event at `at`."""
    return timed(Clock(kind, limit, at, at, at, region, step=step, stops=stops), terms, calendar)


def grown(clock: Clock, more: Limit, terms: Terms, calendar: WorkCalendar) -> Clock:
    """The clock with its limit extended by `more`; the limit names both bases.

    Where the units differ, `more` is counted from the due day and told in the clock's own unit.
    """
    limit, value = clock.limit, more.value
    if more.unit is not limit.unit:
        due = local_day(clock.due_at - _MOMENT)
        until = calendar.due_day(due, more)
        if limit.unit is Unit.WORKING_DAY:
            value = calendar.working_days_between(due, until)
        else:
            value = (until - due).days
    longer = replace(
        limit,
        value=limit.value + value,
        basis_zh=f"{limit.basis_zh};{more.basis_zh}",
        basis_en=f"{limit.basis_en}; {more.basis_en}",
        official=limit.official and more.official,
    )
    return timed(replace(clock, limit=longer), terms, calendar)


def change(clocks: Clocks, which: Callable[[Clock], bool], how: Callable[[Clock], Clock]) -> Clocks:
    """The clocks with `how` done to those that have not ended and are meant."""
    return tuple(how(c) if c.ended_at is None and which(c) else c for c in clocks)


def ended(clock: Clock, at: datetime) -> Clock:
    """The clock, ended and kept in the record; a stop that lasted ends with it."""
    return replace(clock, stops=_stops_ended(clock, at), ended_at=at)


def stopped(clock: Clock, reason: str, at: datetime) -> Clock:
    """The clock at a stand; a clock that stands already keeps its first reason."""
    return clock if clock.stopped else replace(clock, stops=(*clock.stops, Stop(reason, at)))


def resumed(
    clock: Clock,
    reason: str,
    at: datetime,
    terms: Terms,
    calendar: WorkCalendar,
    back: datetime | None = None,
) -> Clock:
    """The clock running again, if it stood for this reason; its times move by what it missed."""
    if not clock.stopped or clock.stops[-1].reason != reason:
        return clock
    return timed(replace(clock, stops=_stops_ended(clock, at)), terms, calendar, back)


def _stops_ended(clock: Clock, at: datetime) -> tuple[Stop, ...]:
    if not clock.stopped:
        return clock.stops
    return (*clock.stops[:-1], replace(clock.stops[-1], until=at))


def _last_day(clock: Clock, calendar: WorkCalendar) -> date:
    """The day on which the limit ends, with every finished stop kept out of the count."""
    limit, begun = clock.limit, local_day(clock.started_at)
    end = last = calendar.due_day(begun, limit)
    if limit.unit is not Unit.WORKING_DAY:
        end = begun + timedelta(days=limit.value)  # before it rolls on to a working day
    for stop in clock.stops:
        if stop.until is None or local_day(stop.since) > last:
            continue
        since, until = local_day(stop.since), local_day(stop.until)
        if limit.unit is Unit.WORKING_DAY:
            left = calendar.working_days_between(since, end)
            end = last = calendar.add_working_days(until, left)
        else:
            end = last = until + max(end - since, timedelta(0))
            if limit.unit is Unit.DAY:
                last = calendar.add_working_days(end, 0)
    return last


def _hurts(kind: ClockKind, terms: Terms) -> bool:
    """The applicant's clocks, where their end sets something off."""
    return kind is ClockKind.LACK or (kind is ClockKind.CORRECTION and terms.deemed_withdrawal)


def _after_grace(due_at: datetime, terms: Terms, calendar: WorkCalendar) -> datetime:
    """A due time is the first moment that is too late: its day is the day of the moment before."""
    if terms.grace is None:
        return due_at
    return calendar.due(due_at - _MOMENT, terms.grace, terms.close_of_business).at
