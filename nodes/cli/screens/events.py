"""One event as one line: when, what, which state, who holds it now, which light."""

from rich.text import Text

from nodes.cli import names
from nodes.cli.screens.kit import light
from nodes.cli.terminal import clean
from nodes.cli.words import Words
from tongban.v1.case_pb2 import CaseState, ClockKind, Light, Role
from tongban.v1.event_pb2 import CaseEvent, EventCore


def event_line(event: CaseEvent, words: Words) -> Text:
    """A change of a case."""
    core = event.core
    line = Text(overflow="fold")
    line.append(f"{names.when(core.recorded_at)}  v{core.version:<3} ", style="dim")
    line.append(words.name("event", clean(core.type)), style="bold")
    line.append(_detail(core, words))
    state = words.name("state", names.code(CaseState, core.after.state))
    line.append(words("event.after", state=state, owner=names.region_name(core.after.owner, words)))
    role = names.code(Role, core.by)
    if role:
        line.append(words("event.by", role=words.name("role", role)), style="dim")
    worst = max((clock.light for clock in core.after.clocks if not clock.HasField("ended_at")), default=0)
    if worst > Light.Value("LIGHT_GREEN"):
        line.append("  ")
        line.append_text(light(worst, words))
    return line


def _detail(core: EventCore, words: Words) -> str:
    kind = core.WhichOneof("body")
    told = ""
    if kind == "handed_over":
        told = names.region_name(core.handed_over.to, words)
    elif kind == "decided":
        told = words("event.granted" if core.decided.decision.granted else "event.denied")
    elif kind == "correction_requested":
        told = words("mark.list").join(defect.code for defect in core.correction_requested.defects)
    elif kind in ("refused", "acceptance_revoked", "handover_rejected", "lapsed", "withdrawn"):
        told = getattr(core, kind).reason
    elif kind == "light_changed" and core.light_changed.clock < len(core.after.clocks):
        clock = core.after.clocks[core.light_changed.clock]
        told = words.name("clock", names.code(ClockKind, clock.kind))
    return f"{words('mark.colon')}{clean(told)}" if told else ""
