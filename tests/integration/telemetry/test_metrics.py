import asyncio
import socket
import urllib.request
from collections.abc import Sequence

import pytest

from nodes.telemetry import SpanRow, new_case_trace, start_telemetry
from nodes.telemetry.metrics import MetricsPortTaken, MetricsServer, NodeMetrics

CASE = "3205002026093000010000123K"


async def scrape(port: int) -> str:
    def get() -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            text: str = answer.read().decode()
            return text

    return await asyncio.to_thread(get)


async def nowhere(rows: Sequence[SpanRow]) -> None:
    pass


async def test_prometheus_reads_what_the_node_counted() -> None:
    metrics = NodeMetrics("32", "1.2.3")
    metrics.filed("full_online", "filed")
    metrics.filed("full_online", "NOT_ON_GUIDE")
    metrics.acted("accept", "applied")
    metrics.received("duplicate")
    metrics.sent("31", 3)
    metrics.light_changed("yellow")
    metrics.bus_failed(TimeoutError())
    metrics.outbox(7, 2.5)
    metrics.inbox_lag(4)
    metrics.parked(2, 1)
    metrics.committed(20, 0.004)
    metrics.called("CaseService/File", "OK", 0.002)
    server = MetricsServer(metrics)
    said = await scrape(server.port)
    await server.stop()
    await server.stop()
    for line in (
        'tongban_node{region="32",version="1.2.3"} 1.0',
        'tongban_filings_total{mode="full_online",outcome="filed"} 1.0',
        'tongban_filings_total{mode="full_online",outcome="NOT_ON_GUIDE"} 1.0',
        'tongban_acts_total{outcome="applied",verb="accept"} 1.0',
        'tongban_inbox_messages_total{outcome="duplicate"} 1.0',
        'tongban_outbox_sent_total{to_region="31"} 3.0',
        'tongban_light_changes_total{light="yellow"} 1.0',
        'tongban_bus_errors_total{error="TimeoutError"} 1.0',
        "tongban_outbox_waiting 7.0",
        "tongban_outbox_oldest_seconds 2.5",
        "tongban_inbox_lag 4.0",
        "tongban_parked_cases 2.0",
        "tongban_dead_letters 1.0",
        'tongban_writer_batch_commands_bucket{le="20.0"} 1.0',
        'tongban_writer_commit_seconds_bucket{le="0.005"} 1.0',
        'tongban_rpc_seconds_count{code="OK",method="CaseService/File"} 1.0',
    ):
        assert line in said.splitlines()


async def test_the_fate_of_spans_is_read_when_asked_for() -> None:
    metrics = NodeMetrics("32", "1")
    telemetry = start_telemetry("32", "1", nowhere, capacity=2, interval_s=1000)
    metrics.watch_spans(telemetry)
    for _ in range(3):
        telemetry.tracer.hop("file", new_case_trace(CASE), attributes={"applicant": "x"}).end()
    server = MetricsServer(metrics)
    assert "tongban_spans_waiting 2.0" in await scrape(server.port)
    await telemetry.flush()
    lines = (await scrape(server.port)).splitlines()
    await server.stop()
    await telemetry.stop()
    assert 'tongban_spans_total{fate="kept"} 2.0' in lines
    assert 'tongban_spans_total{fate="dropped"} 1.0' in lines
    assert "tongban_span_attributes_dropped_total 2.0" in lines


async def test_the_tasks_of_the_loop_are_counted() -> None:
    metrics = NodeMetrics("32", "1")
    metrics.watch_tasks(asyncio.get_running_loop())
    server = MetricsServer(metrics)
    enough = asyncio.Event()
    counts = []
    async with asyncio.TaskGroup() as group:
        for _ in range(2):
            found = [line for line in (await scrape(server.port)).splitlines() if "tongban_tasks " in line]
            counts.append(float(found[-1].split()[-1]))
            for _ in range(5):
                group.create_task(enough.wait())
        enough.set()
    await server.stop()
    assert counts[1] == counts[0] + 5


async def test_nodes_of_one_process_count_apart() -> None:
    first, second = NodeMetrics("32", "1"), NodeMetrics("31", "1")
    first.filed("joint", "filed")
    servers = [MetricsServer(first), MetricsServer(second)]
    said = [await scrape(server.port) for server in servers]
    for server in servers:
        await server.stop()
    assert ["tongban_filings_total{" in text for text in said] == [True, False]


async def test_the_port_is_loopbacks_and_is_free_again_after_the_stop() -> None:
    server = MetricsServer(NodeMetrics("32", "1"))
    assert server._server.server_address[0] == "127.0.0.1"
    with pytest.raises(MetricsPortTaken) as caught:
        MetricsServer(NodeMetrics("31", "1"), server.port)
    assert caught.value.field == "metrics_port"
    await server.stop()
    with socket.socket() as probe, pytest.raises(ConnectionRefusedError):
        probe.connect(("127.0.0.1", server.port))


@pytest.mark.parametrize("marker", ["张三", "110101199003074258", "13800138000", "Zhang San", "x" * 90])
async def test_no_label_can_name_a_person(marker: str) -> None:
    metrics = NodeMetrics("32", "1")
    metrics.filed(marker, marker)
    metrics.acted(marker, marker)
    metrics.sent(marker)
    metrics.called(marker, marker, 0.1)
    metrics.bus_failed(ValueError(marker))
    server = MetricsServer(metrics)
    said = await scrape(server.port)
    await server.stop()
    assert marker not in said
    assert 'tongban_filings_total{mode="other",outcome="other"} 1.0' in said.splitlines()


async def test_labels_do_not_grow_without_end() -> None:
    metrics = NodeMetrics("32", "1")
    for at in range(1000):
        metrics.acted("".join(chr(97 + int(digit)) for digit in str(at)), "applied")
    server = MetricsServer(metrics)
    said = await scrape(server.port)
    await server.stop()
    assert said.count("tongban_acts_total{") <= 201
