"""The clocks of one case as they must run: due times and lights, worked out anew.

Knows limits, stops and lights. Must not know commands: `course` says what starts and ends a clock.
"""

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from tools.filings import days
from tools.filings.days import Limit
from tools.filings.limits import Terms

GREEN, YELLOW, RED = "green", "yellow", "red"
_ORDER = (GREEN, YELLOW, RED)
_MOMENT = timedelta(microseconds=1)


@dataclass(slots=True)
class Clock:
    """One limit that runs. `seen`: the time up to which its light is known."""

    kind: str
    limit: Limit
    begun: datetime
    terms: Terms
    light: str = GREEN
    ended: datetime | None = None
    stopped: datetime | None = None
    reason: str = ""
    stood: list[tuple[date, date]] = field(default_factory=list)

    @property
    def last_day(self) -> date:
        """The day on which it ends; one that is over stays so, one that stood ends when it runs again."""
        begun, more = self.begun.date(), 0
        last = days.last_day(begun, self.limit)
        for since, until in self.stood:
            if since <= last:
                more += days.stood(since, until, self.limit.unit)
                again = until if self.limit.unit == "calendar_day" else days.later(until, 0)
                last = max(days.last_day(begun, self.limit, more), again)
        return last

    @property
    def due_at(self) -> datetime:
        """The first moment that is too late."""
        return days.due_at(self.last_day, self.terms.close)

    @property
    def yellow_at(self) -> datetime:
        """When its light turns yellow."""
        units = self.terms.yellow_units(self.limit)
        return days.yellow_at(self.begun.date(), self.last_day, self.limit, units)

    @property
    def adverse_at(self) -> datetime:
        """When its end sets something off against the citizen: the grace later."""
        limit = Limit(self.terms.grace, "working_day")
        last = days.last_day((self.due_at - _MOMENT).date(), limit)
        return days.due_at(last, self.terms.close)

    def look(self, at: datetime) -> None:
        """What its light has shown until then."""
        if self.ended is not None or self.stopped is not None:
            return
        if self.due_at <= at:
            self.light = RED
        elif self.yellow_at <= at and self.light == GREEN:
            self.light = YELLOW


@dataclass(slots=True)
class Clocks:
    """All clocks of a case, ended ones included."""

    terms: Terms
    all: list[Clock] = field(default_factory=list)

    def start(self, kind: str, limit: Limit, at: datetime) -> Clock:
        """A clock that starts by an event at `at`."""
        clock = Clock(kind, limit, at, self.terms)
        self.all.append(clock)
        return clock

    def running(self, kind: str) -> Clock | None:
        """The latest of that kind that has not ended."""
        return next((c for c in reversed(self.all) if c.kind == kind and c.ended is None), None)

    def end(self, at: datetime, *kinds: str) -> None:
        """Ends those kinds; no kind: all but the duty to answer a bad rating."""
        for clock in self.all:
            if clock.ended is None and (clock.kind in kinds if kinds else clock.kind != "contact"):
                clock.look(at)
                clock.ended = at

    def stop(self, at: datetime, reason: str, *kinds: str) -> None:
        """They stand still, for that reason; no kind: all that run."""
        for clock in self.all:
            if clock.ended is None and clock.stopped is None and (not kinds or clock.kind in kinds):
                clock.look(at)
                clock.stopped, clock.reason = at, reason

    def resume(self, at: datetime, reason: str) -> None:
        """Those that stood for this reason run again."""
        for clock in self.all:
            if clock.ended is None and clock.stopped is not None and clock.reason == reason:
                clock.stood.append((clock.stopped.date(), at.date()))
                clock.stopped = None

    def grow(self, more: Limit, at: datetime) -> None:
        """The decision limit becomes longer, once."""
        clock = self.running("decision")
        assert clock is not None
        assert clock.limit.unit == more.unit, "the same unit"
        clock.look(at)
        clock.limit = replace(clock.limit, value=clock.limit.value + more.value)

    def lights(self) -> dict[str, str]:
        """The worst light that each kind has shown."""
        found: dict[str, str] = {}
        for clock in self.all:
            found[clock.kind] = max(found.get(clock.kind, GREEN), clock.light, key=_ORDER.index)
        return dict(sorted(found.items()))

    def worst(self) -> str:
        """The worst of all."""
        return max((c.light for c in self.all), key=_ORDER.index, default=GREEN)
