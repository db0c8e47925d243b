"""I13: every clock is due on the right working day; each light and each timer's effect came once, on time.

Due times are worked out anew from start, limit, stops and the calendar. Whatever was due before an event was
written must have been said before it: late and punctual firing give the same record.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from tests.fault.checker.facts import Event, World
from tests.fault.checker.facts import Violation as Found
from tests.fault.checker.names import violation
from tests.fault.checker.steps import WAITING, state_name
from tests.fault.checker.workdays import SHANGHAI, Workdays, day_of
from tongban.v1.case_pb2 import Clock, ClockKind, Light, Role, Terms
from tongban.v1.event_pb2 import After, EventCore

GREEN, YELLOW, RED = Light.LIGHT_GREEN, Light.LIGHT_YELLOW, Light.LIGHT_RED
NOTICE, CORRECTION, LACK, PROCEDURE = (
    ClockKind.CLOCK_KIND_NOTICE,
    ClockKind.CLOCK_KIND_CORRECTION,
    ClockKind.CLOCK_KIND_LACK,
    ClockKind.CLOCK_KIND_PROCEDURE,
)
OVERDUE = {"CorrectionOverdue": CORRECTION, "ProcedureOverdue": PROCEDURE}
FIRST = {"Received", "HandoverRejected", "DeadlineRecomputed"}
"""Events before which no timer fires: an unreceived case waits, a new calendar comes first."""
Wrong = tuple[str, str]
"""A name, and what shows it."""


def timed(world: World, workdays: Workdays) -> Iterator[Found]:
    """wrong_due_day, missing_light, doubled_light, mistimed_light, missing_effect."""
    now = world.now()
    for number in world.numbers():
        path = world.path(number)
        if not path or path[0].core.type != "Filed":
            continue
        terms = path[0].core.filed.filing.terms
        for at, event in enumerate(path):
            for name, said in _event(path, at, terms, workdays):
                yield violation(
                    name, number, event.author, f"version {event.version}, {event.core.type}: {said}"
                )
        latest = world.latest(number)
        if latest is not None and path[-1].version == latest.version and not _on_the_way(path):
            owner = world.regions.get(latest.core.after.owner)
            row = owner.cases.get(number) if owner else None
            if row is not None and not row.parked:
                for name, said in _overdue(latest.core.after, now):
                    yield violation(name, number, latest.core.after.owner, f"{said}, it is {_say(now)}")


def _on_the_way(path: Sequence[Event]) -> bool:
    return path[-1].core.type == "HandedOver"


def _event(path: Sequence[Event], at: int, terms: Terms, workdays: Workdays) -> Iterator[Wrong]:
    core = path[at].core
    before = path[at - 1].core.after if at else After()
    for index, clock in enumerate(core.after.clocks):
        old = before.clocks[index] if index < len(before.clocks) else None
        if old is None or _timing(old) != _timing(clock):
            yield from (("wrong_due_day", said) for said in _due(clock, terms, workdays, path[: at + 1]))
        if old is None:
            yield from (("wrong_due_day", said) for said in _started(core, clock, before))
    if core.by == Role.ROLE_TIMER:
        yield from _fired(path, at)
    elif at and not _exempt(path, at):
        yield from _overdue(before, _at(core.recorded_at))


def _exempt(path: Sequence[Event], at: int) -> bool:
    """Whether timers may still be due when it is written: what a timer sets off moves the case first."""
    core, before = path[at].core, path[at - 1].core
    return core.type in FIRST or (core.type == "HandedOver" and before.by == Role.ROLE_TIMER)


def _timing(clock: Clock) -> tuple[bytes, ...]:
    """What a clock's due time rests on, and the due time."""
    parts = (clock.limit, clock.started_at, clock.due_at, clock.yellow_at, clock.adverse_at, *clock.stops)
    return tuple(part.SerializeToString(deterministic=True) for part in parts)


def _started(core: EventCore, clock: Clock, before: After) -> Iterator[str]:
    """A clock starts with what set it off; a deemed acceptance counts from the receipt."""
    started = _at(clock.started_at)
    if core.type == "AcceptanceDeemed":
        wanted = [_at(c.started_at) for c in before.clocks if c.kind == NOTICE][-1:]
    elif core.type == "Reinstated":
        wanted = [_at(core.reinstated.received_at)]
    else:
        wanted = [_at(core.effective_at)]
    if started not in wanted:
        yield f"the {_kind(clock)} clock starts {_say(started)}, not {', '.join(map(_say, wanted))}"


def _due(clock: Clock, terms: Terms, workdays: Workdays, path: Sequence[Event]) -> Iterator[str]:
    due, last = next(
        (found for one in _read(clock) if (found := workdays.due(one, terms))[0] == _at(clock.due_at)),
        workdays.due(clock, terms),
    )
    if _at(clock.due_at) != due:
        yield f"the {_kind(clock)} clock is due {_say(_at(clock.due_at))}, should be {_say(due)}"
        return
    yellow = workdays.yellow(clock, terms, last)
    if _at(clock.yellow_at) != yellow:
        yield f"the {_kind(clock)} clock turns yellow {_say(_at(clock.yellow_at))}, should {_say(yellow)}"
    hurts = clock.kind == LACK or (clock.kind == CORRECTION and terms.deemed_withdrawal)
    resumed = [_at(e.core.effective_at) for e in path if e.core.type == "Resumed"]
    if hurts and not clock.provisional:
        wanted = {workdays.grace_after(max(due, at), terms) for at in (due, *resumed)}
        if not clock.HasField("adverse_at") or _at(clock.adverse_at) not in wanted:
            yield f"the {_kind(clock)} clock takes effect {_say(_at(clock.adverse_at))}"
    if clock.provisional != (clock.limit.unit != 3 and workdays.provisional(day_of(last_moment(due)))):
        yield f"the {_kind(clock)} clock is {'' if clock.provisional else 'not '}provisional"


def _read(clock: Clock) -> Iterator[Clock]:
    """The clock; and, where it ended while it stood, without that stop, which can move nothing any more."""
    yield clock
    if clock.HasField("ended_at") and clock.stops and clock.stops[-1].until == clock.ended_at:
        other = Clock()
        other.CopyFrom(clock)
        del other.stops[-1]
        yield other


def last_moment(due: datetime) -> datetime:
    """A due time is the first moment that is too late."""
    return datetime.fromtimestamp(due.timestamp() - 1e-3, SHANGHAI)


def _fired(path: Sequence[Event], at: int) -> Iterator[Wrong]:
    """What a timer did: once, and at the time of its clock."""
    core, before = path[at].core, path[at - 1].core.after
    effective = _at(core.effective_at)
    if core.type == "LightChanged":
        index, light = core.light_changed.clock, core.light_changed.light
        if index >= len(before.clocks):
            yield "mistimed_light", f"clock {index} does not exist"
            return
        clock = before.clocks[index]
        if clock.light >= light or _lit_before(path, at, index, light):
            yield "doubled_light", f"the {_kind(clock)} clock was {Light.Name(light)} before"
        wanted = [_at(clock.yellow_at if light == YELLOW else clock.due_at)]
    elif core.type in OVERDUE:
        running = [c for c in before.clocks if c.kind == OVERDUE[core.type] and _runs(c)]
        if any(c.light == RED for c in running):
            yield "doubled_light", "the clock was red before"
        wanted = [_at(c.due_at) for c in running]
    elif core.type == "AcceptanceDeemed":
        wanted = [_at(c.due_at) for c in before.clocks if c.kind == NOTICE and _runs(c)]
    else:
        wanted = [_at(c.adverse_at) for c in before.clocks if c.kind in {CORRECTION, LACK} and _runs(c)]
    yield from _unlit(before, effective, together=core.type != "LightChanged" and core.type not in OVERDUE)
    if effective not in wanted:
        yield "mistimed_light", f"effective {_say(effective)}, due {', '.join(map(_say, wanted)) or 'never'}"
    if _at(core.recorded_at) < effective:
        yield "mistimed_light", f"written {_say(_at(core.recorded_at))}, before it was due"


def _unlit(before: After, effective: datetime, *, together: bool) -> Iterator[Wrong]:
    """Timers fire in the order of their times; `together`: lights of the same moment come first."""
    for clock in before.clocks:
        missing = [
            at
            for at, dark in (
                (_at(clock.yellow_at), clock.light == GREEN),
                (_at(clock.due_at), clock.light != RED),
            )
            if dark and _runs(clock) and (at < effective or (together and at == effective))
        ]
        if missing:
            said = f"the {_kind(clock)} clock was not lit at {_say(missing[0])}, before {_say(effective)}"
            yield "missing_light", said


def _lit_before(path: Sequence[Event], at: int, index: int, light: int) -> bool:
    return any(
        e.core.type == "LightChanged"
        and (e.core.light_changed.clock, e.core.light_changed.light) == (index, light)
        for e in path[:at]
    )


def _overdue(after: After, now: datetime) -> Iterator[Wrong]:
    """What time alone should have brought about by `now`, and did not."""
    phase = state_name(after.suspension.back_to if after.HasField("suspension") else after.state)
    for clock in after.clocks:
        if not _runs(clock):
            continue
        due = _at(clock.due_at)
        if clock.light == GREEN and _at(clock.yellow_at) <= now:
            yield "missing_light", f"the {_kind(clock)} clock is green since {_say(_at(clock.yellow_at))}"
        elif clock.light != RED and due <= now:
            yield "missing_light", f"the {_kind(clock)} clock is not red since {_say(due)}"
        if clock.kind == NOTICE and phase in WAITING and due <= now:
            yield "missing_effect", f"the notice was due {_say(due)} and nothing follows"
        if not clock.HasField("adverse_at") or after.HasField("suspension"):
            continue
        takes = clock.kind == CORRECTION and phase == "correction"
        takes = takes or (clock.kind == LACK and bool(after.lacks))
        if takes and _at(clock.adverse_at) <= now:
            yield "missing_effect", f"the {_kind(clock)} clock took effect {_say(_at(clock.adverse_at))}"


def _runs(clock: Clock) -> bool:
    stands = bool(clock.stops) and not clock.stops[-1].HasField("until")
    return not clock.HasField("ended_at") and not stands


def _kind(clock: Clock) -> str:
    return ClockKind.Name(clock.kind).removeprefix("CLOCK_KIND_").lower()


def _at(moment: Timestamp) -> datetime:
    return moment.ToDatetime(UTC)


def _say(moment: datetime) -> str:
    return moment.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")
