"""What a node tells of itself: the trace of each case, its numbers, its log.

Knows OpenTelemetry, Prometheus, structlog, and the shapes of what may be said. Must not know the store, the
wire contract or any face: a sink for spans is handed in by assembly, and other rooms are given a tracer. No
personal data passes this door outwards (`allowed`, `personal`). The rooms: `node` starts and stops it all;
`casetrace` says where a trace goes on; `recorder` records; `keeper` and `otlp` carry away; `connected` and
`waterfall` read; `logs` and `metrics` beside them.
"""

from nodes.telemetry.casetrace import CaseTrace, foreign_link, new_case_trace
from nodes.telemetry.connected import TraceProblem, check_connected
from nodes.telemetry.hop import HopSpan
from nodes.telemetry.node import Telemetry, start_telemetry
from nodes.telemetry.recorder import HopTracer
from nodes.telemetry.spans import SpanLink, SpanRow

__all__ = [
    "CaseTrace",
    "HopSpan",
    "HopTracer",
    "SpanLink",
    "SpanRow",
    "Telemetry",
    "TraceProblem",
    "check_connected",
    "foreign_link",
    "new_case_trace",
    "start_telemetry",
]
