"""The moment of a decision: the case as it stands, the command, who says it, when, under which calendar.

Knows nothing of what follows; every guard, fact and clock effect is a function of this value.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from nodes.cases.case import Actor, Case
from nodes.cases.commands import Command
from nodes.cases.events import After, Body, Event
from nodes.cases.filing import Terms
from nodes.cases.frozen import quick
from regions.calendar import WorkCalendar


@quick
@dataclass(frozen=True, slots=True)
class Moment:
    """`now` is when it is written, `at` when it holds: a timer's due time, the origin's receipt of an ask."""

    case: Case
    command: Command
    actor: Actor
    region: str
    now: datetime
    at: datetime
    calendar: WorkCalendar
    caused_by: str = ""

    @property
    def terms(self) -> Terms:
        """What the guide promised."""
        return self.case.filing.terms

    def standing(self) -> After:
        """What holds now, before anything follows from the command."""
        case = self.case
        return After(
            state=case.state,
            owner=case.owner,
            epoch=case.epoch,
            clocks=case.clocks,
            calendar_version=case.calendar_version,
            parties=case.parties,
            authority=case.authority,
            step=case.step,
            lacks=case.lacks,
            procedure=case.procedure,
            suspension=case.suspension,
        )

    def event(self, body: Body, after: After) -> Event:
        """The next event of the case."""
        return Event(
            version=self.case.version + 1,
            epoch=self.case.epoch,
            author=self.region,
            by=self.actor.role.value,
            effective_at=self.at,
            recorded_at=self.now,
            body=body,
            after=after,
            actor=self.actor.id,
            caused_by=self.caused_by,
        )
