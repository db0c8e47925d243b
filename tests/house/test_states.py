"""docs/states.md is drawn from the transition table, and every word of the table has its names."""

from pathlib import Path

from nodes.cases import words
from nodes.cases.case import Role, State
from nodes.cases.effects import Effect
from nodes.cases.filing import Kind
from nodes.cases.states import render_states
from nodes.cases.table import TABLE, To, When

PAGE = Path(__file__).parents[2] / "docs" / "states.md"


def test_the_page_is_what_the_table_says() -> None:
    assert PAGE.read_text("utf-8") == render_states(), "write it anew: nodes.cases.states.render_states()"


def test_every_name_of_the_table_has_words() -> None:
    assert set(words.STATES) == set(State)
    assert set(words.ROLES) == set(Role)
    assert set(words.KINDS) == set(Kind)
    assert set(words.EFFECTS) == set(Effect)
    assert set(words.TARGETS) == set(To)
    assert set(words.CONDITIONS) == set(When)


def test_every_effect_and_condition_is_used() -> None:
    assert {effect for row in TABLE for effect in row.clock} == set(Effect)
    assert {row.when for row in TABLE} == set(When)
    assert {row.to for row in TABLE if isinstance(row.to, To)} == set(To)
