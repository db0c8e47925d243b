"""The consoles of a terminal: how wide they are, and what they may not break.

Knows rich. Must not know what is said. Loaded when something is: a node that serves never does.
"""

import os
import re
import shutil
import sys
from typing import Final, NoReturn

from rich.console import Console, RenderableType
from rich.text import Text
from typing_extensions import override

PIPED: Final = 200
"""Columns of what goes into a file or a pipe, unless COLUMNS says otherwise."""
_WORD: Final = re.compile("[!-~]+")


class _Console(Console):
    @override
    def on_broken_pipe(self) -> NoReturn:
        """The reader has seen enough: that is no failure, and what is still in the buffer goes nowhere."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        raise SystemExit(0)


def console(*, stderr: bool) -> Console:
    """On standard output or standard error, as wide as it is, or PIPED."""
    made = _Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not made.is_terminal:
        made.width = shutil.get_terminal_size((PIPED, 1)).columns
    return made


def sentence(text: str, style: str) -> Text:
    """A sentence for a reader; one that holds a command to be copied is not broken."""
    return Text(text, style=style, no_wrap="tongban " in text or None)


def is_whole(thing: RenderableType, width: int) -> bool:
    """Whether the terminal shall wrap it: a command, or a path that does not fit into a line."""
    if not isinstance(thing, Text):
        return False
    return bool(thing.no_wrap) or any(len(word) > width for word in _WORD.findall(thing.plain))
