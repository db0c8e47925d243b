"""Every (state, command, role) with every kind of case: the hand-written steps pass, all others do not.

Nothing here is read off the table.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from nodes.cases import commands as c
from nodes.cases import machine
from nodes.cases.case import Actor, State
from nodes.cases.errors import CaseError, Code
from regions.calendar import WorkCalendar, work_calendar
from tests.unit.cases.legal_steps import LEGAL
from tests.unit.cases.sayings import VERBS, actor, say
from tests.unit.cases.standing import KINDS, ROLES, START, prepared, standing
from tests.unit.cases.world import ORIGIN, Desk, F, at, filing

CALENDAR = work_calendar()
NEWER = replace(CALENDAR, version="newer")
STATES = tuple(state.value for state in State)


def decide(desk: Desk, command: c.Command, who: Actor, calendar: WorkCalendar = CALENDAR) -> None:
    region = desk.case.owner if desk.case else ORIGIN
    machine.decide(desk.case, command, who, desk.now, calendar, region=region)


@pytest.mark.parametrize("state", STATES)
def test_every_step_on_the_list_is_taken(state: str) -> None:
    steps = sorted(step for step in LEGAL if step[0] == state)
    assert steps
    for _, command, role, letter in steps:
        kind = KINDS[letter]
        if state == "draft":
            desk = Desk(at(START))
            said: c.Command = c.File(filing(kind, desk.now), "h1")
        else:
            desk = prepared(state, command, role, kind)
            assert desk.it.state == state, (state, command, role, letter)
            said = say(command, desk, role)
        calendar = NEWER if command == "recompute_deadlines" else CALENDAR
        try:
            decide(desk, said, actor(command, role, desk.case), calendar)
        except CaseError as error:
            raise AssertionError((state, command, role, letter, str(error))) from error


@pytest.mark.parametrize("state", STATES)
def test_every_other_step_is_refused(state: str) -> None:
    expected = (
        {Code.NO_SUCH_CASE, Code.NOT_IN_TABLE}
        if state == "draft"
        else {Code.NOT_IN_TABLE, Code.ALREADY_FILED}
    )
    tried = 0
    for letter, command, role in product(KINDS, VERBS, ROLES):
        if (state, command, role, letter) in LEGAL:
            continue
        desk = Desk(at(START)) if state == "draft" else standing(state, KINDS[letter])
        said = say(command, desk, role)
        if state == "draft" and command == "file":
            said = c.File(filing(KINDS[letter], desk.now), "h1")
        with pytest.raises(CaseError) as refused:
            decide(desk, said, actor(command, role, desk.case))
        elsewhere = state == "filed" and letter == "C" and role == "O"  # no officer has the case yet
        assert refused.value.code in expected | ({Code.NOT_OWNER} if elsewhere else set()), (
            state,
            command,
            role,
            letter,
            str(refused.value),
        )
        tried += 1
    assert tried > 1000


def test_the_list_and_the_verbs_name_the_same_things() -> None:
    assert {step[1] for step in LEGAL} == set(VERBS)
    assert {step[0] for step in LEGAL} == set(STATES)
    named = {name for name in vars(c) if isinstance(getattr(c, name), type) and name[0].isupper()}
    classes = {type(say(verb, standing("filed", F), "A")).__name__ for verb in VERBS}
    assert classes == {n for n in named if getattr(c, n).__module__ == c.__name__}
