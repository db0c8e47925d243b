"""`cases`: a page of the cases that a node has, by filter."""

from typing import Annotated

import typer
from rich.console import RenderableType
from rich.text import Text

from nodes.cli import names
from nodes.cli.call import Call, command
from nodes.cli.commands.track import case_number
from nodes.cli.screens.kit import light, table
from nodes.cli.terminal import as_data
from nodes.cli.words import Words
from tongban.v1.case_pb2 import LIGHT_UNSPECIFIED, CaseState, Light
from tongban.v1.case_service_pb2 import CaseFilter, CaseLine, ListRequest, ListResponse

WIDE, WIDEST = 110, 150
"""Columns from which on the matter's name, and owner and authority, have room."""


def add(app: typer.Typer) -> None:
    """Join the application."""
    command(app, "cases", acting=True)(cases)


def cases(
    call: Call,
    state: Annotated[list[str] | None, typer.Option("--state", help="help.cases.state")] = None,
    matter: Annotated[str, typer.Option("--matter", help="help.cases.matter")] = "",
    origin: Annotated[str, typer.Option("--origin", help="help.cases.origin")] = "",
    competent: Annotated[str, typer.Option("--competent", help="help.cases.competent")] = "",
    owner: Annotated[str, typer.Option("--owner", help="help.cases.owner")] = "",
    of_authority: Annotated[str, typer.Option("--of-authority", help="help.cases.authority")] = "",
    with_light: Annotated[str, typer.Option("--light", help="help.cases.light")] = "",
    lead: Annotated[str, typer.Option("--lead", help="help.cases.lead")] = "",
    only_open: Annotated[bool, typer.Option("--open", help="help.cases.open")] = False,
    limit: Annotated[int, typer.Option("--limit", help="help.limit", min=1, max=200)] = 20,
    cursor: Annotated[str, typer.Option("--cursor", help="help.cursor")] = "",
    all_pages: Annotated[bool, typer.Option("--all", help="help.cases.all")] = False,
) -> None:
    """A page, or with --all every page."""
    wanted = CaseFilter(
        states=[names.value(CaseState, text, "--state") for text in state or []],
        matter=matter,
        origin=origin,
        competent=competent,
        owner=owner,
        authority=of_authority,
        light=names.value(Light, with_light, "--light") if with_light else LIGHT_UNSPECIFIED,
        lead=case_number(lead) if lead else "",
        open=only_open,
    )
    with call.reach.open() as node:
        actor = call.actor(node, "operator")
        while True:
            request = ListRequest(filter=wanted, limit=limit, cursor=cursor, actor=actor)
            page = node.ask(node.cases.List, request)
            if all_pages:
                for line in page.cases:
                    call.terminal.data(as_data(line), line=True)
            else:
                call.terminal.data(page)
            call.terminal.show(*_screen(page, call.words, call.terminal.out.width))
            cursor = page.next_cursor
            if not all_pages or not cursor:
                break
    if cursor:
        call.terminal.note("note.more", cursor=cursor)


def _screen(page: ListResponse, words: Words, width: int) -> list[RenderableType]:
    if not page.cases:
        return [Text(words("cases.none"))]
    widest = ("owner", "authority") if width >= WIDEST else ()
    heads = ["number", "matter", "state", "light", "due", "route", *widest]
    rows = [_row(line, words, width)[: len(heads)] for line in page.cases]
    return [table([words(f"cases.head_{name}") for name in heads], rows, fixed=(0, 4))]


def _row(line: CaseLine, words: Words, width: int) -> list[str | Text]:
    due = names.due(line.due_at)
    return [
        line.case_number,
        names.matter_name(line.matter, words) if width >= WIDE else line.matter,
        words.name("state", names.code(CaseState, line.state)),
        light(line.light, words),
        due if width >= WIDE else due[5:],
        f"{line.origin}→{line.competent}",
        line.owner,
        line.authority,
    ]
