"""`help-exit-codes`: how a command may end."""

import typer

from nodes.cli.call import Call, command
from nodes.cli.exits import Exit
from nodes.cli.screens.kit import table


def add(app: typer.Typer) -> None:
    """Join the application."""
    command(app, "help-exit-codes", panel="panel.start")(help_exit_codes)


def help_exit_codes(call: Call) -> None:
    """The table of docs/cli.md."""
    words = call.words
    rows = [[str(int(end)), end.name, words(f"exit.{end.name.lower()}")] for end in Exit]
    call.terminal.data({"exit_codes": [{"code": int(r[0]), "name": r[1], "meaning": r[2]} for r in rows]})
    heads = [words("exit.head_code"), words("exit.head_name"), words("exit.head_meaning")]
    call.terminal.show(table(heads, rows, fixed=(0, 1)))
