"""decide and evolve are total: whatever is said, by whomever, whenever, is an event or a CaseError."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from typing import Any, get_args, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nodes.cases import commands as c
from nodes.cases import machine
from nodes.cases.case import Actor, Case, Kind, Role
from nodes.cases.errors import CaseError, Code
from nodes.cases.events import Body, Event, Unknown
from nodes.cases.filing import Filing
from nodes.cases.table import verb
from regions.calendar import SHANGHAI, work_calendar
from tests.unit.cases.legal_steps import LEGAL
from tests.unit.cases.sayings import VERBS, actor, say
from tests.unit.cases.standing import KINDS, STANDING, START, prepared, standing
from tests.unit.cases.world import BODY, COMPETENT, HIGHER, LEAD_REGION, ORIGIN, Desk, at, filing

CALENDAR = work_calendar()
CLASSES: tuple[type[c.Command], ...] = tuple(sorted(get_args(c.Command), key=lambda each: each.__name__))

words = st.one_of(
    st.sampled_from(["", "booklet", "photo", "field:phone", "field:", "first", "granted", "origin", "h1"]),
    st.sampled_from(["applicant", "outward", "red", "part-1", BODY, HIGHER, ORIGIN, COMPETENT]),
    st.text(max_size=8),
)
zones = st.sampled_from([UTC, SHANGHAI, timezone(timedelta(hours=-11))])
moments = st.one_of(
    st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=zones),  # noqa: DTZ001
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=zones),  # noqa: DTZ001
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)),  # noqa: DTZ001  # one without a zone
)
aware = st.datetimes(datetime(2026, 1, 1), datetime(2037, 1, 1), timezones=zones)  # noqa: DTZ001
st.register_type_strategy(str, words)
st.register_type_strategy(datetime, moments)


def command_of(kind: type[c.Command]) -> st.SearchStrategy[c.Command]:
    """Anything of that class; of a filing, a whole one with one field that is anything."""
    if kind is c.File:
        changed = st.sampled_from([f for f in fields(Filing) if f.name != "terms"]).flatmap(_one_other)
        return st.builds(c.File, changed, words)
    return st.from_type(kind)


def _one_other(field: Any) -> st.SearchStrategy[Filing]:
    hint = get_type_hints(Filing)[field.name]
    whole = st.sampled_from([filing(kind) for kind in KINDS.values()])
    return st.builds(lambda base, value: replace(base, **{field.name: value}), whole, st.from_type(hint))


@cache
def ready(state: str, command: str, role: str, letter: str) -> Desk:
    return prepared(state, command, role, KINDS[letter])


strangers = st.builds(
    Actor,
    st.sampled_from(Role),
    st.sampled_from([ORIGIN, COMPETENT, LEAD_REGION, "34", ""]),
    st.just("someone"),
    st.sampled_from(["", BODY, HIGHER]),
)


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_whatever_is_said_is_an_event_or_a_refusal(kind: type[c.Command]) -> None:
    """Half of them by whom and where the table has a row, so that the guards are reached."""
    rows = sorted(step for step in LEGAL if step[1] == verb(kind))

    @settings(max_examples=80)
    @given(
        command_of(kind),
        st.sampled_from(rows),
        st.one_of(st.none(), strangers),
        st.one_of(st.none(), aware),
        st.integers(0, 400),
    )
    def said(
        command: c.Command, row: Any, stranger: Actor | None, submitted: datetime | None, days: int
    ) -> None:
        state, name, role, letter = row
        desk = Desk(at(START)) if state == "draft" else ready(state, name, role, letter)
        who = stranger or actor(name, role, desk.case)
        region = desk.it.owner if desk.case else ORIGIN
        now, case = desk.now + timedelta(days=days if stranger else days // 100), desk.case
        events: tuple[Event, ...] = ()
        with suppress(CaseError):
            events = machine.decide(case, command, who, now, CALENDAR, submitted_at=submitted, region=region)
        for event in events:
            case = machine.evolve(case, event)
            assert (case.version, case.state) == (event.version, event.after.state)

    said()


@pytest.mark.parametrize("filed_at", ["1990-01-01T00:00+08:00", "2026-01-01T00:00", "2003-12-31T12:00+00:00"])
@pytest.mark.parametrize("kind", list(KINDS.values()))
def test_a_day_that_no_calendar_knows_is_refused_by_its_field(kind: Any, filed_at: str) -> None:
    command = c.File(filing(kind, datetime.fromisoformat(filed_at)), "h1")
    role = {"lead": Role.APPLICANT, "part": Role.NODE}.get(kind, Role.WINDOW)
    who = Actor(Role.APPLICANT if kind == "full_online" else role, ORIGIN, "someone")
    with pytest.raises(CaseError) as refused:
        machine.decide(None, command, who, at(START), CALENDAR, region=ORIGIN)
    assert (refused.value.code, refused.value.field) == (Code.BAD_VALUE, "filing.filed_at")


@cache
def every_event() -> tuple[Event, ...]:
    """One event of every kind that a legal step leads to, and one that nobody knows."""
    found: dict[type, Event] = {}
    for state, command, role, letter in sorted(LEGAL):
        if state == "draft":
            continue
        desk = ready(state, command, role, letter)
        calendar = replace(CALENDAR, version="newer") if command == "recompute_deadlines" else CALENDAR
        events = machine.decide(
            desk.it, say(command, desk, role), actor(command, role, desk.it), desk.now, calendar,
            region=desk.it.owner,
        )  # fmt: skip
        found.update({type(event.body): event for event in events})
    for each in (*standing("closed", KINDS["F"]).history, *_of_joint_cases()):
        found.setdefault(type(each.body), each)
    some = next(iter(found.values()))
    return (*found.values(), replace(some, body=Unknown("of_a_later_version")))


def _of_joint_cases() -> tuple[Event, ...]:
    waiting = prepared("decided", "join", "S", Kind.PART)
    lapse, joiner = c.Join(lapse=True, reason="others"), actor("join", "S", waiting.it)
    lead = standing("in_review", Kind.LEAD)
    out = replace(lead.it, parts=(replace(lead.it.parts[0], case_number="part-1"), *lead.it.parts[1:]))
    applicant = Actor(Role.APPLICANT, ORIGIN, "someone")
    return (
        *machine.decide(waiting.it, lapse, joiner, waiting.now, CALENDAR, region=waiting.it.owner),
        *machine.decide(out, c.Withdraw("no"), applicant, lead.now, CALENDAR, region=ORIGIN),
    )


def test_every_kind_of_event_is_tried() -> None:
    assert {type(event.body) for event in every_event()} == set(get_args(Body))


@pytest.mark.parametrize("kind", list(KINDS.values()))
@pytest.mark.parametrize("state", list(STANDING))
def test_any_event_may_follow_any_case(state: str, kind: Any) -> None:
    before = standing(state, kind).it
    for event in every_event():
        told = replace(event, version=before.version + 1)
        seen: Case = machine.evolve(before, told)
        assert (seen.state, seen.owner, seen.epoch) == (told.after.state, told.after.owner, told.after.epoch)
        assert seen.clocks == told.after.clocks
        assert seen.filing == before.filing


def test_all_verbs_have_a_class() -> None:
    assert len(VERBS) == len(CLASSES)
