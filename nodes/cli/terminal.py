"""Where answers go: results to standard output, everything else to standard error, as text or as JSON.

Knows consoles, widths, colours and what must not reach a terminal. Must not know cases or nodes.
"""

import json
import os
import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from rich.console import Console, RenderableType
from rich.text import Text
from typing_extensions import override

from nodes.cli.words import Words

PIPED: Final = 200
"""Columns of what goes into a file or a pipe, unless COLUMNS says otherwise."""
_UNSAFE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


_WORD = re.compile("[!-~]+")


def clean(text: str) -> str:
    """Text from elsewhere made fit for a terminal: control and direction marks become the sign U+FFFD."""
    return _UNSAFE.sub("\ufffd", text)


def as_data(message: Message) -> dict[str, Any]:
    """A message as JSON data: the proto3 JSON mapping with the field names of the .proto files."""
    found: dict[str, Any] = MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    return found


def _sentence(text: str, style: str) -> Text:
    """A sentence for a reader; one that holds a command to be copied is not broken."""
    return Text(clean(text), style=style, no_wrap="tongban " in text or None)


def _is_whole(text: Text, width: int) -> bool:
    """Whether the terminal shall wrap it: a command, or a path that does not fit into a line."""
    return bool(text.no_wrap) or any(len(word) > width for word in _WORD.findall(text.plain))


class _Console(Console):
    @override
    def on_broken_pipe(self) -> NoReturn:
        """The reader has seen enough: that is no failure, and what is still in the buffer goes nowhere."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        raise SystemExit(0)


def _console(*, stderr: bool) -> Console:
    made = _Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not made.is_terminal:
        made.width = shutil.get_terminal_size((PIPED, 1)).columns
    return made


@dataclass(frozen=True, slots=True)
class Terminal:
    """One command's way to its reader."""

    words: Words
    as_json: bool = False
    out: Console = field(default_factory=lambda: _console(stderr=False))
    err: Console = field(default_factory=lambda: _console(stderr=True))

    @property
    def interactive(self) -> bool:
        """Whether somebody can be asked: both ends are a terminal and the answer is not for a program."""
        return not self.as_json and sys.stdin.isatty() and self.err.is_terminal

    def show(self, *things: RenderableType) -> None:
        """Print for people, a line that may not be broken as it is; nothing when JSON was asked for."""
        if not self.as_json:
            for thing in things:
                self.out.print(thing, soft_wrap=isinstance(thing, Text) and _is_whole(thing, self.out.width))

    def say(self, key: str, *, style: str = "", **values: object) -> None:
        """Print a sentence of the table as part of the result."""
        self.show(_sentence(self.words(key, **values), style))

    def note(self, key: str, *, style: str = "dim", **values: object) -> None:
        """Tell something beside the result, on standard error, whatever the form of the result."""
        told = _sentence(self.words(key, **values), style)
        self.err.print(told, soft_wrap=_is_whole(told, self.err.width))

    def data(self, value: Message | Mapping[str, Any], *, line: bool = False) -> None:
        """Write JSON when JSON was asked for: indented, or one line of a stream."""
        if self.as_json:
            found = as_data(value) if isinstance(value, Message) else value
            indent = None if line else 2
            self.write(json.dumps(found, ensure_ascii=False, indent=indent) + "\n")

    def write(self, text: str) -> None:
        """Text as it is, for programs; ends the command when nobody reads it any more."""
        try:
            self.out.file.write(text)
            self.out.file.flush()
        except BrokenPipeError:
            self.out.on_broken_pipe()
