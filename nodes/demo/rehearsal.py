"""The rehearsal from beginning to end: nodes up, every line played, everything checked, one case told.

Knows the order and the exit code. Must not know how a line is played (`play`), what is right (`checker`) or
how any of it is shown (`screen`).
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import uvloop
from rich.console import Console

from broker.bus import BusError
from nodes.business_time import HeldClock
from nodes.config import NodeConfig
from nodes.demo.calls import Calls
from nodes.demo.checker import Checked, check
from nodes.demo.docket import Docket
from nodes.demo.federation import Grounds, federation
from nodes.demo.lines import SHIPPED, InputError, Line, read_lines
from nodes.demo.pace import Pace
from nodes.demo.papers import Papers
from nodes.demo.people import Place
from nodes.demo.play import Played, Player
from nodes.demo.process import CannotStart
from nodes.demo.quiet import quiet
from nodes.demo.registers import Registers, read_registers
from nodes.demo.screen import Screen
from nodes.demo.story import Story, choose, tell
from nodes.demo.tally import Tally
from nodes.demo.words import Lang, Name, Words
from nodes.store.errors import StoreError
from nodes.telemetry import check_connected
from nodes.telemetry.logs import configure_logs
from nodes.telemetry.waterfall import as_json, lay_out
from regions.calendar import work_calendar

OK, BAD_INPUT, FAILED, UNUSABLE = 0, 3, 9, 10
"""Exit codes, as docs/cli.md has them: OK, REFUSED, CHECK_FAILED, SETTINGS."""
DAY_S: Final = 0.5
PATIENCE_S: Final = 20.0
ACKNOWLEDGED_S: Final = 2.0
"""Until what was sent last is acknowledged, of which no view speaks. Nodes that stop before would send and
read it at their next start: nothing is lost, but whoever reads their databases now finds it missing.
"""
HOME: Final = Path("var/demo")
MARK: Final = "rehearsal"
"""A file that says that a folder is ours to be made anew."""
REGISTERS: Final = "registers.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is asked for. source: the input; day_s: wall seconds that a working day takes at least; directory:
    where files lie; case: whose story is told, by number or request id, "" for any; bus_url, database_url:
    servers, "" for files; patience_s: wall seconds after which a case that does not come is called stuck.
    """

    lang: Lang = "en"
    as_json: bool = False
    source: Path = SHIPPED
    day_s: float = DAY_S
    directory: Path = HOME
    case: str = ""
    bus_url: str = ""
    database_url: str = ""
    patience_s: float = PATIENCE_S


@dataclass(slots=True)
class Outcome:
    """What came of it. broken: what is wrong with the trace of the case that is told; seconds: wall time."""

    checked: Checked
    played: Sequence[Played]
    tally: Tally
    story: Story | None = None
    broken: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def fine(self) -> bool:
        """Whether everything is as expected."""
        return not self.checked.differences and not self.broken

    def data(self) -> dict[str, Any]:
        """As JSON data."""
        return {
            "ok": self.fine,
            "lines": len(self.played),
            "cases": self.checked.cases,
            "refused": sum(1 for played in self.played if played.refused is not None),
            "seconds": round(self.seconds, 1),
            "pairs": [{"origin": o, "competent": c, **counts} for o, c, counts in self.tally.rows()],
            "differences": [difference.data() for difference in self.checked.differences],
            "trace_problems": self.broken,
            "story": self.story
            and {**self.story.data(), "trace": as_json(lay_out(self.story.spans))},
        }  # fmt: skip


Watching = Callable[[Player, Tally], AbstractAsyncContextManager[None]]


def _unwatched(_: Player, __: Tally) -> AbstractAsyncContextManager[None]:
    return nullcontext()


def begins(lines: Sequence[Line]) -> datetime:
    """Business time at which the clock of a rehearsal must stand when its nodes start."""
    return min(line.at for line in lines) - timedelta(minutes=30)


async def rehearse(
    addresses: Mapping[str, str], clock: HeldClock, lines: Sequence[Line], *, case: str = "",
    day_s: float = 0.0, patience_s: float = PATIENCE_S, watching: Watching = _unwatched,
) -> Outcome:  # fmt: skip
    """Play the lines at these nodes (region -> host:port, all on `clock`), check, and tell of one case.

    Raises CannotStart when a node has cases already, Refusal when one cannot be asked.
    """
    began = time.monotonic()
    tally = Tally()
    async with _platforms(addresses, tally, patience_s) as places:
        pace = Pace(clock, work_calendar(), day_s, partial(quiet, places, patience_s))
        player = Player(places, pace)
        async with watching(player, tally):
            await pace.run([player.play(line) for line in lines])
            checked = await check(places, player.played, patience_s)
        outcome = Outcome(checked, player.played, tally)
        if (told := choose(player.played, places, case)) is not None:
            outcome.story = await tell(told, places)
            outcome.broken = [str(problem) for problem in check_connected(outcome.story.spans)]
            outcome.broken += [f"{region}: no answer" for region in outcome.story.missing]
        await asyncio.sleep(ACKNOWLEDGED_S)
    outcome.seconds = time.monotonic() - began
    return outcome


def run(common: NodeConfig, wish: Wish, name: Name, console: Console | None = None) -> int:
    """The rehearsal as a command: prints, and gives the exit code. `name`: words for the contract's codes."""
    configure_logs("console", "error")
    words = Words(wish.lang, name)
    shown = console or Console(highlight=False, markup=False, emoji=False, quiet=wish.as_json)
    try:
        lines = read_lines(wish.source)
        registers = read_registers(wish.source.with_name(REGISTERS))
    except (InputError, OSError, ValueError) as error:
        sys.stderr.write(words("cannot", reason=error) + "\n")
        return BAD_INPUT
    try:
        outcome = _on_these_grounds(common, wish, lines, registers, Screen(words, shown))
    except CannotStart as error:
        sys.stderr.write(words("cannot", reason=words(error.reason, **error.values)) + "\n")
        return UNUSABLE
    except (StoreError, BusError, OSError) as error:
        sys.stderr.write(words("cannot", reason=error) + "\n")
        return UNUSABLE
    if wish.as_json:
        sys.stdout.write(json.dumps(outcome.data(), ensure_ascii=False, indent=2, default=str) + "\n")
    return OK if outcome.fine else FAILED


def _on_these_grounds(
    common: NodeConfig, wish: Wish, lines: Sequence[Line], registers: Registers, screen: Screen
) -> Outcome:
    began = time.monotonic()
    grounds = Grounds(_made_anew(wish.directory), wish.bus_url, wish.database_url)
    clock = HeldClock(begins(lines))
    screen.begins(lines, clock.now(), wish.day_s, wish.bus_url, wish.database_url)
    with federation(grounds, common, clock, registers) as addresses:
        watching = partial(screen.watching, lines=len(lines), began=began)
        outcome = uvloop.run(
            rehearse(
                addresses, clock, lines, case=wish.case, day_s=wish.day_s, patience_s=wish.patience_s,
                watching=watching,
            )
        )  # fmt: skip
    outcome.seconds = time.monotonic() - began
    screen.story(outcome.story, wish.case)
    screen.ends(outcome.played, outcome.checked, outcome.broken, outcome.seconds)
    return outcome


def _made_anew(directory: Path) -> Path:
    """The folder, empty. Raises CannotStart when it holds something that no rehearsal put there."""
    if directory.exists() and any(directory.iterdir()) and not (directory / MARK).exists():
        raise CannotStart("not_ours", directory=str(directory))
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    (directory / MARK).touch()
    return directory


@asynccontextmanager
async def _platforms(
    addresses: Mapping[str, str], tally: Tally, patience_s: float
) -> AsyncIterator[dict[str, Place]]:
    """Every province's platform: its way to its node, its desk's view, the papers handed in there."""
    places: dict[str, Place] = {}
    try:
        for region, address in addresses.items():
            calls = Calls(region, address, patience_s)
            docket = Docket(calls, patience_s)
            docket.listen(tally.take)
            places[region] = Place(calls, docket, "demo", Papers())
            if (await calls.health()).inbox_lag or await calls.has_cases():
                raise CannotStart("has_cases", region=region)
            docket.start()
        yield places
    finally:
        for place in places.values():
            await place.docket.close()
            await place.calls.close()
