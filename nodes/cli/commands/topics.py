"""`topics`: create what the bus lacks, and say what differs. Talks to the bus itself; needs no node."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import typer
from rich.text import Text

from broker.bus import BusError, BusUnavailable, EventBus, TopicReport
from broker.topics import AddressRefused, RetentionTooShort, check, specs
from nodes.cli.call import Call, command
from nodes.cli.exits import Exit
from nodes.cli.failures import Failure, failure
from nodes.cli.screens.kit import table
from nodes.cli.terminal import without_password
from nodes.cli.words import both
from regions.region import atlas

Result = TypeVar("Result")
DAY_MS: Final = 24 * 3_600_000
SQLITE: Final = "sqlite:///"


def add(app: typer.Typer) -> None:
    """Join the application."""
    command(app, "topics", panel="panel.operator")(topics)


def topics(
    call: Call,
    bus_url: Annotated[str, typer.Option("--bus-url", help="help.bus_url")] = "",
    only_check: Annotated[bool, typer.Option("--check", help="help.topics.check")] = False,
) -> int:
    """Every topic with its state; CHECK_FAILED when one is missing or differs."""
    url = bus_url or call.defaults.bus_url
    reports = on_bus(url, lambda bus: _reports(call, bus, only_check), make=not only_check)
    call.terminal.data({"bus": without_password(url), "topics": [_data(report) for report in reports]})
    call.terminal.say("topics.bus", url=without_password(url))
    heads = [call.words(f"topics.head_{name}") for name in ("topic", "partitions", "retention", "state")]
    call.terminal.show(table(heads, [_row(call, report) for report in reports]))
    if all(report.conforms for report in reports):
        call.terminal.say("topics.fine", style="green")
        return Exit.OK
    fields = {difference.field for report in reports for difference in report.differences}
    if "partitions" in fields:
        call.terminal.note("next.topics_partitions", style="cyan")
    elif any(not report.exists for report in reports):
        call.terminal.note("next.topics_missing", style="cyan")
    if fields - {"partitions"}:
        call.terminal.note("next.topics_differ", style="cyan", url=without_password(url))
    try:
        check(reports, call.defaults.topics)
    except RetentionTooShort as short:
        raise _bus_failure(Exit.CHECK_FAILED, "RETENTION", short, url, "next.retention") from None
    return Exit.CHECK_FAILED


async def _reports(call: Call, bus: EventBus, only_check: bool) -> Sequence[TopicReport]:
    """How the topics are, the missing ones made; none is made while a partition count differs."""
    wanted = specs(atlas().regions, call.defaults.topics)
    found = await bus.describe_topics(wanted)
    moved = any(difference.field == "partitions" for report in found for difference in report.differences)
    return found if only_check or moved else await bus.ensure_topics(wanted)


def on_bus(url: str, work: Callable[[EventBus], Awaitable[Result]], *, make: bool = False) -> Result:
    """Start the bus at `url`, do the work, close it; a file that is not there is made only if `make`.

    Raises Failure for what the bus says.
    """
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())

    from broker.url import BusUrlError, open_bus

    if not make and url.startswith(SQLITE) and not Path(url.removeprefix(SQLITE)).exists():
        raise failure(Exit.CHECK_FAILED, "no_bus", url=url)

    async def run() -> Result:
        bus = open_bus(url)
        await bus.start()
        try:
            return await work(bus)
        finally:
            await bus.close()

    try:
        return asyncio.run(run())
    except (BusUrlError, AddressRefused) as error:
        raise _bus_failure(Exit.SETTINGS, "BUS_URL", error, url) from None
    except RetentionTooShort as error:
        raise _bus_failure(Exit.SETTINGS, "RETENTION", error, url, "next.retention") from None
    except BusUnavailable as error:
        raise _bus_failure(Exit.UNREACHABLE, "BUS_UNAVAILABLE", error, url) from None
    except BusError as error:
        raise _bus_failure(Exit.CHECK_FAILED, "BUS", error, url) from None


def _bus_failure(end: Exit, code: str, error: BusError, url: str, advice: str = "next.bus") -> Failure:
    shown = without_password(url)
    return Failure(end, code, both("fail.bus", url=shown, reason=error), both(advice, url=shown))


def _data(report: TopicReport) -> dict[str, Any]:
    return {
        "name": report.spec.name,
        "exists": report.exists,
        "created": report.created,
        "incarnation": report.incarnation,
        "partitions": report.spec.partitions,
        "retention_ms": report.spec.retention_ms,
        "compacted": report.spec.compacted,
        "differences": [
            {"field": d.field, "wanted": d.wanted, "actual": d.actual} for d in report.differences
        ],
    }


def _row(call: Call, report: TopicReport) -> list[str | Text]:
    words, spec = call.words, report.spec
    kept = words("topics.compacted") if spec.compacted else _told(call, "retention_ms", spec.retention_ms)
    if not report.exists:
        state = Text(words("topics.missing"), style="red")
    elif report.differences:
        said = words("mark.list").join(
            words(
                "topics.differs",
                field=words.name("attribute", d.field),
                actual=_told(call, d.field, d.actual),
                wanted=_told(call, d.field, d.wanted),
            )
            for d in report.differences
        )
        state = Text(said, style="yellow")
    else:
        state = Text(words("topics.created" if report.created else "topics.there"), style="green")
    return [spec.name, str(spec.partitions), kept, state]


def _told(call: Call, field: str, value: object) -> str:
    """An attribute of a topic for a reader."""
    if field == "retention_ms":
        return (
            call.words("topics.days", days=f"{value / DAY_MS:.3g}")
            if isinstance(value, int)
            else call.words("topics.forever")
        )
    if isinstance(value, bool):
        return call.words("topics.yes" if value else "topics.no")
    return str(value)
