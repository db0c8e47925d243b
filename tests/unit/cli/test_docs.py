"""docs/cli.md and the command line tell the same."""

import re
from pathlib import Path
from typing import Any

from typer.main import get_command

from nodes.cli.app import build_app
from nodes.cli.defaults import Defaults
from nodes.cli.exits import Exit
from nodes.cli.filing.form import COLUMNS, PLACES
from nodes.cli.words import words

PAGE = (Path(__file__).parents[3] / "docs" / "cli.md").read_text("utf-8")


def test_the_exit_codes_of_the_page_are_those_of_the_program() -> None:
    rows = re.findall(r"^\| (\d+) \| (\w+) \| (.+) \|$", PAGE, re.MULTILINE)
    say = words("en")
    assert rows == [(str(int(end)), end.name, say(f"exit.{end.name.lower()}")) for end in Exit]


def test_every_command_is_on_the_page() -> None:
    app: Any = get_command(build_app(Defaults("en", "", lambda _s: 0, lambda _s, _o: 0)))
    for name in app.commands:
        assert f"`tongban {name}" in PAGE, name


def test_every_column_is_on_the_page() -> None:
    for column in (*COLUMNS, *(f"place_{place}" for place in PLACES)):
        assert f"`{column}`" in PAGE, column
