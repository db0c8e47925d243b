"""`matters`, `explain`, `areas`: the facts. From the facts of this program, or a node's when one is named."""

from collections.abc import Iterator
from typing import Annotated

import typer
from rich.text import Text

from nodes.cli import names
from nodes.cli.call import Call, command
from nodes.cli.commands.file import pairs
from nodes.cli.exits import Exit
from nodes.cli.failures import failure
from nodes.cli.filing.asking import places_like
from nodes.cli.screens.explained import explained_screen
from nodes.cli.screens.kit import table
from nodes.cli.words import Words
from tongban.v1.case_pb2 import HANDLING_MODE_UNSPECIFIED, HandlingMode
from tongban.v1.case_service_pb2 import PlaceFacts
from tongban.v1.catalogue_service_pb2 import CatalogueServiceListRequest, ExplainRequest, Matter

WIDE = 100
"""Columns from which on the department has room."""


def add(app: typer.Typer) -> None:
    """Join the application."""
    command(app, "matters", panel="panel.facts")(matters)
    command(app, "explain", panel="panel.facts")(explain)
    command(app, "areas", panel="panel.facts")(areas)


def matters(
    call: Call,
    text: Annotated[str, typer.Argument(help="help.matters.text", metavar="[TEXT]")] = "",
    domain: Annotated[str, typer.Option("--domain", help="help.matters.domain")] = "",
    mode: Annotated[str, typer.Option("--mode", help="help.matters.mode")] = "",
    with_disabled: Annotated[bool, typer.Option("--all", help="help.matters.all")] = False,
) -> int:
    """By code; NOT_FOUND when none fits."""
    request = CatalogueServiceListRequest(
        domain=domain,
        mode=names.value(HandlingMode, mode, "--mode") if mode else HANDLING_MODE_UNSPECIFIED,
        text=text,
        with_disabled=with_disabled,
    )
    if _asks_a_node(call):
        with call.reach.open() as node:
            answer = node.ask(node.catalogue.List, request)
    else:
        from nodes.cli import offline

        answer = offline.list_matters(request)
    call.terminal.data(answer)
    words = call.words
    wide = call.terminal.out.width >= WIDE
    columns = ["code", "name", "mode", *(["department"] if wide else [])]
    rows = (
        [
            matter.code,
            words.pick((matter.name_zh, matter.name_en)) + ("" if matter.enabled else words("matters.off")),
            words.name("mode", names.code(HandlingMode, matter.mode)),
            *([_department(matter, words)] if wide else []),
        ]
        for matter in answer.matters
    )
    if not answer.matters:
        raise failure(Exit.NOT_FOUND, "no_matter", text=text)
    call.terminal.show(table([words(f"matters.head_{name}") for name in columns], rows, fixed=(0, 2)))
    call.terminal.say("matters.count", style="dim", count=len(answer.matters))
    return Exit.OK


def _department(matter: Matter, words: Words) -> str:
    """Who handles it on the spot, without the ministry above."""
    return words.pick((matter.department_zh, matter.department_en)).rpartition("/")[2].strip()


def explain(
    call: Call,
    matter: Annotated[str, typer.Argument(help="help.file.matter", metavar="MATTER")],
    origin: Annotated[str, typer.Option("--origin", help="help.file.origin")],
    place: Annotated[list[str] | None, typer.Option("--place", help="help.file.place")] = None,
) -> None:
    """Who decides this matter for this person, how long it takes, what is needed, and why."""
    said = pairs("--place", "", place, known="place_")
    request = ExplainRequest(matter=matter, origin_area=origin, places=PlaceFacts(**said))
    if _asks_a_node(call):
        with call.reach.open(area=origin) as node:
            answer = node.ask(node.catalogue.Explain, request)
    else:
        from nodes.cli import offline

        answer = offline.explain(request, call.defaults.clock.now())
    call.terminal.data(answer)
    told = {"matter": matter, "origin_area": origin, **{f"place_{name}": area for name, area in said.items()}}
    call.terminal.show(*explained_screen(answer, call.words, told))


def areas(
    call: Call,
    text: Annotated[str, typer.Argument(help="help.areas.text", metavar="[TEXT]")] = "",
) -> int:
    """Codes of regions, cities and counties by a part of a name or code; NOT_FOUND when none fits."""
    found = [
        {"code": place.code, "name_zh": place.name_zh, "name_en": place.name_en, "level": place.level.value}
        for place in sorted(places_like(text), key=lambda place: place.code)
    ]
    call.terminal.data({"areas": found})
    if not found:
        raise failure(Exit.NOT_FOUND, "no_area", text=text)
    words = call.words
    heads = [words(f"areas.head_{name}") for name in ("code", "name_zh", "name_en", "level")]
    rows: Iterator[list[str | Text]] = (
        [
            area["code"],
            Text(area["name_zh"]),
            area["name_en"],
            words.name("level", area["level"]),
        ]
        for area in found
    )
    call.terminal.show(table(heads, rows, fixed=(0,)))
    return Exit.OK


def _asks_a_node(call: Call) -> bool:
    return bool(call.reach.node or call.reach.region or call.defaults.node)
