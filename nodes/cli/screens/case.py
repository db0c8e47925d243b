"""`track`: one case as its reader needs it: who holds it, until when, on what basis, and what can be done."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from nodes.cli import names
from nodes.cli.screens.clocks import clock_table, running, stop_of
from nodes.cli.screens.kit import command_line, facts, heading, light, number, table
from nodes.cli.terminal import clean
from nodes.cli.verbs import VERBS
from nodes.cli.words import Words
from tongban.v1.case_pb2 import (
    Case,
    CaseKind,
    CaseState,
    ClockKind,
    JointRule,
)
from tongban.v1.case_service_pb2 import GetResponse, PendingAsk


def case_screen(answer: GetResponse, words: Words, role: str) -> Iterator[RenderableType]:
    """The whole screen. `role`: whose next steps are shown."""
    case = answer.case
    filing = case.filing
    yield heading(words("track.head", number=number(filing.case_number)))
    yield facts(
        [
            (words("track.matter"), names.matter_name(filing.matter, words)),
            (words("track.kind"), words.name("kind", names.code(CaseKind, filing.kind))),
            (words("track.state"), _state(case, words)),
            (words("track.holder"), _holder(answer, words)),
            (words("track.until"), _until(case, words)),
            (words("track.authority"), names.authority_name(case.authority or filing.authority, words)),
            (words("track.origin"), names.area_name(filing.origin_area, words)),
            (words("track.copy"), _copy(answer, words)),
            (words("track.filed"), names.when(filing.filed_at)),
        ]
    )
    yield from _open_points(case, words)
    if case.clocks:
        yield Text()
        yield from clock_table(case.clocks, words)
    if case.parts:
        yield Text()
        yield _parts(case, words)
    if answer.asks:
        yield Text()
        yield table(
            [words("ask.verb"), words("ask.at"), words("ask.state")],
            [
                [_verb(ask.verb, words), names.when(ask.submitted_at), _ask_state(ask, words)]
                for ask in answer.asks
            ],
            fixed=(1,),
        )
    yield Text()
    yield from _next(answer, words, role)


def _state(case: Case, words: Words) -> Text:
    state = names.code(CaseState, case.state)
    told = Text(words.name("state", state), style="bold")
    if case.HasField("decision"):
        told.append(words("track.granted" if case.decision.granted else "track.denied"))
    if case.deemed:
        told.append(f" ({words.name('deemed', clean(case.deemed))})")
    if case.reason:
        told.append(f" [{clean(case.reason)}]", style="dim")
    return told


def _holder(answer: GetResponse, words: Words) -> str:
    if not answer.holder:
        return words("track.nobody")
    role, _, region = answer.holder.partition("@")
    return words("track.holder_is", role=words.name("role", role), region=names.region_name(region, words))


def _until(case: Case, words: Words) -> Text:
    open_clocks = [clock for clock in running(case) if not stop_of(clock)]
    told = Text()
    if open_clocks:
        nearest = min(open_clocks, key=lambda clock: (clock.due_at.seconds, clock.due_at.nanos))
        told.append(names.due(nearest.due_at), style="bold")
        told.append(f" {words.name('clock', names.code(ClockKind, nearest.kind))}  ")
        told.append_text(light(nearest.light, words))
        if nearest.provisional:
            told.append(f" {words('track.provisional')}")
    else:
        told.append(words("track.no_clock"))
    if case.light > max((clock.light for clock in open_clocks), default=0):
        told.append(f"  {words('track.worst')} ")
        told.append_text(light(case.light, words))
    return told


def _copy(answer: GetResponse, words: Words) -> str:
    key = "track.owned" if answer.owned else "track.mirror"
    owner = names.region_name(answer.case.owner, words)
    told = words(key, owner=owner, version=answer.case.version)
    return told + words("track.parked") if answer.parked else told


def _open_points(case: Case, words: Words) -> Iterator[Text]:
    for defect in case.correction:
        yield Text(
            clean(words("track.defect", item=_item(case, defect.code, words), reason=defect.reason)),
            style="yellow",
        )
    if case.withdrawing:
        yield Text(words("track.withdrawing"), style="yellow")
    if case.awaiting_receipt:
        yield Text(words("track.awaiting_receipt"), style="yellow")
    for lack in case.lacks:
        yield Text(clean(words("track.lack", item=_item(case, lack, words))), style="yellow")
    if case.HasField("procedure"):
        yield Text(clean(words("track.procedure", kind=case.procedure.kind, basis=case.procedure.basis)))
    if case.HasField("suspension"):
        yield Text(clean(words("track.suspension", reason=case.suspension.reason)))
    for custody in case.custody:
        if not custody.HasField("returned_at"):
            holder = names.region_name(custody.holder, words)
            since = names.when(custody.since)
            yield Text(
                clean(
                    words("track.custody", item=_item(case, custody.item, words), holder=holder, since=since)
                )
            )


def _parts(case: Case, words: Words) -> RenderableType:
    rule = words.name("joint", names.code(JointRule, case.filing.joint_rule))
    rows = [
        [
            str(part.index),
            part.matter if part.matter == case.filing.matter else names.matter_name(part.matter, words),
            names.authority_name(part.authority, words),
            part.case_number,
            words.name("result", part.result or "pending"),
        ]
        for part in case.parts
    ]
    heads = ["#", *(words(f"part.head_{name}") for name in ("matter", "authority", "number", "result"))]
    return table(heads, rows, fixed=(0, 3), title=words("part.title", rule=rule))


def _verb(verb: str, words: Words) -> str:
    return words.name("help.act", verb)


def _ask_state(ask: PendingAsk, words: Words) -> str:
    told = words.name("askstate", ask.state)
    if ask.HasField("refusal"):
        said = words.pick((ask.refusal.message_zh, ask.refusal.message_en)) or ask.refusal.code
        return f"{told}{words('mark.colon')}{said}"
    return f"{told} ({words('ask.version', version=ask.version)})" if ask.version else told


def _next(answer: GetResponse, words: Words, role: str) -> Iterator[RenderableType]:
    said_role = words.name("role", role)
    if not answer.verbs:
        yield Text(words("track.nothing", role=said_role), style="dim")
        return
    yield Text(words("track.next", role=said_role), style="bold")
    for verb in answer.verbs:
        yield Text(f"  {_verb(verb, words)}")
        yield command_line(f"    {_spelled(verb, answer, role)}")


def _spelled(verb: str, answer: GetResponse, role: str) -> str:
    """The command that performs a verb, its needed flags left open."""
    form = VERBS.get(verb)
    flags = "".join(f" --{flag.name} …" for flag in form.flags if flag.required) if form else ""
    flags += "".join(f" {flag}" for flag in _answers(verb, answer.case))
    acting = "" if form and form.role == role else f" --as {role}"
    return f"tongban act {verb.replace('_', '-')} {answer.case.filing.case_number}{flags}{acting}"


def _answers(verb: str, case: Case) -> Iterator[str]:
    """The flags that answer what was asked of the applicant: a material or a value for each item."""
    asked = {"correct": [defect.code for defect in case.correction], "supply_lack": list(case.lacks)}
    materials = {item.code for item in case.filing.terms.materials}
    for item in asked.get(verb, ()):
        yield f"--material {item}=…" if item in materials else f"--value {item}=…"


def _item(case: Case, code: str, words: Words) -> str:
    """Name of a material by the list that the case was filed with; the code where it is none of it."""
    for item in case.filing.terms.materials:
        if item.code == code:
            return words.pick((item.name_zh, item.name_en)) or code
    return code
