"""The door of the command line: language first, then the command, then every failure as words and a code.

Knows typer and how a command can end. Must not know what any command does.
"""

import re
import sys
import traceback
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import typer
from typing_extensions import override

from nodes.cli.call import Group
from nodes.cli.defaults import Defaults
from nodes.cli.exits import Exit
from nodes.cli.failures import Failure, failure
from nodes.cli.terminal import Terminal
from nodes.cli.words import TABLE, Words, words

_CLAUSE = re.compile("[^；，、：。]*[；，、：。]?")
LONGEST_RUN = 30
"""Columns that help screens have for a text that has no space in it, on a terminal of 80."""


class Front(Group):
    """The root group. Whatever ends a command ends here with one of the documented exit codes."""

    @override
    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = False,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run, tell what went wrong, leave with the code."""
        arguments = _moved(list(sys.argv[1:] if args is None else args))
        defaults: Defaults = self.context_settings["obj"]
        chosen = words(_asked(arguments, "--lang") or defaults.lang)
        self.context_settings["obj"] = replace(defaults, lang=chosen.lang)
        localise(self, chosen)
        terminal = Terminal(chosen, "--json" in arguments)
        try:
            code = super().main(arguments, "tongban", complete_var, standalone_mode=False, **extra)
        except Failure as failed:
            code = _told(failed, terminal)
        except typer.TyperException as misused:
            code = _told(_usage(misused), terminal)
        except (typer.Abort, KeyboardInterrupt, EOFError):
            code = _told(failure(Exit.INTERRUPTED, "interrupted"), terminal)
        except Exception as broken:  # noqa: BLE001 - the last door: a mistake of ours is told, never dumped
            code = _told(_mistake(broken), terminal)
        sys.exit(int(code or Exit.OK))


def localise(command: Any, chosen: Words) -> None:
    """Put the words of one language in place of the keys in a tree of commands."""
    for name in ("help", "epilog", "short_help", "rich_help_panel"):
        _put(command, name, chosen)
    for parameter in command.params:
        _put(parameter, "help", chosen)
        if parameter.metavar is None:
            parameter.metavar = _shape(parameter)
        _put(parameter, "rich_help_panel", chosen)
        if getattr(parameter, "rich_help_panel", None) is None:
            kind = "panel.arguments" if parameter.param_type_name == "argument" else "panel.options"
            parameter.rich_help_panel = chosen(kind)
    for inner in getattr(command, "commands", {}).values():
        localise(inner, chosen)


def _shape(parameter: Any) -> str:
    """What a flag wants after it, in the help screens: nothing where it wants nothing."""
    if getattr(parameter, "is_flag", False):
        return ""
    kind = parameter.type_descriptor
    if kind.is_path:
        return "FILE"
    number = getattr(kind, "is_ranged", False) or kind.annotation in (int, float)
    return f"{'NUMBER' if number else 'TEXT'}{'...' if kind.is_list else ''}"


def _put(thing: Any, name: str, chosen: Words) -> None:
    key = getattr(thing, name, None)
    if isinstance(key, str) and key in TABLE:
        setattr(thing, name, breakable(chosen(key)))


def breakable(sentence: str) -> str:
    """A Chinese sentence with a space where a line may end: help screens break lines at spaces alone."""
    from rich.cells import cell_len

    told: list[str] = []
    for clause in _CLAUSE.findall(sentence):
        run = (told[-1] if told else "").rpartition(" ")[2]
        if told and cell_len(run + clause.partition(" ")[0]) <= LONGEST_RUN:
            told[-1] += clause
        elif clause:
            told.append(clause)
    return " ".join(told)


def _moved(arguments: list[str]) -> list[str]:
    """Common flags given before the command, put where the command takes them; --lang is taken before it."""
    before: list[str] = []
    after: list[str] = []
    rest = list(arguments)
    while rest and rest[0].partition("=")[0] in ("--lang", "--json", "--node", "--region", "--timeout"):
        flag = rest.pop(0)
        side = before if flag.startswith("--lang") else after
        side.append(flag)
        if flag != "--json" and "=" not in flag and rest:
            side.append(rest.pop(0))
    return [*before, *rest, *after] if rest and not rest[0].startswith("-") else arguments


def _asked(arguments: Sequence[str], flag: str) -> str:
    for position, word in enumerate(arguments):
        if word == flag and position + 1 < len(arguments):
            return arguments[position + 1]
        if word.startswith(f"{flag}="):
            return word.partition("=")[2]
    return ""


def _told(failed: Failure, terminal: Terminal) -> Exit:
    failed.tell(terminal)
    return failed.end


def _usage(misused: typer.TyperException) -> Failure:
    kind, context = type(misused).__name__, getattr(misused, "ctx", None)
    path = context.command_path if context else "tongban"
    parameter = getattr(misused, "param", None)
    if kind == "NoArgsIsHelpError":
        return failure(Exit.USAGE, "no_arguments", command=path)
    if kind == "MissingParameter" and parameter is not None:
        named = [flag for flag in (*parameter.opts, *parameter.secondary_opts) if flag.startswith("--")]
        flag = " | ".join(named) or parameter.metavar or parameter.name.upper()
        return failure(Exit.USAGE, "missing", flag=flag, command=path)
    if kind == "NoSuchOption":
        option = getattr(misused, "option_name", "")
        return failure(Exit.USAGE, "no_option", flag=option, command=path)
    return failure(Exit.USAGE, "usage", reason=misused.format_message(), command=path)


def _mistake(broken: Exception) -> Failure:
    frame = traceback.extract_tb(broken.__traceback__)[-1]
    where = f"{frame.filename.rpartition('/')[2]}:{frame.lineno}"
    return failure(Exit.UNEXPECTED, "unexpected", kind=type(broken).__name__, where=where)
