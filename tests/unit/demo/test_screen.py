"""What is shown: in both languages, on wide and narrow terminals; who holds a case, its light, until when."""

import io
import re
from string import Formatter
from typing import Literal

import pytest
from rich.console import Console

from nodes.cli.words import words as cli_words
from nodes.demo.checker import Checked, Difference
from nodes.demo.docket import Entry
from nodes.demo.people import Place
from nodes.demo.play import Played
from nodes.demo.screen import SHOWN, Screen
from nodes.demo.story import choose, steps_of
from nodes.demo.tally import Tally
from nodes.demo.timeline import Timeline
from nodes.demo.words import TABLE, Words
from tests.unit.demo.stage import DUE, NUMBER, change, entry, line, place
from tongban.v1 import case_pb2
from tongban.v1.event_pb2 import CaseEvent

Lang = Literal["zh", "en"]


def words(lang: Lang) -> Words:
    return Words(lang, cli_words(lang).name)


def shown(*things: object, width: int = 80) -> str:
    out = io.StringIO()
    Console(file=out, width=width, highlight=False).print(*things)
    return out.getvalue()


def event(version: int, kind: str, state: str, *clocks: tuple[str, str]) -> CaseEvent:
    """An event with running clocks (kind, light), all due at the same time."""
    found = change(version, kind, state, version).event
    for clock, light in clocks:
        one = found.core.after.clocks.add(
            kind=case_pb2.ClockKind.Value(f"CLOCK_KIND_{clock}"), region="31",
            light=case_pb2.Light.Value(f"LIGHT_{light}"),
        )  # fmt: skip
        one.due_at.FromDatetime(DUE)
    return found


def test_each_step_has_its_holder_light_and_due_time() -> None:
    filed = event(1, "Filed", "filed", ("NOTICE", "GREEN"))
    filed.core.filed.filing.kind = case_pb2.CASE_KIND_COLLECT_ON_BEHALF
    received = event(2, "Received", "pre_checked", ("NOTICE", "GREEN"))
    received.core.after.parties.add(region="31", role=case_pb2.CASE_ROLE_COMPETENT)
    asked = event(3, "CorrectionRequested", "correction", ("CORRECTION", "YELLOW"), ("STEP", "RED"))
    ended = event(4, "Closed", "closed")
    steps = list(steps_of([filed, received, asked, ended]))
    assert [step.holder for step in steps] == [("window", "32"), ("officer", "31"), ("applicant", "32"), None]
    assert [step.light for step in steps] == ["green", "green", "red", ""]
    assert [step.due for step in steps] == [DUE, DUE, DUE, None]


def test_a_stopped_clock_holds_nobody() -> None:
    paused = event(1, "SpecialOpened", "special_procedure", ("DECISION", "GREEN"))
    paused.core.after.clocks[0].stops.add(reason="special_procedure").since.FromDatetime(DUE)
    (step,) = steps_of([paused])
    assert step.holder is None


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("width", [40, 80, 140])
def test_the_timeline_fits_and_says_who_and_until_when(lang: Lang, width: int) -> None:
    steps = list(steps_of([event(1, "Filed", "filed", ("NOTICE", "YELLOW")), event(2, "Closed", "closed")]))
    text = shown(Timeline(steps, words(lang)), width=width)
    assert all(len(row) <= width for row in text.splitlines())
    assert "09-21 17:30" in text
    assert ("黄灯" if lang == "zh" else "yellow") in text
    assert ("上海" if lang == "zh" else "Shanghai") in text


def test_the_tally_counts_cases_where_they_were_filed_once_a_column() -> None:
    tally, one = Tally(), Entry(NUMBER)
    for told in (change(1, "Filed", "filed", 1), change(2, "Accepted", "accepted", 2)):
        one.take(told.event.core)
        for region in ("32", "31", "32"):
            tally.take(region, one, told.event.core)
    assert tally.rows() == [("32", "31", {"filed": 1, "accepted": 1, "decided": 0, "delivered": 0})]
    wide, narrow = shown(tally.table(words("en"), 100)), shown(tally.table(words("zh"), 44), width=44)
    assert "Jiangsu 32 → Shanghai 31" in wide
    assert "32 → 31" in narrow


def test_the_story_is_the_one_asked_for_or_the_richest_that_crossed_a_border() -> None:
    places: dict[str, Place] = {"32": place("32"), "31": place("31")}
    granted = {"granted": True}
    plain = Played(line("demo-0001", granted), number="A1")
    rich = Played(line("demo-0002", granted, number=2), number=NUMBER)
    at_home = Played(line("demo-0003", granted, number=3), number="C3")
    desk = places["32"].docket
    desk.entries["A1"] = entry("A1", seen={"Filed"})
    desk.entries[NUMBER] = entry(seen={"Filed", "Extended"})
    desk.entries["C3"] = entry("C3", owner="32", parties=frozenset({"32"}), seen={"a", "b", "c"})
    every = [plain, rich, at_home]
    assert choose(every, places, "") is rich
    assert choose(every, places, "demo-0003") is at_home
    assert choose(every, places, "320500-20260914-0001-0000012-S".replace("-", "-")) is rich
    assert choose(every, places, "demo-9999") is None


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_differences_name_the_line_and_what_is_wrong(lang: Lang) -> None:
    out = io.StringIO()
    screen = Screen(words(lang), Console(file=out, width=60, highlight=False))
    wrong = [Difference(f"demo-{n:04}", NUMBER, "light", "green", "red", "31") for n in range(SHOWN + 3)]
    screen.ends([], Checked(1, wrong), ["orphan"], 12.3)
    text = out.getvalue()
    assert re.search(r"demo-0000 light.*\"green\".*\"red\"", text.replace("\n", " "))
    assert "orphan" in text
    assert "3" in text.rpartition(f"demo-{SHOWN - 1:04}")[2]
    assert "make up" in text


def test_every_sentence_has_both_languages_with_the_same_places() -> None:
    for key, said in TABLE.items():
        places = [{name for _, name, _, _ in Formatter().parse(text) if name} for text in said]
        assert all(said), key
        assert places[0] == places[1], key
