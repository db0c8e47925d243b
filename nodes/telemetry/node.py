"""One node's telemetry: its tracer, the keeping of its spans, its collector if it has one.

Knows how these are put together and stopped, and loads the exporter only for a node that has a collector.
Must not know the store or the settings: assembly hands in a sink and plain values. Nothing here is global to
the process, for tests run several nodes in one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from opentelemetry import trace as api
from opentelemetry.util.types import Attributes
from typing_extensions import override

from nodes.telemetry.keeper import OtlpCounts, SpanCounts, SpanKeeper, SpanSink
from nodes.telemetry.logs import node_log
from nodes.telemetry.recorder import HopTracer
from nodes.telemetry.spans import SpanRow

if TYPE_CHECKING:
    from nodes.telemetry.otlp import OtlpExport

STOP_WITHIN_S: Final = 5.0
"""What a stop may take at most, whatever sink and collector do."""
_STORE_WITHIN_S: Final = 2.0
_SEND_WITHIN_S: Final = 2.0


class BadTelemetry(ValueError):
    """A value that telemetry cannot be started with; `field` names it."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field


class Telemetry(api.TracerProvider):
    """What a node traces with. `tracer` serves our own rooms; as a provider it serves anything that speaks
    OpenTelemetry. Made by `start_telemetry`.
    """

    def __init__(self, region: str, keeper: SpanKeeper, otlp: OtlpExport | None) -> None:
        self.region = region
        self.tracer = HopTracer(region, keeper.offer)
        self._keeper = keeper
        self._otlp = otlp
        self._stopped = False

    @override
    def get_tracer(
        self,
        instrumenting_module_name: str,
        instrumenting_library_version: str | None = None,
        schema_url: str | None = None,
        attributes: Attributes = None,
    ) -> HopTracer:
        """The node's one tracer, whoever asks."""
        return self.tracer

    @property
    def span_counts(self) -> SpanCounts:
        """What became of the spans on their way into the node's own database."""
        return self._keeper.counts

    @property
    def otlp_counts(self) -> OtlpCounts:
        """What became of them on their way to the collector; zeros without one."""
        return OtlpCounts() if self._otlp is None else self._otlp.counts

    @property
    def spans_waiting(self) -> int:
        """Ended spans that are not stored yet."""
        return self._keeper.waiting

    async def flush(self) -> bool:
        """Stores every span that has ended; False when the sink failed (they stay queued)."""
        return await self._keeper.flush()

    async def stop(self) -> None:
        """Stores and sends what is left, within STOP_WITHIN_S in all. Again: nothing."""
        if self._stopped:
            return
        self._stopped = True
        await self._keeper.close(_STORE_WITHIN_S)
        if self._otlp is not None:
            await asyncio.to_thread(self._otlp.stop, _SEND_WITHIN_S)


def start_telemetry(
    region: str,
    service_version: str,
    sink: SpanSink,
    *,
    otlp_endpoint: str | None = None,
    otlp_sample_ratio: float = 1.0,
    otlp_timeout_s: float = 2.0,
    capacity: int = 50_000,
    batch: int = 500,
    interval_s: float = 0.25,
) -> Telemetry:
    """Starts a node's telemetry in the running event loop.

    region: short code. sink: stores rows in the node's own database. otlp_endpoint: http(s)://host:port of a
    collector, None for none; otlp_sample_ratio: share of traces it gets, 0 to 1 (the node keeps all);
    capacity: spans held in memory at most; interval_s: how long an ended span may wait. Raises BadTelemetry.
    """
    if not 0.0 <= otlp_sample_ratio <= 1.0:
        raise BadTelemetry("otlp_sample_ratio", f"is {otlp_sample_ratio}, must be from 0 to 1")
    if not 0.0 < otlp_timeout_s <= _SEND_WITHIN_S:
        raise BadTelemetry(
            "otlp_timeout_s", f"is {otlp_timeout_s}, must be above 0 and at most {_SEND_WITHIN_S}"
        )
    for field, value in (("capacity", capacity), ("batch", batch), ("interval_s", interval_s)):
        if value <= 0:
            raise BadTelemetry(field, f"is {value}, must be above 0")
    log = node_log(region, "telemetry")
    otlp = None
    if otlp_endpoint is not None:
        endpoint = _endpoint(otlp_endpoint)
        from nodes.telemetry.otlp import OtlpExport

        otlp = OtlpExport(
            endpoint, region, service_version,
            sample_ratio=otlp_sample_ratio, timeout_s=otlp_timeout_s, log=log,
        )  # fmt: skip
    offer_on = _nowhere if otlp is None else otlp.offer
    keeper = SpanKeeper(sink, offer_on, capacity=capacity, batch=batch, interval_s=interval_s, log=log)
    return Telemetry(region, keeper, otlp)


def _nowhere(rows: Sequence[SpanRow]) -> None:
    """No collector."""


def _endpoint(text: str) -> str:
    try:
        parts = urlsplit(text)
        well_formed = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port is not None
    except ValueError:
        well_formed = False
    if not well_formed:
        raise BadTelemetry("otlp_endpoint", "must be http://host:port or https://host:port")
    return text
