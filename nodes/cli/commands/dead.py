"""`dead list | show | replay | drop`: messages that a node has put aside, and what becomes of them."""

from typing import Annotated

import typer

from nodes.cli import names
from nodes.cli.call import Call, Group, command, request_id
from nodes.cli.exits import Exit
from nodes.cli.screens.kit import facts, heading, number, table
from nodes.cli.words import Words
from tongban.v1.operator_service_pb2 import (
    DeadLetter,
    DropDeadRequest,
    ListDeadRequest,
    ReplayDeadRequest,
    ShowDeadRequest,
)

WIDE = 100
"""Columns from which on the time and the state have room."""
Id = Annotated[str, typer.Argument(help="help.dead.id", metavar="ID")]


def add(app: typer.Typer) -> None:
    """Join the application."""
    group = typer.Typer(cls=Group, help="help.dead", no_args_is_help=True)
    for name, function in (("list", list_), ("show", show), ("replay", replay), ("drop", drop)):
        command(group, name, acting=True, panel="panel.verbs", key=f"help.dead.{name}")(function)
    app.add_typer(group, name="dead", rich_help_panel="panel.operator")


def list_(
    call: Call,
    limit: Annotated[int, typer.Option("--limit", help="help.limit", min=1, max=200)] = 20,
    cursor: Annotated[str, typer.Option("--cursor", help="help.cursor")] = "",
    with_settled: Annotated[bool, typer.Option("--settled", help="help.dead.settled")] = False,
) -> None:
    """A page, newest first."""
    with call.reach.open() as node:
        actor = call.actor(node, "operator")
        request = ListDeadRequest(actor=actor, limit=limit, cursor=cursor, with_settled=with_settled)
        page = node.ask(node.operator.ListDead, request)
    call.terminal.data(page)
    if not page.letters:
        call.terminal.say("dead.none", style="green")
        return
    heads = ("id", "case", "reason", "parked", "state")[: None if call.terminal.out.width >= WIDE else 3]
    rows = ([_cell(letter, head, call.words) for head in heads] for letter in page.letters)
    call.terminal.show(
        table([call.words(f"dead.head_{head}") for head in heads], rows, fixed=range(len(heads)))
    )
    call.terminal.say("dead.next", style="cyan", id=page.letters[0].id)
    if page.next_cursor:
        call.terminal.note("note.more", cursor=page.next_cursor)


def _cell(letter: DeadLetter, head: str, words: Words) -> str:
    match head:
        case "case":
            return letter.case_number
        case "parked":
            return names.when(letter.parked_at)[5:]
        case "state":
            return words.name("letter", letter.state)
    return letter.id if head == "id" else letter.reason


def show(call: Call, letter_id: Id) -> None:
    """One message, without its personal data."""
    with call.reach.open() as node:
        request = ShowDeadRequest(actor=call.actor(node, "operator"), id=letter_id)
        found = node.ask(node.operator.ShowDead, request)
    call.terminal.data(found)
    letter: DeadLetter = found.letter
    words = call.words
    call.terminal.show(
        heading(words("dead.one", id=letter.id)),
        facts(
            [
                (words("dead.head_case"), number(letter.case_number) if letter.case_number else ""),
                (words("dead.head_reason"), letter.reason),
                (words("dead.detail"), letter.detail),
                (words("dead.head_state"), words.name("letter", letter.state)),
                (words("dead.source"), letter.source),
                (words("dead.where"), f"{letter.topic} / {letter.partition} / {letter.offset}"),
                (words("dead.head_parked"), names.when(letter.parked_at)),
                (words("dead.highest"), str(letter.highest_seen) if letter.highest_seen else ""),
                (words("dead.size"), words("dead.bytes", size=found.size, sha256=found.sha256.hex())),
                *((name, value) for name, value in sorted(found.headers.items())),
            ]
        ),
    )
    if letter.state == "parked":
        call.terminal.say("dead.choose", style="cyan", id=letter.id)


def replay(call: Call, letter_id: Id) -> int:
    """Try it again; CHECK_FAILED when it fails again."""
    with call.reach.open() as node:
        actor = call.actor(node, "operator")
        request = ReplayDeadRequest(actor=actor, request_id=request_id(), id=letter_id)
        answer = node.ask(node.operator.ReplayDead, request)
    call.terminal.data(answer)
    if answer.state == "replayed":
        call.terminal.say("dead.replayed", style="green", id=letter_id)
        return Exit.OK
    call.terminal.say("dead.again", style="yellow", id=letter_id, detail=answer.detail)
    return Exit.CHECK_FAILED


def drop(
    call: Call,
    letter_id: Id,
    reason: Annotated[str, typer.Option("--reason", help="help.dead.reason")],
) -> None:
    """Give it up, for a reason that is recorded."""
    with call.reach.open() as node:
        actor = call.actor(node, "operator")
        request = DropDeadRequest(actor=actor, request_id=request_id(), id=letter_id, reason=reason)
        answer = node.ask(node.operator.DropDead, request)
    call.terminal.data(answer)
    call.terminal.say("dead.dropped", id=letter_id)
    if answer.resync:
        call.terminal.say("dead.resync")
