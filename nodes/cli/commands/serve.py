"""`serve` runs one region's node, `demo` the rehearsal of all four. Both are handed in by `__main__`."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from broker.bus import BusError
from nodes.cli.call import Call, command
from nodes.cli.exits import Exit
from nodes.cli.failures import Failure, failure
from nodes.cli.names import wrong
from nodes.cli.terminal import without_password
from nodes.cli.words import both
from regions.errors import DataError
from regions.region import atlas


def add(app: typer.Typer) -> None:
    """Join the application."""
    command(app, "demo", panel="panel.start")(demo)
    command(app, "serve", panel="panel.start")(serve)


def serve(
    call: Call,
    listen: Annotated[str, typer.Option("--listen", help="help.serve.listen")] = "",
    insecure: Annotated[bool, typer.Option("--insecure", help="help.serve.insecure")] = False,
    database_url: Annotated[str, typer.Option("--database-url", help="help.database_url")] = "",
    bus_url: Annotated[str, typer.Option("--bus-url", help="help.bus_url")] = "",
    materials_dir: Annotated[
        Path | None, typer.Option("--materials-dir", help="help.serve.materials")
    ] = None,
    peer: Annotated[list[str] | None, typer.Option("--peer", help="help.serve.peer")] = None,
    process: Annotated[str, typer.Option("--process", help="help.serve.process")] = "",
    metrics_port: Annotated[int, typer.Option("--metrics-port", help="help.serve.metrics", min=0)] = 0,
    otlp_endpoint: Annotated[str, typer.Option("--otlp-endpoint", help="help.serve.otlp")] = "",
    log_format: Annotated[str, typer.Option("--log-format", help="help.serve.log_format")] = "",
) -> int:
    """Until a signal stops it."""
    region = call.reach.region or call.defaults.region
    if region not in atlas().regions:
        raise failure(Exit.USAGE, "serve_region", regions=" | ".join(atlas().regions))
    given: dict[str, Any] = {
        "region": region,
        "listen": listen,
        "insecure": insecure,
        "database_url": database_url,
        "bus_url": bus_url,
        "materials_dir": materials_dir,
        "peers": _peers(peer or []),
        "process": process,
        "metrics_port": metrics_port,
        "otlp_endpoint": otlp_endpoint,
        "log_format": log_format,
    }
    with _told(call, given):
        return call.defaults.serve({name: value for name, value in given.items() if value})


@contextmanager
def _told(call: Call, given: Mapping[str, Any]) -> Iterator[None]:
    """What keeps a node from starting and is no setting's fault alone, as Failure."""
    try:
        yield
    except BusError as error:
        url = without_password(given["bus_url"] or call.defaults.bus_url)
        said, advice = both("fail.bus", url=url, reason=error), both("next.bus", url=url)
        raise Failure(Exit.SETTINGS, "BUS", said, advice) from None
    except DataError as error:
        raise failure(Exit.SETTINGS, "bad_facts", reason=error) from None


def _peers(given: list[str]) -> dict[str, str]:
    peers = {}
    for text in given:
        region, equals, address = text.partition("=")
        if not equals or region not in atlas().regions or not address:
            raise wrong("--peer", "peer", given=text)
        peers[region] = address
    return peers


def demo(
    call: Call,
    source: Annotated[Path | None, typer.Option("--input", help="help.demo.input")] = None,
    bus_url: Annotated[str, typer.Option("--bus", help="help.bus_url")] = "",
    database_url: Annotated[str, typer.Option("--database", help="help.demo.database")] = "",
    day_s: Annotated[float, typer.Option("--day-s", help="help.demo.day", min=0.0, max=86_400)] = 0.0,
    directory: Annotated[Path | None, typer.Option("--dir", help="help.demo.dir")] = None,
    case: Annotated[str, typer.Option("--case", help="help.demo.case")] = "",
) -> int:
    """Every filing of the input through four nodes; CHECK_FAILED on any difference from what was expected."""
    settings = {"bus_url": bus_url, "database_url": database_url}
    options = {"source": source, "day_s": day_s, "directory": directory, "case": case}
    return call.defaults.demo(
        {name: value for name, value in settings.items() if value},
        {
            "lang": call.words.lang,
            "as_json": call.terminal.as_json,
            **{name: value for name, value in options.items() if value},
        },
    )
