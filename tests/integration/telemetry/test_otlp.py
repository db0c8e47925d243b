import asyncio
import time
from collections.abc import Sequence

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.trace import SpanKind, StatusCode

from nodes.telemetry import SpanLink, SpanRow, Telemetry, new_case_trace, start_telemetry
from nodes.telemetry.node import STOP_WITHIN_S
from tests.integration.telemetry.collector import Collector, black_hole, collecting, free_port

CASE = "3205002026093000010000123K"


class Sink:
    def __init__(self) -> None:
        self.rows: list[SpanRow] = []

    async def __call__(self, rows: Sequence[SpanRow]) -> None:
        self.rows.extend(rows)


def end_hops(telemetry: Telemetry, count: int) -> None:
    for _ in range(count):
        telemetry.tracer.hop("file", new_case_trace(CASE)).end()


async def test_a_collector_gets_the_spans_as_they_were_recorded() -> None:
    collector, sink = Collector(), Sink()
    with collecting(collector) as endpoint:
        telemetry = start_telemetry("32", "1.2.3", sink, otlp_endpoint=endpoint, interval_s=0.01)
        case = new_case_trace(CASE)
        foreign = new_case_trace("")
        link = SpanLink(f"{foreign.trace_id:032x}", f"{foreign.span_id:016x}", "caller")
        topic = {"messaging.destination.name": "tongban.inbox.31", "applicant": "张三"}
        with telemetry.tracer.span_with_id(
            "tongban.v1.CaseService/File", case, SpanKind.SERVER, links=[link]
        ):
            sent = telemetry.tracer.hop("send tongban.inbox.31", case, SpanKind.PRODUCER, topic)
            sent.set_status(StatusCode.ERROR)
            sent.end()
        spans = await asyncio.to_thread(collector.wait_for, 2)
        await telemetry.stop()
    producer, server = spans
    assert producer.trace_id == server.trace_id == case.trace_id.to_bytes(16)
    assert (server.span_id, server.parent_span_id) == (case.span_id.to_bytes(8), b"")
    assert producer.parent_span_id == server.span_id
    assert (producer.kind, server.kind) == (Span.SPAN_KIND_PRODUCER, Span.SPAN_KIND_SERVER)
    assert producer.status.code == 2
    assert server.links[0].trace_id == foreign.trace_id.to_bytes(16)
    assert {a.key: a.value.string_value for a in producer.attributes} == {
        "messaging.destination.name": "tongban.inbox.31",
        "messaging.message.conversation_id": CASE,
        "tongban.region": "32",
    }
    resource = {a.key: a.value.string_value for a in collector.requests[0].resource.attributes}
    assert (resource["service.name"], resource["service.version"]) == ("tongban-node", "1.2.3")
    assert {row.span_id for row in sink.rows} == {span.span_id.hex() for span in spans}
    assert [(row.start_ns, row.end_ns) for row in sink.rows] == [
        (span.start_time_unix_nano, span.end_time_unix_nano) for span in spans
    ]


async def test_a_stop_sends_what_is_left() -> None:
    collector = Collector()
    with collecting(collector) as endpoint:
        telemetry = start_telemetry("32", "1", Sink(), otlp_endpoint=endpoint, interval_s=1000)
        end_hops(telemetry, 1300)
        await telemetry.stop()
        assert len(collector.spans) == 1300
        assert telemetry.otlp_counts.exported == 1300


async def test_sampling_is_for_the_collector_alone_and_by_trace() -> None:
    collector, sink = Collector(), Sink()
    with collecting(collector) as endpoint:
        for region in ("32", "31"):
            telemetry = start_telemetry(region, "1", sink, otlp_endpoint=endpoint, otlp_sample_ratio=0.25)
            for at in range(400):
                case = new_case_trace(CASE)
                low = at << 54 | 1
                telemetry.tracer.span_with_id("file", type(case)(CASE, 1 << 100 | low, at + 1)).end()
            await telemetry.stop()
    assert len(sink.rows) == 800
    sent = [span.trace_id for span in collector.spans]
    assert len(sent) == 2 * len(set(sent)) == 2 * 256
    assert all(int.from_bytes(trace_id[8:]) < 1 << 62 for trace_id in sent)


async def stop_time(telemetry: Telemetry) -> float:
    began = time.monotonic()
    await telemetry.stop()
    return time.monotonic() - began


async def test_a_dead_collector_costs_no_hop_and_no_long_stop() -> None:
    sink = Sink()
    endpoint = f"http://127.0.0.1:{free_port()}"
    telemetry = start_telemetry("32", "1", sink, otlp_endpoint=endpoint, interval_s=0.01)
    began = time.perf_counter()
    end_hops(telemetry, 2000)
    assert (time.perf_counter() - began) / 2000 < 0.001
    assert await telemetry.flush()
    assert len(sink.rows) == 2000
    assert await stop_time(telemetry) < STOP_WITHIN_S
    assert telemetry.otlp_counts.dropped == 2000


async def test_a_black_hole_does_not_hold_the_stop() -> None:
    sink = Sink()
    with black_hole() as endpoint:
        telemetry = start_telemetry("32", "1", sink, otlp_endpoint=endpoint, interval_s=0.01)
        end_hops(telemetry, 50)
        assert await telemetry.flush()
        assert len(sink.rows) == 50
        assert await stop_time(telemetry) < STOP_WITHIN_S
    assert telemetry.otlp_counts.dropped == 50


async def test_a_stuck_sink_and_a_black_hole_together_do_not_hold_the_stop() -> None:
    async def stuck(rows: Sequence[SpanRow]) -> None:
        await asyncio.Event().wait()

    with black_hole() as endpoint:
        telemetry = start_telemetry("32", "1", stuck, otlp_endpoint=endpoint, interval_s=1000)
        end_hops(telemetry, 50)
        assert await stop_time(telemetry) < STOP_WITHIN_S


@pytest.mark.parametrize("room", [10, 100])
async def test_a_queue_for_a_dead_collector_is_bounded(room: int, monkeypatch: pytest.MonkeyPatch) -> None:
    telemetry = start_telemetry("32", "1", Sink(), otlp_endpoint=f"http://127.0.0.1:{free_port()}")
    otlp = telemetry._otlp
    assert otlp is not None
    monkeypatch.setattr(otlp, "_capacity", room)
    end_hops(telemetry, 150)
    await telemetry.flush()
    assert otlp.counts.dropped >= 150 - room - otlp._batch
    assert len(otlp._queue) <= room
    await telemetry.stop()
    assert otlp.counts.dropped == 150


async def test_a_collector_that_comes_back_gets_what_was_waiting() -> None:
    port = free_port()
    telemetry = start_telemetry(
        "32", "1", Sink(), otlp_endpoint=f"http://127.0.0.1:{port}", interval_s=0.01, otlp_timeout_s=0.2
    )
    end_hops(telemetry, 5)
    await telemetry.flush()
    async with asyncio.timeout(10):
        while not telemetry.otlp_counts.failures:  # noqa: ASYNC110  another thread counts, without a signal
            await asyncio.sleep(0.01)
    collector = Collector(refusals=1)
    with collecting(collector, port):
        spans = await asyncio.to_thread(collector.wait_for, 5, 20.0)
        await telemetry.stop()
    assert len(spans) == 5
    assert telemetry.otlp_counts.exported == 5
