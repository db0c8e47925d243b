"""The named harms are as many as were promised, each has a name of its own; the list is drawn from them."""

from __future__ import annotations

from pathlib import Path

from tests.hostile.listed import document, names

PAGE = Path(__file__).parents[2] / "docs" / "hostile.md"
LEAST = 70


def test_there_are_enough_and_each_has_a_name_of_its_own() -> None:
    found = names()
    assert len(found) == len(set(found)) >= LEAST


def test_the_list_is_drawn_from_the_tables() -> None:
    assert PAGE.read_text("utf-8") == document(), "write it anew: python -m tests.hostile.listed"
