"""The model notices a machine that is wrong: mistakes planted one by one, each met by a run told here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from nodes.cases import clock, commands, effects, intake, machine
from nodes.cases.case import Case
from nodes.cases.events import Event
from regions.calendar import local_day
from tests.property.cases.federation import Node
from tests.property.cases.test_one_case import OneCase

CHECKED = "receive pre_check receive"
LACKING = f"{CHECKED} accept_with_lack start_review open_special"


def run(kind: str, path: str, *more: tuple[str, str, str]) -> None:
    """The path, then these steps (verb, role, word), everything compared with the model on the way."""
    case = OneCase()
    case.kind, case.path = kind, path
    case.file("2026-03-02", 0)
    for verb, letter, word in more:
        case.everything_arrives()
        case.the_owner_is_where_the_model_is()
        if verb == "wait":
            case.wait(int(word), 10)
            case.timers_fire()
        elif verb == "slow":
            case.ask_by_a_slow_post(letter, 0, int(word))
        else:
            node: Node | None = case.net.owner()
            assert node is not None
            case.decide(node, verb, letter, word, "low")
    case.everything_arrives()
    case.timers_fire()
    case.the_owner_is_where_the_model_is()
    case.teardown()


RUNS: dict[str, tuple[str, str, tuple[tuple[str, str, str], ...]]] = {
    "a second list": ("F", f"{CHECKED} request_correction correct", (("request_correction", "O", "first"),)),
    "a handover that came back": ("F", "", (("reject_handover", "S", ""),)),
    "an item that came late but in time": ("F", LACKING, (("slow", "A", "30"),)),
    "a stop after the end": (
        "F",
        f"{CHECKED} accept start_review",
        (("wait", "", "40"), ("suspend", "P", "court"), ("wait", "", "5"), ("resume", "P", "")),
    ),
    "a mirror": ("C", f"{CHECKED} accept_with_lack", ()),
}


@pytest.mark.parametrize("name", list(RUNS))
def test_the_machine_as_it_is_agrees(name: str) -> None:
    kind, path, more = RUNS[name]
    run(kind, path, *more)


def _forgets_the_stop(old: Any) -> Any:
    return lambda clock: replace(clock, ended_at=None)


def _keeps_the_epoch(old: Any) -> Any:
    def back(m: Any, command: Any, after: Any) -> Any:
        body, left = old[commands.RejectHandover](m, command, after)
        return body, replace(left, epoch=m.case.epoch)

    return {**old, commands.RejectHandover: back}


def _counts_every_stop(old: Any) -> Any:
    def last_day(each: Any, calendar: Any) -> Any:
        begun = local_day(each.started_at)
        stood = [
            calendar.working_days_between(local_day(s.since), local_day(s.until))
            for s in each.stops
            if s.until is not None
        ]
        return calendar.add_working_days(begun, each.limit.value + sum(stood))

    return last_day


def _forgets_the_lack(old: Callable[[Case | None, Event], Case]) -> Any:
    def evolve(case: Case | None, event: Event) -> Case:
        new = old(case, event)
        return new if case is None else replace(new, lacks=case.lacks)

    return evolve


@pytest.mark.parametrize(
    ("name", "room", "what", "wrong"),
    [
        ("a second list", intake, "_require_new", lambda _: lambda *_: None),
        ("a handover that came back", machine, "VERBS", _keeps_the_epoch),
        ("an item that came late but in time", effects, "_unended", _forgets_the_stop),
        ("a stop after the end", clock, "_last_day", _counts_every_stop),
        ("a mirror", machine, "evolve", _forgets_the_lack),
    ],
)
def test_a_planted_mistake_is_noticed(
    name: str, room: Any, what: str, wrong: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, what, wrong(getattr(room, what)))
    kind, path, more = RUNS[name]
    with pytest.raises(AssertionError):
        run(kind, path, *more)
