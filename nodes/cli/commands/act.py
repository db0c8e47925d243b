"""`act VERB CASE`: every verb of the contract, its fields as flags; made from the table of `verbs`.

Knows how flags become a Command and where an officer's node is. Must not know which verb is allowed when.
"""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from google.protobuf.timestamp_pb2 import Timestamp

from nodes.cli import names
from nodes.cli.call import Call, Group, command, request_id
from nodes.cli.commands.track import case_number, where_to_act
from nodes.cli.exits import Exit
from nodes.cli.failures import Failure, failure
from nodes.cli.filing.materials import Paper, paper, upload
from nodes.cli.reach import Node
from nodes.cli.verbs import VERBS, Flag, VerbForm
from nodes.cli.words import TABLE, both
from tongban.v1.case_pb2 import ROLE_OPERATOR, Actor, Defect
from tongban.v1.case_service_pb2 import ActRequest, ActResponse
from tongban.v1.command_pb2 import Command
from tongban.v1.operator_service_pb2 import HealthRequest

KNOWABLE = ("first", "received", "checked")


def add(app: typer.Typer) -> None:
    """Join the application: a group with a command for each verb."""
    group = typer.Typer(cls=Group, help="help.act", no_args_is_help=True)
    for verb, form in VERBS.items():
        name = verb.replace("_", "-")
        command(group, name, acting=True, panel="panel.verbs", key=f"help.act.{verb}")(_function(verb, form))
    app.add_typer(group, name="act", rich_help_panel="panel.cases")


def _function(verb: str, form: VerbForm) -> Callable[..., int | None]:
    """A function with a parameter for each flag of the verb."""

    def run(call: Call, **values: Any) -> None:
        case, expected, request = values.pop("case"), values.pop("expected"), values.pop("request")
        _act(call, verb, form, case_number(case), values, (request or request_id(), expected))

    keyword = inspect.Parameter.KEYWORD_ONLY
    case = Annotated[str, typer.Argument(help="help.case", metavar="CASE")]
    expected = Annotated[
        int, typer.Option("--expect-version", help="help.expect_version", show_default=False)
    ]
    request = Annotated[str, typer.Option("--request-id", help="help.request_id")]
    parameters = [
        inspect.Parameter("call", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Call),
        inspect.Parameter("case", keyword, annotation=case),
        *(_parameter(flag) for flag in form.flags),
        inspect.Parameter("expected", keyword, annotation=expected, default=0),
        inspect.Parameter("request", keyword, annotation=request, default=""),
    ]
    signed: Any = run
    signed.__signature__ = inspect.Signature(parameters)
    return run


def _parameter(flag: Flag) -> inspect.Parameter:
    kind, default = {
        "text": (str, ""),
        "time": (str, ""),
        "number": (int, 0),
        "flag": (bool, False),
    }.get(flag.kind, (list[str] | None, None))
    decl = f"--{flag.name}/--{flag.negative}" if flag.negative else f"--{flag.name}"
    annotation: Any = Annotated[kind, typer.Option(decl, help=flag.help)]
    empty = inspect.Parameter.empty if flag.required else default
    return inspect.Parameter(
        _argument(flag), inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=empty
    )


def _argument(flag: Flag) -> str:
    return f"flag_{flag.name.replace('-', '_')}"


def _act(
    call: Call, verb: str, form: VerbForm, case: str, values: dict[str, Any], key: tuple[str, int]
) -> None:
    role = call.role or form.role
    region, authority = where_to_act(call, case, role)
    with call.reach.open(case=case, region=region) as node:
        actor = call.actor(node, role, authority)
        order, papers = _command(verb, form, values, node)
        for sheet in papers:
            upload(node, sheet, call.client, actor)
        request = ActRequest(
            request_id=key[0],
            client=call.client,
            actor=actor,
            case_number=case,
            command=order,
            expected_version=key[1],
        )
        try:
            answer = node.ask(node.cases.Act, request)
        except Failure as lost:
            if lost.end is Exit.UNREACHABLE:
                again = failure(Exit.UNREACHABLE, "act_unknown", request=key[0])
                raise Failure(lost.end, lost.code, lost.said, again.advice) from None
            hint = f"next.act_{lost.code.lower()}"
            advice = both(hint, case=case, role=role) if hint in TABLE else ("", "")
            raise lost.calling(_names(verb, form), advice) from None
        _tell(call, answer, verb, actor, case)


def _names(verb: str, form: VerbForm) -> Callable[[str], str]:
    """What `act` calls a field of the command: command.finish_step.outcome -> --outcome."""
    flags = {flag.path: f"--{flag.name}" for flag in form.flags}

    def name(field: str) -> str:
        path = field.removeprefix("command.").removeprefix(f"{verb}.")
        return next((flag for known, flag in flags.items() if f"{path}.".startswith(f"{known}.")), "")

    return name


def _tell(call: Call, answer: ActResponse, verb: str, actor: Actor, case: str) -> None:
    call.terminal.data(answer)
    told = {"verb": call.words.name("help.act", verb), "region": names.region_name(actor.region, call.words)}
    if answer.WhichOneof("outcome") == "applied_version":
        call.terminal.say("act.applied", style="green", version=answer.applied_version, **told)
    else:
        call.terminal.say("act.requested", style="yellow", ask=answer.requested_ask_id, **told)
        call.terminal.say("act.follow", style="cyan", case=case)


def _command(verb: str, form: VerbForm, values: dict[str, Any], node: Node) -> tuple[Command, list[Paper]]:
    order = Command()
    message = getattr(order, verb)
    message.SetInParent()
    papers: list[Paper] = []
    for flag in form.flags:
        given = values[_argument(flag)]
        if flag.kind == "time":
            given = names.stamp(given, f"--{flag.name}") if given else _node_time(node)
        if flag.kind == "materials":
            papers = [paper(text, Path(), f"--{flag.name}") for text in given or []]
            message.materials.extend(sheet.message(node.region) for sheet in papers)
        elif given:
            _put(message, flag, given)
    return order, papers


def _put(message: Any, flag: Flag, given: Any) -> None:
    *path, last = flag.path.split(".")
    for name in path:
        message = getattr(message, name)
        message.SetInParent()
    if flag.kind == "texts":
        getattr(message, last).extend(given)
    elif flag.kind == "defects":
        message.defects.extend(_defect(text) for text in given)
    elif flag.kind == "values":
        for text in given:
            name, equals, value = text.partition("=")
            if not equals or not name:
                raise names.wrong(f"--{flag.name}", "pair", given=text)
            getattr(message, last)[name] = value
    elif isinstance(given, Timestamp):
        getattr(message, last).CopyFrom(given)
    else:
        setattr(message, last, given)


def _defect(text: str) -> Defect:
    code, equals, reason = text.partition("=")
    reason, _, since = (
        reason.rpartition("@") if reason.rpartition("@")[2] in KNOWABLE else (reason, "", "first")
    )
    if not equals or not code or not reason:
        raise names.wrong("--defect", "defect", given=text)
    return Defect(code=code, reason=reason, knowable_since=since)


def _node_time(node: Node) -> Timestamp:
    actor = Actor(role=ROLE_OPERATOR, region=node.region)
    return node.ask(node.operator.Health, HealthRequest(actor=actor)).business_now
