"""Spans by the messaging conventions, joined across the bus; the counters beside them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, SpanContext, SpanKind, StatusCode, TraceFlags

from broker.bus import BusError, Message, Subscription, TopicMissing, TopicSpec
from broker.sqlite import SqliteBus
from broker.traced import MessageTracer, TracedBus

TOPIC = "tongban.inbox.31"


class Watched:
    """A traced bus and what it recorded."""

    def __init__(self, path: Path) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.reader = InMemoryMetricReader()
        tracer = MessageTracer("sqlite", self.provider, MeterProvider([self.reader]))
        self.bus = TracedBus(SqliteBus(path), tracer)

    def spans(self) -> dict[str, ReadableSpan]:
        return {span.name: span for span in self.exporter.get_finished_spans()}

    def sums(self) -> dict[tuple[str, str | None], float]:
        """Counter values by name and error type."""
        data = self.reader.get_metrics_data()
        assert data is not None
        found: dict[tuple[str, str | None], float] = {}
        for metric in data.resource_metrics[0].scope_metrics[0].metrics:
            for point in metric.data.data_points:
                error = (point.attributes or {}).get("error.type")
                value = getattr(point, "value", None) or getattr(point, "count", 0)
                key = (metric.name, str(error) if error else None)
                found[key] = found.get(key, 0.0) + float(value or 0)
        return found


@pytest_asyncio.fixture
async def watched(tmp_path: Path) -> AsyncIterator[Watched]:
    watched = Watched(tmp_path / "bus.db")
    await watched.bus.start()
    await watched.bus.ensure_topics([TopicSpec(TOPIC, 2, None)])
    yield watched
    await watched.bus.close()


async def one(subscription: Subscription) -> Message:
    [delivery] = await subscription.poll(timeout_s=30)
    return delivery.message


async def test_process_is_the_child_of_send(watched: Watched) -> None:
    reader = watched.bus.subscribe([TOPIC], "g", member="m")
    await watched.bus.publish([Message(TOPIC, b"3205", b"four", (("ce_id", b"id-1"),))])
    [delivery] = await reader.poll(timeout_s=30)
    link = Link(SpanContext(1, 2, True, TraceFlags(1)))
    with watched.bus.tracer.processing(delivery, "g", [link]) as span:
        assert span.is_recording()
    send, process = watched.spans()[f"send {TOPIC}"], watched.spans()[f"process {TOPIC}"]
    assert (send.kind, process.kind) == (SpanKind.PRODUCER, SpanKind.CONSUMER)
    assert send.context
    assert process.context
    assert process.parent
    assert (process.context.trace_id, process.parent.span_id) == (send.context.trace_id, send.context.span_id)
    assert [made.context.span_id for made in process.links] == [2]
    expected = {
        "messaging.system": "sqlite",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": TOPIC,
        "messaging.destination.partition.id": str(delivery.partition),
        "messaging.consumer.group.name": "g",
        "messaging.message.id": "id-1",
        "messaging.message.conversation_id": "3205",
        "messaging.message.body.size": 4,
        "messaging.kafka.offset": 0,
    }
    assert dict(process.attributes or {}) == expected
    assert watched.sums() == {
        ("messaging.client.sent.messages", None): 1,
        ("messaging.client.consumed.messages", None): 1,
        ("messaging.client.operation.duration", None): 1,
        ("messaging.process.duration", None): 1,
    }


async def test_a_send_continues_the_trace_its_message_was_made_in(watched: Watched) -> None:
    reader = watched.bus.subscribe([TOPIC], "g", member="m")
    made_in = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    stale = ("traceparent", b"00-11111111111111111111111111111111-2222222222222222-01")
    with watched.provider.get_tracer("relay").start_as_current_span("relay loop"):
        await watched.bus.publish([Message(TOPIC, b"k", b"", (("ce_traceparent", made_in), stale))])
    send = watched.spans()[f"send {TOPIC}"]
    assert send.parent
    assert send.context
    assert f"{send.context.trace_id:032x}-{send.parent.span_id:016x}" in made_in.decode()
    headers = (await one(reader)).headers
    assert [name for name, _ in headers] == ["ce_traceparent", "traceparent"]
    assert (
        f"{send.context.trace_id:032x}-{send.context.span_id:016x}" in dict(headers)["traceparent"].decode()
    )


async def test_a_forged_hop_context_starts_a_trace_of_its_own(watched: Watched) -> None:
    reader = watched.bus.subscribe([TOPIC], "g", member="m")
    await watched.bus._bus.publish([Message(TOPIC, b"k", b"", (("traceparent", b"\xff\x00forged"),))])
    [delivery] = await reader.poll(timeout_s=30)
    with (
        watched.provider.get_tracer("reader").start_as_current_span("reader loop") as loop,
        watched.bus.tracer.processing(delivery, "g"),
    ):
        pass
    process = watched.spans()[f"process {TOPIC}"]
    assert process.parent is None
    assert process.context
    assert process.context.trace_id != loop.get_span_context().trace_id


async def test_failures_are_marked_and_go_on(watched: Watched) -> None:
    with pytest.raises(TopicMissing):
        await watched.bus.publish([Message("nowhere", b"k", b"")])
    send = watched.spans()["send nowhere"]
    assert send.status.status_code is StatusCode.ERROR
    assert (send.attributes or {})["error.type"] == "TopicMissing"
    reader = watched.bus.subscribe([TOPIC], "g", member="m")
    await watched.bus.publish([Message(TOPIC, b"k", b"")])
    batches = reader.batches()
    [delivery] = await anext(batches)
    with pytest.raises(BusError), watched.bus.tracer.processing(delivery, "g"):
        raise BusError("the handler's")
    assert watched.spans()[f"process {TOPIC}"].status.status_code is StatusCode.ERROR
    await reader.commit([delivery.next_position])
    assert reader.assigned()
    await reader.close()
    assert await anext(batches, None) is None
    assert watched.sums()["messaging.client.sent.messages", "TopicMissing"] == 1
    assert watched.sums()["messaging.process.duration", "BusError"] == 1
    await watched.bus.publish([Message(TOPIC, b"k", b"")])
    assert sum(lag.lag for lag in await watched.bus.lag("g", [TOPIC])) == 1
    assert watched.sums()["messaging.consumer.lag", None] == 1
    assert (await watched.bus.healthy()).ok
    assert await watched.bus.incarnation(TOPIC)
    [report] = await watched.bus.describe_topics([TopicSpec(TOPIC, 2, None)])
    assert report.conforms
