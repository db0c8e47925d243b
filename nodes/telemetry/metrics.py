"""The node's numbers for Prometheus, in a registry of its own, and the server that shows them on loopback.

Knows prometheus_client and what is counted. Must not know who counts: other rooms are given a `NodeMetrics`.
A label's value is a plain word of ours; anything else counts as "other", so no label can name a person and
none grows without end.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from nodes.telemetry.node import Telemetry

OTHER: Final = "other"
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z_.]{0,47}(/[A-Za-z]{1,32})?|[0-9]{2}")
_MOST_VALUES: Final = 200
_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_SIZES: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


class _Labels:
    """Label values seen so far; a value that is no plain word, or one too many, becomes OTHER."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def plain(self, value: str) -> str:
        if value in self._seen:
            return value
        if len(self._seen) >= _MOST_VALUES or not _WORD.fullmatch(value):
            return OTHER
        self._seen.add(value)
        return value


class NodeMetrics:
    """What a node counts. Cheap (a few microseconds) and usable from any thread."""

    def __init__(self, region: str, version: str) -> None:
        self.registry = CollectorRegistry()
        self._plain = _Labels().plain
        own = self.registry
        info = Gauge(
            "tongban_node", "Always 1; says which node this is.", ["region", "version"], registry=own
        )
        info.labels(region, version).set(1)
        self._filings = Counter("tongban_filings", "Filings answered.", ["mode", "outcome"], registry=own)
        self._acts = Counter(
            "tongban_acts", "Commands decided, filing apart.", ["verb", "outcome"], registry=own
        )
        self._inbox = Counter("tongban_inbox_messages", "Messages read.", ["outcome"], registry=own)
        self._sent = Counter(
            "tongban_outbox_sent", "Messages the bus has taken.", ["to_region"], registry=own
        )
        self._lights = Counter("tongban_light_changes", "Lights that changed.", ["light"], registry=own)
        self._bus_errors = Counter("tongban_bus_errors", "Bus calls that failed.", ["error"], registry=own)
        self._waiting = Gauge("tongban_outbox_waiting", "Messages waiting to be sent.", registry=own)
        self._oldest = Gauge("tongban_outbox_oldest_seconds", "Age of the oldest of them.", registry=own)
        self._lag = Gauge("tongban_inbox_lag", "Messages not yet read.", registry=own)
        self._parked = Gauge("tongban_parked_cases", "Cases that wait for an operator.", registry=own)
        self._dead = Gauge("tongban_dead_letters", "Dead letters not dealt with.", registry=own)
        self._batch = Histogram(
            "tongban_writer_batch_commands", "Commands in one commit.", buckets=_SIZES, registry=own
        )
        self._commit = Histogram(
            "tongban_writer_commit_seconds", "Time of one commit.", buckets=_SECONDS, registry=own
        )
        self._tasks = Gauge("tongban_tasks", "Tasks of the event loop.", registry=own)
        self._calls = Histogram(
            "tongban_rpc_seconds", "Time of a call.", ["method", "code"], buckets=_SECONDS, registry=own
        )

    def watch_spans(self, telemetry: Telemetry) -> None:
        """Shows the fate of the node's spans too; read when asked for."""
        self.registry.register(_SpanFates(telemetry))

    def watch_tasks(self, loop: asyncio.AbstractEventLoop) -> None:
        """Counts the tasks of that loop; read when asked for, from any thread."""
        self._tasks.set_function(lambda: len(asyncio.all_tasks(loop)))

    def filed(self, mode: str, outcome: str) -> None:
        """A filing was answered. outcome: filed, repeated, or the code of the refusal."""
        self._filings.labels(self._plain(mode), self._plain(outcome)).inc()

    def acted(self, verb: str, outcome: str) -> None:
        """A command was decided. outcome: applied, requested, repeated, or the code of the refusal."""
        self._acts.labels(self._plain(verb), self._plain(outcome)).inc()

    def received(self, outcome: str) -> None:
        """A message was read. outcome: applied, duplicate, held, parked, refused, fork."""
        self._inbox.labels(self._plain(outcome)).inc()

    def sent(self, to_region: str, count: int = 1) -> None:
        """The bus has taken messages for a region."""
        self._sent.labels(self._plain(to_region)).inc(count)

    def light_changed(self, light: str) -> None:
        """A case's light changed to this one."""
        self._lights.labels(self._plain(light)).inc()

    def bus_failed(self, error: BaseException) -> None:
        """A call of the bus failed."""
        self._bus_errors.labels(self._plain(type(error).__name__)).inc()

    def outbox(self, waiting: int, oldest_s: float) -> None:
        """How many messages wait to be sent, and the age of the oldest in seconds (0: none)."""
        self._waiting.set(waiting)
        self._oldest.set(oldest_s)

    def inbox_lag(self, messages: int) -> None:
        """How far the inbox is behind."""
        self._lag.set(messages)

    def parked(self, cases: int, dead_letters: int) -> None:
        """What waits for an operator."""
        self._parked.set(cases)
        self._dead.set(dead_letters)

    def committed(self, commands: int, took_s: float) -> None:
        """The writer committed a group."""
        self._batch.observe(commands)
        self._commit.observe(took_s)

    def called(self, method: str, code: str, took_s: float) -> None:
        """A call was answered. method: Service/Method; code: gRPC's name of the status."""
        self._calls.labels(self._plain(method), self._plain(code)).observe(took_s)


class _SpanFates(Collector):
    """Reads the counts of a node's telemetry whenever it is scraped."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry

    @override
    def collect(self) -> Iterator[Metric]:
        kept, sent = self._telemetry.span_counts, self._telemetry.otlp_counts
        spans = CounterMetricFamily("tongban_spans", "What became of spans.", labels=["fate"])
        for fate, count in (
            ("kept", kept.kept),
            ("dropped", kept.dropped),
            ("exported", sent.exported),
            ("export_dropped", sent.dropped),
        ):
            spans.add_metric([fate], count)
        yield spans
        yield CounterMetricFamily(
            "tongban_span_attributes_dropped", "Attributes not permitted.", value=kept.attributes_dropped
        )
        yield CounterMetricFamily(
            "tongban_span_sink_errors", "Spans that could not be stored yet.", value=kept.sink_errors
        )
        yield GaugeMetricFamily(
            "tongban_spans_waiting", "Spans not stored yet.", value=self._telemetry.spans_waiting
        )


class MetricsPortTaken(OSError):
    """The metrics port cannot be had; `field` names the setting."""

    def __init__(self, port: int) -> None:
        super().__init__(
            f"metrics_port: port {port} on loopback cannot be had; choose another one, or 0 for none"
        )
        self.field = "metrics_port"


class MetricsServer:
    """GET http://127.0.0.1:port/metrics. Not started unless somebody makes one. `port` says which it is."""

    def __init__(self, metrics: NodeMetrics, port: int = 0) -> None:
        """Listens on loopback in a thread of its own; port 0: any free one. Raises MetricsPortTaken."""
        try:
            self._server, self._thread = start_http_server(port, "127.0.0.1", metrics.registry)
        except OSError as error:
            raise MetricsPortTaken(port) from error
        self.port: int = self._server.server_port
        self._stopped = False

    async def stop(self) -> None:
        """Closes the port and ends the thread. Again: nothing."""
        if not self._stopped:
            self._stopped = True
            await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
