"""docs/states.md is drawn from the transition table; its words have names; its additions are recorded."""

import re
from pathlib import Path

from nodes.cases import words
from nodes.cases.case import Role, State
from nodes.cases.effects import Effect
from nodes.cases.filing import Kind
from nodes.cases.states import render_states
from nodes.cases.table import ALL, TABLE, To, When, verb
from tests.house.agreed_table import agreed

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "states.md"
ADDITIONS = DOCS / "adr" / "0002-what-the-table-has-beyond-what-was-agreed.md"
LETTERS = dict(zip(Role, "AWOHSTP", strict=True))
BY_KIND = {"file", "pre_check", "request_correction", "refuse", "join", "withdraw"}
"""Steps whose kinds of case the provinces agreed on, or whose difference is one of states and roles too."""


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


def test_what_the_table_has_beyond_the_agreed_one_is_recorded() -> None:
    have = {
        (state.value, verb(row.command), LETTERS[role])
        for row in TABLE
        for state in row.states
        for role in row.by
    }
    differing = {verb for _, verb, _ in have ^ set(agreed())}
    narrowed = {verb(row.command) for row in TABLE if set(row.kinds) != set(ALL)} - BY_KIND
    recorded = set()
    for line in ADDITIONS.read_text("utf-8").splitlines():
        if line.startswith("| `"):
            recorded |= set(re.findall(r"`(\w+)`", line.split("|")[1]))
    assert recorded == differing | narrowed | {"request_correction"}
