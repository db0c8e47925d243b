"""`file`: one filing from flags, or a file of many.

Knows the flags of a filing and how a choice is asked for. Must not know columns (`filing.form`) nor sending
many (`file_many`).
"""

from pathlib import Path
from typing import Annotated

import typer

from nodes.cli.call import Call, command, request_id
from nodes.cli.commands.file_many import file_many
from nodes.cli.exits import Exit
from nodes.cli.failures import Failure, failure
from nodes.cli.filing import form
from nodes.cli.filing.asking import ask_area
from nodes.cli.filing.materials import upload
from nodes.cli.filing.paths import column_of, flag_of
from nodes.cli.names import wrong
from nodes.cli.reach import Node
from nodes.cli.screens.filed import filed_screen
from nodes.cli.words import both
from tongban.v1.case_service_pb2 import FileRequest, FileResponse

CHOICE = "NEEDS_CHOICE"


def add(app: typer.Typer) -> None:
    """Join the application."""
    command(app, "file", acting=True)(file)


def file(
    call: Call,
    from_: Annotated[Path | None, typer.Option("--from", help="help.file.from")] = None,
    results: Annotated[Path | None, typer.Option("--results", help="help.file.results")] = None,
    matter: Annotated[str, typer.Option("--matter", help="help.file.matter")] = "",
    origin: Annotated[str, typer.Option("--origin", help="help.file.origin")] = "",
    name: Annotated[str, typer.Option("--name", help="help.file.name")] = "",
    id_no: Annotated[str, typer.Option("--id", help="help.file.id")] = "",
    id_type: Annotated[str, typer.Option("--id-type", help="help.file.id_type")] = "",
    kind: Annotated[str, typer.Option("--kind", help="help.file.kind")] = "",
    phone: Annotated[str, typer.Option("--phone", help="help.file.phone")] = "",
    address: Annotated[str, typer.Option("--address", help="help.file.address")] = "",
    place: Annotated[list[str] | None, typer.Option("--place", help="help.file.place")] = None,
    fact: Annotated[list[str] | None, typer.Option("--fact", help="help.file.fact")] = None,
    part_area: Annotated[list[str] | None, typer.Option("--part-area", help="help.file.part_area")] = None,
    material: Annotated[list[str] | None, typer.Option("--material", help="help.file.material")] = None,
    agent: Annotated[str, typer.Option("--agent", help="help.file.agent")] = "",
    agent_id: Annotated[str, typer.Option("--agent-id", help="help.file.agent_id")] = "",
    agent_id_type: Annotated[str, typer.Option("--agent-id-type", help="help.file.agent_id_type")] = "",
    agent_phone: Annotated[str, typer.Option("--agent-phone", help="help.file.agent_phone")] = "",
    mandate: Annotated[str, typer.Option("--mandate", help="help.file.mandate")] = "",
    consent: Annotated[str, typer.Option("--consent", help="help.file.consent")] = "",
    deliver: Annotated[str, typer.Option("--deliver", help="help.file.deliver")] = "",
    deliver_to: Annotated[str, typer.Option("--deliver-to", help="help.file.deliver_to")] = "",
    guide: Annotated[str, typer.Option("--guide", help="help.file.guide")] = "",
    believed: Annotated[str, typer.Option("--believed", help="help.file.believed")] = "",
    reuse: Annotated[bool, typer.Option("--reuse", help="help.file.reuse")] = False,
    window: Annotated[bool, typer.Option("--window", help="help.file.window")] = False,
    request: Annotated[str, typer.Option("--request-id", help="help.request_id")] = "",
) -> int | None:
    """One filing, or `--from` many."""
    if from_ is not None:
        if any((matter, name, id_no, place, material, agent, request)):
            raise failure(Exit.USAGE, "from_alone")
        return file_many(call, from_, results)
    columns = {
        "matter": matter,
        "origin_area": origin,
        "filed_by": "window" if window or call.role == "window" else "applicant",
        "applicant_name": name,
        "applicant_id_no": id_no,
        "applicant_id_type": id_type,
        "applicant_kind": kind,
        "applicant_phone": phone,
        "applicant_address": address,
        "agent_name": agent,
        "agent_id_no": agent_id,
        "agent_id_type": agent_id_type,
        "agent_phone": agent_phone,
        "mandate": mandate,
        "consent": consent,
        "guide_version": guide,
        "authority": believed,
        "delivery_way": deliver,
        "delivery_address": deliver_to,
        "reuse_held": "yes" if reuse else "",
        "materials": ";".join(material or []),
        **pairs("--place", "place_", place),
        **pairs("--fact", "fact_", fact),
        **pairs("--part-area", "part_area_", part_area),
    }
    try:
        _file_one(call, {key: value for key, value in columns.items() if value}, request)
    except Failure as refused:
        flags = [flag_of(problem.field) for problem in refused.problems if problem.code == CHOICE]
        advice = (
            both("next.needs_choice", flags=" ".join(flags))
            if any(flags) and len(flags) == len(refused.problems)
            else ("", "")
        )
        raise refused.calling(flag_of, advice) from None
    return None


def _file_one(call: Call, columns: dict[str, str], request: str) -> None:
    found = form.read(columns, Path(), channel="online")
    with call.reach.open(area=found.filing.origin_area) as node:
        answer = _ask_and_send(call, node, columns, request)
    call.terminal.data(answer)
    call.terminal.show(*filed_screen(answer, call.words))


def _ask_and_send(call: Call, node: Node, columns: dict[str, str], request: str) -> FileResponse:
    found = form.read(columns, Path(), channel="online")
    try:
        return _send(call, node, found, request or request_id())
    except Failure as refused:
        chosen = _choices(call, refused)
        if not chosen:
            raise
    return _ask_and_send(call, node, {**columns, **chosen}, "")


def _send(call: Call, node: Node, found: form.Form, request: str) -> FileResponse:
    actor = call.actor(node, found.filed_by)
    for sheet in found.papers:
        upload(node, sheet, call.client, actor)
    filing = found.filing
    del filing.materials[:]
    filing.materials.extend(sheet.message(node.region) for sheet in found.papers)
    asked = FileRequest(request_id=request, client=call.client, actor=actor, filing=filing)
    try:
        return node.ask(node.cases.File, asked)
    except Failure as lost:
        if lost.end is Exit.UNREACHABLE:
            again = failure(Exit.UNREACHABLE, "filing_unknown", request=request)
            raise Failure(lost.end, lost.code, lost.said, again.advice) from None
        raise


def _choices(call: Call, refused: Failure) -> dict[str, str]:
    """What the applicant answers to the questions of a refusal; empty when it is about more than questions or
    nobody can be asked.
    """
    asked = {
        column: problem.said
        for problem in refused.problems
        if problem.code == CHOICE and (column := column_of(problem.field))
    }
    if len(asked) < len({problem.field for problem in refused.problems}):
        return {}
    if not asked or not call.terminal.interactive:
        return {}
    call.terminal.note("note.choice")
    return {column: ask_area(call.terminal, call.words.pick(said)) for column, said in asked.items()}


def pairs(flag: str, prefix: str, given: list[str] | None, known: str = "") -> dict[str, str]:
    """Flags "NAME=VALUE" as columns, each name checked. `known`: prefix that makes a name a column.

    Raises Failure.
    """
    found = {}
    for text in given or []:
        name, equals, value = text.partition("=")
        if not equals or not name.strip() or not value.strip():
            raise wrong(flag, "pair", given=text)
        column = prefix + name.strip()
        if not form.is_column(known + column):
            raise wrong(flag, "one_of", given=name, known=", ".join(form.PLACES))
        found[column] = value
    return found
