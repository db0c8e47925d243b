"""Where answers go: results to standard output, everything else to standard error, as text or as JSON.

Knows what must not reach a terminal; `console` knows widths and colours. Must not know cases or nodes.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from nodes.cli.words import Words

if TYPE_CHECKING:  # a node that serves says nothing to a terminal, and rich takes 4 MB of every process
    from rich.console import Console, RenderableType

_UNSAFE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


def clean(text: str) -> str:
    """Text from elsewhere made fit for a terminal: control and direction marks become the sign U+FFFD."""
    return _UNSAFE.sub("\ufffd", text)


def as_data(message: Message) -> dict[str, Any]:
    """A message as JSON data: the proto3 JSON mapping with the field names of the .proto files."""
    found: dict[str, Any] = MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    return found


def without_password(url: str) -> str:
    """A URL fit to be shown."""
    head, at, tail = url.rpartition("@")
    scheme, slashes, login = head.partition("://")
    return f"{scheme}{slashes}{login.partition(':')[0]}:***@{tail}" if at and ":" in login else url


class Terminal:
    """One command's way to its reader. Its consoles are opened when something is said."""

    def __init__(
        self, words: Words, as_json: bool = False, *, out: Console | None = None, err: Console | None = None
    ) -> None:
        self.words = words
        self.as_json = as_json
        self._out, self._err = out, err

    @cached_property
    def out(self) -> Console:
        """Standard output."""
        from nodes.cli.console import console

        return self._out or console(stderr=False)

    @cached_property
    def err(self) -> Console:
        """Standard error."""
        from nodes.cli.console import console

        return self._err or console(stderr=True)

    @property
    def interactive(self) -> bool:
        """Whether somebody can be asked: both ends are a terminal and the answer is not for a program."""
        return not self.as_json and sys.stdin.isatty() and self.err.is_terminal

    def show(self, *things: RenderableType) -> None:
        """Print for people, a line that may not be broken as it is; nothing when JSON was asked for."""
        if not self.as_json:
            from nodes.cli.console import is_whole

            for thing in things:
                self.out.print(thing, soft_wrap=is_whole(thing, self.out.width))

    def say(self, key: str, *, style: str = "", **values: object) -> None:
        """Print a sentence of the table as part of the result."""
        from nodes.cli.console import sentence

        self.show(sentence(clean(self.words(key, **values)), style))

    def note(self, key: str, *, style: str = "dim", **values: object) -> None:
        """Tell something beside the result, on standard error, whatever the form of the result."""
        from nodes.cli.console import is_whole, sentence

        told = sentence(clean(self.words(key, **values)), style)
        self.err.print(told, soft_wrap=is_whole(told, self.err.width))

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
