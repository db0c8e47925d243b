"""Timers: which commands fall due by themselves, and when.

Knows the due times that the clocks carry. A timer fires at the owner only; what hurts the citizen waits the
grace time and never fires on a provisional date (clock); while the case is suspended it waits. Must not know
the time now except as an argument.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from nodes.cases.case import Case, Clock, ClockKind, Light, State
from nodes.cases.commands import (
    ChangeLight,
    Command,
    CorrectionOverdue,
    LackOverdue,
    NoticeOverdue,
    ProcedureOverdue,
    Withdraw,
)
from nodes.cases.frozen import quick
from nodes.cases.table import LACKING, WAITING


@quick
@dataclass(frozen=True, slots=True)
class Timed:
    """A command that falls due at `at`. `rank` orders what falls due together: lights before effects."""

    at: datetime
    command: Command
    rank: int = 0


def pending(case: Case) -> Iterator[Timed]:
    """Everything that time alone will set off as the case stands, in no order."""
    if case.awaiting_receipt:
        return
    for index, clock in enumerate(case.clocks):
        if clock.running:
            yield from _lights(case, index, clock)
            yield from _effects(case, clock)


def _lights(case: Case, index: int, clock: Clock) -> Iterator[Timed]:
    if clock.light is Light.GREEN:
        yield Timed(clock.yellow_at, ChangeLight(index, Light.YELLOW.value))
    if clock.light is Light.RED:
        return
    if clock.kind is ClockKind.CORRECTION and case.phase is State.CORRECTION:
        yield Timed(clock.due_at, CorrectionOverdue(), 1)
    elif clock.kind is ClockKind.PROCEDURE and case.phase is State.SPECIAL_PROCEDURE:
        yield Timed(clock.due_at, ProcedureOverdue(), 1)
    else:
        yield Timed(clock.due_at, ChangeLight(index, Light.RED.value), 1)


def _effects(case: Case, clock: Clock) -> Iterator[Timed]:
    if clock.kind is ClockKind.NOTICE and case.phase in WAITING:
        yield Timed(clock.due_at, NoticeOverdue(), 2)
    if clock.adverse_at is None or case.suspension is not None:
        return
    if clock.kind is ClockKind.CORRECTION and case.state is State.CORRECTION:
        yield Timed(clock.adverse_at, Withdraw(deemed=True), 2)
    if clock.kind is ClockKind.LACK and case.state in LACKING and case.lacks:
        yield Timed(clock.adverse_at, LackOverdue(), 2)


def may_be_due(case: Case, now: datetime) -> bool:
    """Whether a time of a running clock has come; without one nothing of `pending` is due. Asked before each
    command, where nearly always nothing is.
    """
    return any(
        clock.running and min(clock.yellow_at, clock.due_at, clock.adverse_at or clock.due_at) <= now
        for clock in case.clocks
    )


def first(case: Case) -> Timed | None:
    """The timer that falls due first, or None when none ever will."""
    return min(pending(case), key=lambda timed: (timed.at, timed.rank), default=None)
