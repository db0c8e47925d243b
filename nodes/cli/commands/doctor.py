"""`doctor`: what is reachable, what lags, whose clock is off, which versions run."""

import asyncio
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Annotated, Final, Literal

import typer
from rich.text import Text

from broker.bus import EventBus
from broker.topics import specs
from nodes.cli.call import Call, command
from nodes.cli.commands.topics import on_bus
from nodes.cli.exits import Exit
from nodes.cli.failures import Failure
from nodes.cli.names import moment, region_name
from nodes.cli.reach import Node, Place
from nodes.cli.screens.kit import table
from nodes.cli.terminal import without_password
from regions.check import verify_data
from regions.errors import DataError
from regions.region import atlas
from tongban.v1.case_pb2 import ROLE_OPERATOR, Actor
from tongban.v1.operator_service_pb2 import HealthRequest, HealthResponse

State = Literal["up", "degraded", "down"]
STYLES: Final = {"up": "green", "degraded": "yellow", "down": "red"}
LAG_LIMIT: Final = 1000
"""Messages unread or unsent from which on a node counts as lagging."""
OFFSET_LIMIT_S: Final = 2.0
"""Seconds by which clocks may differ, beyond the time that asking took."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. name: what; detail: what is known of it, in the reader's language."""

    name: str
    state: State
    detail: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A node's business clock: its reading (seconds since 1970) at our wall time, uncertain by half_s."""

    region: str
    wall_s: float
    business_s: float
    half_s: float


def add(app: typer.Typer) -> None:
    """Join the application."""
    command(app, "doctor", panel="panel.operator")(doctor)


def doctor(
    call: Call,
    database_url: Annotated[str, typer.Option("--database-url", help="help.database_url")] = "",
    bus_url: Annotated[str, typer.Option("--bus-url", help="help.bus_url")] = "",
) -> int:
    """Everything that can be looked at from here; CHECK_FAILED when something is not as it should be."""
    found = [
        *_program(call),
        *_bus(call, bus_url or (call.defaults.bus_url if _looks_at_bus(call) else "")),
        *_database(call, database_url or call.defaults.database_url),
        *_nodes(call),
    ]
    call.terminal.data({"findings": [asdict(finding) for finding in found]})
    heads = [call.words(f"doctor.head_{name}") for name in ("what", "state", "detail")]
    rows: Iterator[list[str | Text]] = (
        [item.name, Text(f"● {call.words.name('health', item.state)}", STYLES[item.state]), item.detail]
        for item in found
    )
    call.terminal.show(table(heads, rows, fixed=(0, 1)))
    bad = [item.name for item in found if item.state != "up"]
    if not bad:
        call.terminal.say("doctor.well", style="green")
        return Exit.OK
    call.terminal.say("doctor.ill", style="yellow", names=", ".join(bad))
    return Exit.CHECK_FAILED


def _looks_at_bus(call: Call) -> bool:
    """Where nodes are known and no bus is named, theirs counts: they tell of it."""
    return call.defaults.bus_is_named or not (call.reach.node or call.defaults.node or call.reach.known())


def _program(call: Call) -> Iterator[Finding]:
    words = call.words
    versions = words("doctor.versions", version=call.defaults.version, python=platform.python_version())
    yield Finding(words("doctor.program"), "up", versions)
    if call.defaults.unknown_settings:
        names = ", ".join(call.defaults.unknown_settings)
        yield Finding(words("doctor.settings"), "degraded", words("doctor.unknown_settings", names=names))
    try:
        book = verify_data()
    except DataError as error:
        yield Finding(words("doctor.facts"), "down", str(error))
    else:
        count = len(book.catalogue.enabled())
        yield Finding(words("doctor.facts"), "up", words("doctor.facts_fine", count=count))


def _bus(call: Call, url: str) -> Iterator[Finding]:
    if not url:
        return
    words, shown = call.words, without_password(url)

    async def look(bus: EventBus) -> Finding:
        health = await bus.healthy()
        if not health.ok:
            return Finding(words("doctor.bus"), "down", f"{shown}: {health.detail}")
        reports = await bus.describe_topics(specs(atlas().regions, call.defaults.topics))
        odd = [report.spec.name for report in reports if not report.conforms]
        if odd:
            return Finding(
                words("doctor.bus"), "degraded", words("doctor.topics", odd=len(odd), all=len(reports))
            )
        return Finding(words("doctor.bus"), "up", f"{shown}: {health.detail}")

    try:
        yield on_bus(url, look)
    except Failure as failed:
        yield Finding(words("doctor.bus"), "down", words.pick(failed.said))


def _database(call: Call, url: str) -> Iterator[Finding]:
    if not url:
        return
    from nodes.store import StoreError, current
    from nodes.store.engine import file_of
    from nodes.store.migrate import head

    words, shown = call.words, without_password(url)
    try:
        file = file_of(url)
        if file is not None and not file.exists():
            detail = words("doctor.migrate", url=shown, revision="-", wanted=head())
            yield Finding(words("doctor.database"), "degraded", detail)
            return
        revision = asyncio.run(current(url))
    except StoreError as error:
        yield Finding(words("doctor.database"), "down", f"{shown}: {error}")
        return
    wanted = head()
    if revision == wanted:
        yield Finding(words("doctor.database"), "up", words("doctor.revision", url=shown, revision=wanted))
    else:
        detail = words("doctor.migrate", url=shown, revision=revision or "-", wanted=wanted)
        yield Finding(words("doctor.database"), "degraded", detail)


def _nodes(call: Call) -> Iterator[Finding]:
    if call.reach.node or call.reach.region or call.defaults.node:
        places = [call.reach.find()]
    else:
        places = [Place(region, address) for region, address in sorted(call.reach.known().items())]
    if not places:
        yield Finding(call.words("doctor.nodes"), "degraded", call.words("doctor.no_nodes"))
    readings: list[Reading] = []
    for place in places:
        yield from _node(call, place, readings.append)
    yield from _clocks(call, readings)


def _node(call: Call, place: Place, note: Callable[[Reading], None]) -> Iterator[Finding]:
    words = call.words
    node = Node(place, call.reach.timeout_s)
    before = time.time()
    try:
        health = node.ask(
            node.operator.Health, HealthRequest(actor=Actor(role=ROLE_OPERATOR, region=place.region))
        )
    except Failure as failed:
        yield Finding(region_name(place.region, words) or place.address, "down", words.pick(failed.said))
        return
    finally:
        node.close()
    after = time.time()
    at = moment(health.business_now)
    if at is not None:
        note(Reading(health.region, (before + after) / 2, at.timestamp(), (after - before) / 2))
    yield _summary(call, place, health, after - before)
    for part in health.parts:
        if part.state != "up":
            name = f"{health.region} {part.name}"
            yield Finding(name, "down" if part.state == "down" else "degraded", part.detail)
        elif part.name == "recovery" and part.detail:
            yield Finding(f"{health.region} {part.name}", "up", part.detail)


def _summary(call: Call, place: Place, health: HealthResponse, took_s: float) -> Finding:
    behind = max(health.outbox_waiting, health.inbox_lag) > LAG_LIMIT or health.parked > 0
    state: State = "down" if health.state == "down" else "up"
    if state == "up" and (behind or health.state != "up"):
        state = "degraded"
    detail = call.words(
        "doctor.node",
        address=place.address,
        ms=round(took_s * 1000),
        version=health.version,
        unsent=health.outbox_waiting,
        unread=health.inbox_lag,
        parked=health.parked,
    )
    return Finding(region_name(health.region, call.words), state, detail)


def _clocks(call: Call, readings: list[Reading]) -> Iterator[Finding]:
    """Each node's business clock against ours: running the same rehearsal, all nodes differ alike."""
    if not readings:
        return
    clock, words = call.defaults.clock, call.words
    ours = clock.now().timestamp() - time.time() * clock.rate
    off = {
        reading.region: (reading.business_s - reading.wall_s * clock.rate - ours) / clock.rate
        for reading in readings
    }
    middle = sorted(off.values())[len(off) // 2]
    rehearsal = abs(middle) > 3600
    base = middle if rehearsal else 0.0
    limit = OFFSET_LIMIT_S + max(reading.half_s for reading in readings)
    worst = max(off.values(), key=lambda seconds: abs(seconds - base)) - base
    shown = ", ".join(f"{region} {seconds - base:+.2f}s" for region, seconds in sorted(off.items()))
    key = "doctor.clocks_rehearsal" if rehearsal else "doctor.clocks"
    state: State = "up" if abs(worst) <= limit or (rehearsal and len(off) == 1) else "degraded"
    yield Finding(words("doctor.clock"), state, words(key, offsets=shown))
