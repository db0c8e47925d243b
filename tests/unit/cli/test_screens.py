"""What every screen is made of: tables that turn into lists, commands that stay whole, lines that may end."""

import io
import subprocess
import sys

import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from nodes.cli.front import LONGEST_RUN, breakable
from nodes.cli.screens.kit import command_line, table
from nodes.cli.terminal import Terminal
from nodes.cli.words import TABLE, words


def shown(thing: object, width: int) -> list[str]:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    Terminal(words("en"), out=console).show(thing)  # type: ignore[arg-type]
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def test_a_table_that_does_not_fit_a_narrow_terminal_becomes_lists() -> None:
    made = table(["Number", "State"], [["3" * 26, "filed"], ["4" * 26, ""]], fixed=(0,))
    assert shown(made, 60)[2] == f"{'3' * 26}   filed"
    assert shown(made, 30) == [
        f"Number  {'3' * 22}",
        f"        {'3' * 4}",
        "State   filed",
        "",
        f"Number  {'4' * 22}",
        f"        {'4' * 4}",
    ]


def test_a_command_and_a_long_path_are_never_broken() -> None:
    command = "tongban act finish-step 3205002026112300010000103H --outcome …"
    assert shown(command_line(command), 40) == [command]
    path = "/" + "long/" * 20 + "nodes.json"
    assert path in "".join(shown(Text(f"addresses are in {path} here"), 60))
    assert any(path in line for line in shown(Text(f"addresses are in {path} here"), 60))


@pytest.mark.parametrize("key", [key for key in TABLE if key.startswith("help.")])
def test_help_in_chinese_has_room_to_break(key: str) -> None:
    told = breakable(TABLE[key][0])
    assert told.replace(" ", "") == TABLE[key][0].replace(" ", "")
    assert max(map(cell_len, told.split())) <= LONGEST_RUN + 10


@pytest.mark.parametrize("flags", [(), ("--json",)])
def test_a_reader_who_has_seen_enough_ends_the_command_in_good_order(flags: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "nodes", "areas", *flags]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as long:
        assert long.stdout is not None
        assert long.stderr is not None
        long.stdout.close()
        assert (long.wait(60), long.stderr.read()) == (0, b"")
