"""One node's configuration: plain values, already checked, as every room below the settings gets them.

Knows names, units and defaults. Must not know where a value came from (settings) or who uses it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from broker.topics import TopicPlan
from nodes.automatic import Registers, silent
from nodes.business_time import BusinessClock
from nodes.operations.retention import DAY_S, Terms

REGIONS: Final = ("31", "32", "33", "34")


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeConfig:
    """What makes one node differ from another: plain values, see docs/settings.md for each."""

    region: str
    listen: str
    database_url: str
    bus_url: str
    materials_dir: Path
    peers: Mapping[str, str] = field(default_factory=dict)
    process: str = "node"
    insecure: bool = False
    clock: BusinessClock = field(default_factory=BusinessClock)
    calendar_dir: Path | None = None
    lanes: int = 16
    lane_lease_s: float = 10.0
    resend_after_s: float = 30.0
    hold_limit: int = 1000
    recovery_s: float = 300.0
    batch_size: int = 200
    queue_limit: int = 5000
    poll_s: float = 0.2
    drain_s: float = 10.0
    rpc_timeout_s: float = 10.0
    max_message_bytes: int = 4 * 1024 * 1024
    max_metadata_bytes: int = 8192
    max_material_bytes: int = 50 * 1024 * 1024
    max_streams: int = 1024
    max_calls: int = 1000
    peer_calls: int = 600
    client_calls: int = 400
    max_open_streams: int = 2000
    peer_streams: int = 600
    peer_rate: float = 10_000.0
    client_rate: float = 5000.0
    patience_s: float = 0.5
    slow_reader_s: float = 60.0
    keepalive_s: float = 30.0
    partitions: int = 6
    replication: int = 1
    min_insync: int = 1
    promised_outage_days: float = 14
    topic_retention_days: float = 30
    trace_retention_days: float = 90
    inbox_retention_days: float = 60
    request_retention_days: float = 90
    dead_retention_days: float = 365
    otlp_endpoint: str = ""
    metrics_port: int = 0
    registers: Registers = silent

    @property
    def topic_plan(self) -> TopicPlan:
        """What the topics of the federation shall be."""
        day_ms = 86_400_000
        return TopicPlan(
            partitions=self.partitions,
            retention_ms=round(self.topic_retention_days * day_ms),
            promised_outage_ms=round(self.promised_outage_days * day_ms),
            replication=self.replication,
            min_insync=self.min_insync,
        )

    @property
    def terms(self) -> Terms:
        """How long the node keeps what it need not keep for ever."""
        return Terms(
            seen_s=self.inbox_retention_days * DAY_S,
            answers_s=self.request_retention_days * DAY_S,
            spans_s=self.trace_retention_days * DAY_S,
            letters_s=self.dead_retention_days * DAY_S,
        )
