"""A case's trace over a real bus: two nodes, one of which dies before it could write down what it did."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from opentelemetry.trace import SpanKind

from broker.bus import Delivery, EventBus, Message, TopicSpec
from broker.sqlite import SqliteBus
from broker.traced import MessageTracer
from nodes.telemetry import (
    CaseTrace,
    HopSpan,
    SpanRow,
    Telemetry,
    check_connected,
    new_case_trace,
    start_telemetry,
)
from nodes.telemetry.waterfall import lay_out

CASE = "3205002026093000010000123K"


class Rows:
    """A node's span table: a row that is there stays."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], SpanRow] = {}

    async def __call__(self, rows: Sequence[SpanRow]) -> None:
        for row in rows:
            self.rows.setdefault(row.key, row)


async def send(bus: EventBus, telemetry: Telemetry, region: str, hop: CaseTrace) -> None:
    """Sends under the id that was fixed when the message was queued."""
    topic = f"tongban.inbox.{region}"
    told = {"messaging.destination.name": topic}
    with telemetry.tracer.span_with_id(f"send {topic}", hop, SpanKind.PRODUCER, told):
        header = ("traceparent", hop.traceparent.encode())
        await bus.publish([Message(topic, CASE.encode(), b"event", (header,))])


async def fetch(bus: EventBus, region: str) -> Delivery:
    subscription = bus.subscribe([f"tongban.inbox.{region}"], region, member=region)
    try:
        async with asyncio.timeout(20):
            async for deliveries in subscription.batches():
                return deliveries[0]
    finally:
        await subscription.close()
    raise AssertionError


async def test_one_connected_trace_over_two_nodes_and_a_crash(tmp_path: Path) -> None:
    jiangsu, shanghai = Rows(), Rows()
    bus = SqliteBus(tmp_path / "bus.db")
    await bus.start()
    await bus.ensure_topics([TopicSpec(f"tongban.inbox.{at}", 1, None) for at in ("31", "32")])

    # Filed in Jiangsu, whose process dies with its spans unwritten: what it stored with the case is all
    # there is.
    origin = start_telemetry("32", "1", Rows(), interval_s=1000)
    call = origin.tracer.start_span("tongban.v1.CaseService/File", kind=SpanKind.SERVER)
    filed = call.begin_case(CASE)
    sent = filed.reserve()
    stored = ((filed.traceparent, filed.parent_hex), (sent.traceparent, sent.parent_hex), call.start_ns)
    await send(bus, origin, "31", sent)
    call.end()
    await origin.stop()

    # Shanghai processes it and answers.
    competent = start_telemetry("31", "1", shanghai)
    delivery = await fetch(bus, "31")
    tracer = MessageTracer("sqlite", competent)
    with tracer.processing(delivery, "31") as span:
        assert isinstance(span, HopSpan)
        answered = span.join_case(CaseTrace.stored(CASE, sent.traceparent)).reserve()
    await send(bus, competent, "32", answered)
    await competent.stop()
    assert [p.kind for p in check_connected(shanghai.rows.values())] == ["no_root", "parent_missing"]

    # Jiangsu's next process rebuilds the two hops from the rows, and goes on.
    again = start_telemetry("32", "1", jiangsu)
    (call_row, send_row, began_ns) = stored
    for row, name, kind in (
        (call_row, "tongban.v1.CaseService/File", SpanKind.SERVER),
        (send_row, "send tongban.inbox.31", SpanKind.PRODUCER),
    ):
        hop = CaseTrace.stored(CASE, *row)
        again.tracer.span_with_id(name, hop, kind, start_ns=began_ns, recovered=True).end(began_ns)
    delivery = await fetch(bus, "32")
    with MessageTracer("sqlite", again).processing(delivery, "32"):
        pass
    await again.stop()
    await bus.close()

    everything = [*jiangsu.rows.values(), *shanghai.rows.values()]
    assert check_connected(everything) == []
    waterfall = lay_out(everything)
    assert [(bar.span.region, bar.span.name.split(".")[0], bar.span.recovered) for bar in waterfall.bars] == [
        ("32", "tongban", True),
        ("32", "send tongban", True),
        ("31", "process tongban", False),
        ("31", "send tongban", False),
        ("32", "process tongban", False),
    ]
    assert [bar.wire_ns is not None for bar in waterfall.bars] == [False, False, True, False, True]
    assert waterfall.cases == (CASE,)


async def test_a_forged_header_on_the_bus_cannot_move_a_case_into_another_trace(tmp_path: Path) -> None:
    kept = Rows()
    bus = SqliteBus(tmp_path / "bus.db")
    await bus.start()
    await bus.ensure_topics([TopicSpec("tongban.inbox.31", 1, None)])
    telemetry = start_telemetry("31", "1", kept)
    known, forged = new_case_trace(CASE), new_case_trace(CASE)
    telemetry.tracer.span_with_id("file", known).end()
    header = ("traceparent", forged.traceparent.encode())
    await bus.publish([Message("tongban.inbox.31", CASE.encode(), b"event", (header,))])
    with MessageTracer("sqlite", telemetry).processing(await fetch(bus, "31"), "31") as span:
        assert isinstance(span, HopSpan)
        span.join_case(known)
    await telemetry.stop()
    await bus.close()
    assert check_connected(kept.rows.values()) == []
    assert [link.trace_id for row in kept.rows.values() for link in row.links] == [f"{forged.trace_id:032x}"]
