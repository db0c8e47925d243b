"""`trace CASE`: the whole trace of a case over all provinces, drawn as a waterfall."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from nodes.cli.call import Call, command
from nodes.cli.commands.track import case_number
from nodes.cli.exits import Exit
from nodes.cli.failures import failure
from tongban.v1.operator_service_pb2 import TraceRequest
from tongban.v1.trace_pb2 import Span

if TYPE_CHECKING:
    from nodes.telemetry.spans import SpanRow


def add(app: typer.Typer) -> None:
    """Join the application."""
    command(app, "trace", panel="panel.operator", acting=True)(trace)


def trace(call: Call, case: Annotated[str, typer.Argument(help="help.case", metavar="CASE")]) -> int:
    """The waterfall; CHECK_FAILED when a region did not answer."""
    from nodes.telemetry.drawing import WaterfallView
    from nodes.telemetry.waterfall import NoTrace, as_json, lay_out

    number = case_number(case)
    with call.reach.open(case=number) as node:
        request = TraceRequest(actor=call.actor(node, "operator"), case_number=number)
        answer = node.ask(node.operator.Trace, request)
    try:
        waterfall = lay_out(row_of(span, number) for span in answer.spans)
    except NoTrace:
        raise failure(Exit.NOT_FOUND, "no_trace", case=number) from None
    call.terminal.data({**as_json(waterfall), "missing": list(answer.missing)})
    call.terminal.show(WaterfallView(waterfall, call.words.lang))
    if answer.missing:
        call.terminal.note("note.trace_missing", style="yellow", regions=", ".join(answer.missing))
        return Exit.CHECK_FAILED
    return Exit.OK


def row_of(span: Span, case: str) -> SpanRow:
    """A span of the contract as the row that waterfalls are made of."""
    from nodes.telemetry.spans import KINDS, STATUSES, SpanLink, SpanRow

    attributes = dict(span.attributes)
    return SpanRow(
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_span_id=span.parent_span_id.hex(),
        case_number=attributes.get("messaging.message.conversation_id", case),
        name=span.name,
        kind=next((kind for kind in KINDS if kind == span.kind), "internal"),
        start_ns=span.start_ns,
        end_ns=max(span.start_ns, span.end_ns),
        status=next((status for status in STATUSES if status == span.status), "unset"),
        attributes=attributes,
        links=tuple(SpanLink(link.trace_id.hex(), link.span_id.hex(), link.kind) for link in span.links),
        recovered=span.recovered,
        region=span.region,
    )
