"""The rehearsal from beginning to end: nodes up, every line played, everything checked, one case told.

Knows the order and the exit code. Must not know how a line is played (`play`) or what is right (`checker`).
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from nodes.business_time import HeldClock
from nodes.config import NodeConfig
from nodes.demo.calls import Calls
from nodes.demo.checker import Checked, check
from nodes.demo.docket import Docket
from nodes.demo.federation import CannotStart, Grounds, federation
from nodes.demo.lines import SHIPPED, InputError, Line, read_lines
from nodes.demo.pace import Pace
from nodes.demo.papers import Papers
from nodes.demo.people import Place
from nodes.demo.play import Played, Player
from nodes.demo.registers import read_registers
from nodes.demo.story import Story, choose, tell, timeline
from nodes.demo.tally import Tally
from nodes.demo.words import Lang, Name, Words
from nodes.telemetry import check_connected
from nodes.telemetry.drawing import WaterfallView
from nodes.telemetry.logs import configure_logs
from nodes.telemetry.waterfall import as_json, lay_out
from regions.calendar import work_calendar

OK, FAILED, UNUSABLE = 0, 9, 10
"""Exit codes, as docs/cli.md has them: OK, CHECK_FAILED, SETTINGS."""
DAY_S: Final = 0.5
SHOWN: Final = 20
HOME: Final = Path("var/demo")
MARK: Final = "rehearsal"
"""A file that says that a folder is ours to be made anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is asked for. source: the input; day_s: wall seconds that a working day takes at least; directory:
    where files lie; case: whose story is told, by number or request id, "" for any; bus_url, database_url:
    servers, "" for files.
    """

    lang: Lang = "en"
    as_json: bool = False
    source: Path = SHIPPED
    day_s: float = DAY_S
    directory: Path = HOME
    case: str = ""
    bus_url: str = ""
    database_url: str = ""


@dataclass(slots=True)
class Outcome:
    """What came of it."""

    checked: Checked
    played: Sequence[Played]
    tally: Tally
    story: Story | None
    broken: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def fine(self) -> bool:
        """Whether everything is as expected."""
        return not self.checked.differences and not self.broken


def run(common: NodeConfig, wish: Wish, name: Name, console: Console | None = None) -> int:
    """The rehearsal as a command: prints, and gives the exit code. `name`: words for the contract's codes."""
    configure_logs("console", "error")
    words = Words(wish.lang, name)
    shown = console or Console(highlight=False, markup=False, emoji=False, quiet=wish.as_json)
    try:
        lines = read_lines(wish.source)
        outcome = asyncio.run(_rehearse(common, wish, lines, words, shown))
    except (InputError, OSError, ValueError, CannotStart) as error:
        sys.stderr.write(words("cannot", reason=error) + "\n")
        return UNUSABLE
    if wish.as_json:
        sys.stdout.write(json.dumps(_data(outcome), ensure_ascii=False, indent=2) + "\n")
    _show(outcome, words, shown)
    return OK if outcome.fine else FAILED


async def _rehearse(
    common: NodeConfig, wish: Wish, lines: Sequence[Line], words: Words, console: Console
) -> Outcome:
    began = time.monotonic()
    first = min(line.at for line in lines) - timedelta(minutes=30)
    grounds = Grounds(_made_anew(wish.directory), wish.bus_url, wish.database_url)
    clock = HeldClock(first)
    registers = read_registers(wish.source.with_name("registers.json"))
    console.print(Text(words(
        "starts", filings=len(lines), cities=len({line.filing.get("origin_area", "")[:4] for line in lines}),
        matters=len({line.filing.get("matter") for line in lines}), bus=_where(wish.bus_url, words),
        database=_where(wish.database_url, words),
    )))  # fmt: skip
    console.print(Text(words("time", first=f"{first:%Y-%m-%d %H:%M}", day_s=wish.day_s), style="dim"))
    tally = Tally()
    async with (
        federation(grounds, common, clock, registers) as addresses,
        _platforms(addresses, tally) as places,
    ):
        pace = Pace(clock, work_calendar(), wish.day_s)
        player = Player(places, pace)
        async with _watched(player, lines, tally, words, console, began):
            await pace.run([player.play(line) for line in lines])
            checked = await check(places, player.played)
        outcome = Outcome(checked, player.played, tally, None)
        if (told := choose(player.played, places, wish.case)) is not None:
            outcome.story = await tell(told, places)
            outcome.broken = [str(problem) for problem in check_connected(outcome.story.spans)]
            outcome.broken += [f"{region}: no answer" for region in outcome.story.missing]
    outcome.seconds = time.monotonic() - began
    return outcome


def _made_anew(directory: Path) -> Path:
    """The folder, empty. Raises CannotStart when it holds something that no rehearsal put there."""
    if directory.exists() and any(directory.iterdir()) and not (directory / MARK).exists():
        raise CannotStart(f"{directory} is not empty, and not of an earlier rehearsal")
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    (directory / MARK).touch()
    return directory


def _where(url: str, words: Words) -> str:
    return url.partition(":")[0] if url else words("files")


@asynccontextmanager
async def _platforms(addresses: Mapping[str, str], tally: Tally) -> AsyncIterator[dict[str, Place]]:
    """Every province's platform: its way to its node, its desk's view, the papers handed in there."""
    places: dict[str, Place] = {}
    try:
        for region, address in addresses.items():
            calls = Calls(region, address)
            docket = Docket(calls)
            docket.listen(tally.take)
            places[region] = Place(calls, docket, "demo", Papers())
            if (await calls.health()).inbox_lag or await calls.has_cases():
                raise CannotStart(f"node {region} has cases; a rehearsal needs empty databases and bus")
            docket.start()
        yield places
    finally:
        for place in places.values():
            await place.docket.close()
            await place.calls.close()


@asynccontextmanager
async def _watched(
    player: Player, lines: Sequence[Line], tally: Tally, words: Words, console: Console, began: float
) -> AsyncIterator[None]:
    """The table, live on a terminal, once at the end elsewhere."""

    def look() -> Group:
        done = sum(1 for played in player.played if played.done)
        now = words(
            "now", now=f"{player.pace.clock.now():%Y-%m-%d %H:%M}", played=done, lines=len(lines),
            seconds=time.monotonic() - began,
        )  # fmt: skip
        return Group(Text(), tally.table(words), Text(now, style="dim"))

    if not console.is_terminal or console.quiet:
        yield
        console.print(look())
        return
    with Live(look(), console=console, auto_refresh=False) as live:
        refreshing = asyncio.create_task(_refresh(live, look), name="live-table")
        try:
            yield
        finally:
            refreshing.cancel()
            with suppress(asyncio.CancelledError):
                await refreshing
            live.update(look(), refresh=True)


async def _refresh(live: Live, look: Any) -> None:
    while True:
        await asyncio.sleep(0.5)
        live.update(look(), refresh=True)


def _show(outcome: Outcome, words: Words, console: Console) -> None:
    story = outcome.story
    if story is not None:
        line = story.played.line
        title = line.title[0 if words.lang == "zh" else 1]
        console.print()
        told = words("told", number=story.played.number, title=title, line=line.request_id)
        console.print(Text(told, style="bold"))
        console.print(timeline(story.steps, words))
        console.print()
        console.print(Text(words("trace"), style="bold"))
        console.print(WaterfallView(lay_out(story.spans), words.lang))
    for problem in outcome.broken:
        console.print(Text(words("trace_broken", problem=problem), style="bold red"))
    console.print()
    refused = sum(1 for played in outcome.played if played.refused is not None)
    if outcome.checked.differences:
        console.print(_differences(outcome, words))
    else:
        console.print(Text(words("refused", count=refused)))
        said = words("fine", lines=len(outcome.played), cases=outcome.checked.cases, seconds=outcome.seconds)
        console.print(Text(said, style="bold green"))
    console.print(Text(words("next")))


def _differences(outcome: Outcome, words: Words) -> Group:
    found = outcome.checked.differences
    made = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for name in ("line", "case", "field", "expected", "found", "region"):
        made.add_column(words(name), overflow="fold")
    for d in found[:SHOWN]:
        made.add_row(d.line, d.number, d.field, str(d.expected), str(d.found), d.region)
    rest = [Text(words("more", count=len(found) - SHOWN))] if len(found) > SHOWN else []
    return Group(Text(words("differs", count=len(found)), style="bold red"), made, *rest)


def _data(outcome: Outcome) -> dict[str, Any]:
    story = outcome.story
    return {
        "ok": outcome.fine,
        "lines": len(outcome.played),
        "cases": outcome.checked.cases,
        "refused": sum(1 for played in outcome.played if played.refused is not None),
        "seconds": round(outcome.seconds, 1),
        "pairs": [{"origin": o, "competent": c, **counts} for o, c, counts in outcome.tally.rows()],
        "differences": [
            {
                "line": d.line, "case_number": d.number, "field": d.field, "expected": d.expected,
                "found": d.found, "region": d.region,
            }
            for d in outcome.checked.differences
        ],
        "trace_problems": outcome.broken,
        "story": {
            "line": story.played.line.request_id,
            "case_number": story.played.number,
            "steps": [step.data() for step in story.steps],
            "trace": as_json(lay_out(story.spans)),
        }
        if story is not None
        else None,
    }  # fmt: skip
