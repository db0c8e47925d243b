"""The timeline of a case as a person reads it: who held it at each step, which light it showed, until when.

Knows rich and the words. Must not know where the steps come from (`story`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from nodes.demo.story import Step
from nodes.demo.words import Words

STYLES: Final = {"green": "green", "yellow": "yellow", "red": "bold red"}
WIDE: Final = 76
"""Columns that the table needs."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """The steps for rich: a table, or below `WIDE` columns some lines a step."""

    steps: Sequence[Step]
    words: Words

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield self._table() if options.max_width >= WIDE else self._lines()

    def _table(self) -> Table:
        made = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
        for name in ("at", "event", "state", "holder", "light", "due"):
            made.add_column(self.words(name), no_wrap=name in {"at", "light", "due"}, overflow="fold")
        for step in self.steps:
            made.add_row(
                f"{step.at:%m-%d %H:%M}", self._event(step), self.words.name("state", step.state),
                self._holder(step), self._light(step), _day(step.due),
            )  # fmt: skip
        return made

    def _lines(self) -> Text:
        told = Text(overflow="fold")
        for step in self.steps:
            state = self.words.name("state", step.state)
            told.append(f"{step.at:%m-%d %H:%M}  {self._event(step)} → {state}\n", style="bold")
            told.append(f"  {self._holder(step)}\n")
            if step.light:
                told.append("  ")
                told.append_text(self._light(step))
                told.append(f"  {self.words('due')} {_day(step.due)}\n" if step.due else "\n")
        return told

    def _event(self, step: Step) -> str:
        return self.words.name("event", step.event)

    def _holder(self, step: Step) -> str:
        if step.holder is None:
            return self.words("nobody")
        role, region = step.holder
        return self.words("holder_is", role=self.words.name("role", role), region=self.words.region(region))

    def _light(self, step: Step) -> Text:
        if not step.light:
            return Text("")
        return Text(f"● {self.words.name('light', step.light)}", STYLES[step.light])


def _day(due: datetime | None) -> str:
    """A due time: the end of a day is written 24:00 of that day."""
    if due is None:
        return ""
    midnight = (due.hour, due.minute) == (0, 0)
    return f"{due - timedelta(days=1):%m-%d} 24:00" if midnight else f"{due:%m-%d %H:%M}"
