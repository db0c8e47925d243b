import asyncio
import threading
from collections.abc import Sequence
from typing import Any

import pytest

from nodes.telemetry import SpanRow, Telemetry, new_case_trace, start_telemetry
from nodes.telemetry.node import BadTelemetry

CASE = "3205002026093000010000123K"


class Sink:
    """Stores in memory; fails `failures` times first; `stuck` never answers."""

    def __init__(self, failures: int = 0) -> None:
        self.rows: list[SpanRow] = []
        self.batches: list[int] = []
        self.failures = failures
        self.stuck = False
        self.stored = asyncio.Event()

    async def __call__(self, rows: Sequence[SpanRow]) -> None:
        if self.stuck:
            await asyncio.Event().wait()
        if self.failures:
            self.failures -= 1
            raise OSError("disk full")
        self.rows.extend(rows)
        self.batches.append(len(rows))
        self.stored.set()


def end_hops(telemetry: Telemetry, count: int) -> None:
    for _ in range(count):
        telemetry.tracer.hop("file", new_case_trace(CASE)).end()


async def test_spans_reach_the_sink_by_themselves() -> None:
    sink = Sink()
    telemetry = start_telemetry("32", "1", sink, interval_s=0.01)
    end_hops(telemetry, 3)
    await asyncio.wait_for(sink.stored.wait(), 5)
    await telemetry.stop()
    assert [row.name for row in sink.rows] == ["file"] * 3
    assert (telemetry.span_counts.kept, telemetry.span_counts.dropped) == (3, 0)


async def test_a_full_batch_does_not_wait_for_the_interval() -> None:
    sink = Sink()
    telemetry = start_telemetry("32", "1", sink, batch=10, interval_s=1000)
    end_hops(telemetry, 15)
    await asyncio.wait_for(sink.stored.wait(), 5)
    await telemetry.stop()
    assert len(sink.rows) == 15


async def test_stop_stores_what_is_left_in_batches() -> None:
    sink = Sink()
    telemetry = start_telemetry("32", "1", sink, batch=10, capacity=100, interval_s=1000)
    end_hops(telemetry, 25)
    await telemetry.stop()
    await telemetry.stop()
    assert sink.batches == [10, 10, 5]
    end_hops(telemetry, 1)
    assert telemetry.span_counts.dropped == 1


async def test_a_full_queue_drops_and_counts() -> None:
    sink = Sink()
    telemetry = start_telemetry("32", "1", sink, capacity=10, interval_s=1000)
    end_hops(telemetry, 25)
    assert telemetry.spans_waiting == 10
    assert telemetry.span_counts.dropped == 15
    assert await telemetry.flush()
    end_hops(telemetry, 10)
    await telemetry.stop()
    assert len(sink.rows) == 20


async def test_a_sink_that_fails_gets_the_same_rows_again_in_order() -> None:
    sink = Sink(failures=2)
    telemetry = start_telemetry("32", "1", sink, batch=2, interval_s=1000)
    cases = [new_case_trace(CASE) for _ in range(5)]
    for case in cases:
        telemetry.tracer.hop("file", case).end()
    assert not await telemetry.flush()
    assert not await telemetry.flush()
    assert await telemetry.flush()
    assert [row.trace_id for row in sink.rows] == [f"{case.trace_id:032x}" for case in cases]
    assert telemetry.span_counts.sink_errors == 2
    await telemetry.stop()


async def test_a_stuck_sink_does_not_hold_the_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nodes.telemetry.node._STORE_WITHIN_S", 0.05)
    sink = Sink()
    sink.stuck = True
    telemetry = start_telemetry("32", "1", sink, interval_s=1000)
    end_hops(telemetry, 4)
    await asyncio.wait_for(telemetry.stop(), 5)
    assert telemetry.span_counts.dropped == 4


async def test_hops_may_end_in_any_thread() -> None:
    sink = Sink()
    telemetry = start_telemetry("32", "1", sink, batch=50, interval_s=0.01)
    threads = [threading.Thread(target=end_hops, args=(telemetry, 200)) for _ in range(4)]
    for thread in threads:
        thread.start()
    await asyncio.gather(*(asyncio.to_thread(thread.join) for thread in threads))
    await telemetry.stop()
    assert len({row.trace_id for row in sink.rows}) == 800


async def test_spans_of_no_case_are_not_kept_by_the_node() -> None:
    sink = Sink()
    telemetry = start_telemetry("32", "1", sink)
    telemetry.get_tracer("anything").start_span("tongban.v1.CatalogueService/List").end()
    await telemetry.stop()
    assert sink.rows == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("otlp_sample_ratio", 1.5),
        ("otlp_timeout_s", 30.0),
        ("otlp_endpoint", "localhost:4317"),
        ("otlp_endpoint", "http://localhost"),
        ("otlp_endpoint", "http://localhost:port"),
        ("capacity", 0),
        ("interval_s", 0.0),
    ],
)
async def test_a_bad_value_is_named(field: str, value: Any) -> None:
    with pytest.raises(BadTelemetry) as caught:
        start_telemetry("32", "1", Sink(), **{field: value})
    assert caught.value.field == field
