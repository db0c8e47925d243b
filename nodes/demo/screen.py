"""What a rehearsal shows: how it begins, the live table, one case in full, what differs, what to type next.

Knows rich and the words. Must not know how anything came about.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from nodes.demo.checker import Checked
from nodes.demo.lines import Line
from nodes.demo.play import Played, Player
from nodes.demo.story import Story
from nodes.demo.tally import Tally
from nodes.demo.timeline import Timeline
from nodes.demo.words import Words
from nodes.telemetry.drawing import WaterfallView
from nodes.telemetry.waterfall import lay_out

SHOWN: Final = 20
"""Differences that are printed; --json has them all."""
REFRESH_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Screen:
    """One rehearsal's way to its reader."""

    words: Words
    console: Console

    def begins(
        self, lines: Sequence[Line], first: datetime, day_s: float, bus_url: str, database_url: str
    ) -> None:
        """What will be played, on what, and how fast."""
        words = self.words
        self._say(
            "starts", filings=len(lines), cities=len({_origin(line)[:4] for line in lines if _origin(line)}),
            matters=len({line.filing.get("matter") for line in lines}), bus=self._where(bus_url),
            database=self._where(database_url),
        )  # fmt: skip
        self.console.print(Text(words("time", first=f"{first:%Y-%m-%d %H:%M}", day_s=day_s), style="dim"))

    @asynccontextmanager
    async def watching(
        self, player: Player, tally: Tally, *, lines: int, began: float
    ) -> AsyncIterator[None]:
        """The table, live on a terminal, once at the end elsewhere."""

        def look() -> Group:
            now = self.words(
                "now", now=f"{player.pace.clock.now():%Y-%m-%d %H:%M}", lines=lines,
                played=sum(1 for played in player.played if played.done), seconds=time.monotonic() - began,
            )  # fmt: skip
            return Group(Text(), tally.table(self.words, self.console.width), Text(now, style="dim"))

        if not self.console.is_terminal or self.console.quiet:
            yield
            self.console.print(look())
            return
        with Live(look(), console=self.console, auto_refresh=False) as live:
            refreshing = asyncio.create_task(_refresh(live, look), name="live-table")
            try:
                yield
            finally:
                refreshing.cancel()
                with suppress(asyncio.CancelledError):
                    await refreshing
                live.update(look(), refresh=True)

    def story(self, story: Story | None, wanted: str) -> None:
        """One case in full, and its trace. `wanted`: what was asked for, should there be no such case."""
        if story is None:
            self._say("untold", "yellow", case=wanted)
            return
        line = story.played.line
        title = line.title[0 if self.words.lang == "zh" else 1]
        self.console.print()
        self._say("told", "bold", number=story.played.number, title=title, line=line.request_id)
        self.console.print(Timeline(story.steps, self.words))
        self.console.print()
        self._say("trace", "bold")
        self.console.print(WaterfallView(lay_out(story.spans), self.words.lang))

    def ends(self, played: Sequence[Played], checked: Checked, broken: Sequence[str], seconds: float) -> None:
        """Whether all is as expected, what is not, and how to go on."""
        self.console.print()
        for problem in broken:
            self._say("trace_broken", "bold red", problem=problem)
        self._say("refused", count=sum(1 for item in played if item.refused is not None))
        if checked.differences:
            self._differences(checked)
            self._say("took", seconds=seconds)
        elif not broken:
            self._say("fine", "bold green", lines=len(played), cases=checked.cases, seconds=seconds)
        self._say("next")
        for command in ("up", "doctor", "explain", "file"):
            self._say(f"next.{command}")

    def _differences(self, checked: Checked) -> None:
        found = checked.differences
        self._say("differs", "bold red", count=len(found))
        for d in found[:SHOWN]:
            where = f"[{' '.join(filter(None, (d.region, d.number)))}]" if d.number or d.region else ""
            self._say(
                "difference", "red", line=d.line or "-", field=d.field, expected=_plain(d.expected),
                found=_plain(d.found), where=where,
            )  # fmt: skip
        if len(found) > SHOWN:
            self._say("more", count=len(found) - SHOWN)

    def _where(self, url: str) -> str:
        return url.partition(":")[0] if url else self.words("files")

    def _say(self, key: str, style: str = "", **values: object) -> None:
        self.console.print(Text(self.words(key, **values), style=style))


def _plain(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _origin(line: Line) -> str:
    return str(line.filing.get("origin_area", ""))


async def _refresh(live: Live, look: Callable[[], Group]) -> None:
    while True:
        await asyncio.sleep(REFRESH_S)
        live.update(look(), refresh=True)
