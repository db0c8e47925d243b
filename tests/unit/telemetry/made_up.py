"""A made-up trace over three regions: filed in Jiangsu, decided in Shanghai, a part in Zhejiang, over two
days.
"""

from __future__ import annotations

from nodes.telemetry import SpanLink, SpanRow
from nodes.telemetry.spans import AttributeValue, Kind, Status

CASE = "3205002026093000010000123K"
PART = "3301002026093000010000007A"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
MS = 1_000_000
START = 1_790_730_000_000 * MS
"""2026-09-30 09:00:00 in Shanghai, nanoseconds."""
DAY = 86_400_000 * MS


def span(
    at: int,
    parent: int,
    region: str,
    name: str,
    kind: Kind,
    start_ms: float,
    took_ms: float,
    case: str = CASE,
    status: Status = "unset",
    recovered: bool = False,
) -> SpanRow:
    """Span number `at` under number `parent` (0: the root), times in milliseconds from START."""
    start = START + int(start_ms * MS)
    attributes: dict[str, AttributeValue] = {"tongban.region": region}
    links = (SpanLink("a" * 32, "b" * 16, "caller"),) if at == 1 else ()
    return SpanRow(
        TRACE, f"{at:016x}", f"{parent:016x}" if parent else "", case, name, kind,
        start, start + int(took_ms * MS), status, attributes, links, recovered, region,
    )  # fmt: skip


def three_regions() -> list[SpanRow]:
    """Twelve hops; the officer acts the next day, and one send was rebuilt after a restart."""
    day = DAY / MS
    return [
        span(1, 0, "32", "tongban.v1.CaseService/File", "server", 0, 14),
        span(2, 1, "32", "file", "internal", 2, 9.5),
        span(3, 2, "32", "send tongban.inbox.31", "producer", 12, 3.2),
        span(4, 2, "32", "send tongban.inbox.33", "producer", 12.5, 3.0, recovered=True),
        span(5, 3, "31", "process tongban.inbox.31", "consumer", 21, 6),
        span(6, 4, "33", "process tongban.inbox.33", "consumer", 2_517, 5, case=PART),
        span(7, 6, "33", "refuse", "internal", 2_519, 2, case=PART, status="error"),
        span(8, 5, "31", "tongban.v1.CaseService/Act", "server", day, 8),
        span(9, 8, "31", "decide", "internal", day + 1, 6),
        span(10, 9, "31", "send tongban.inbox.32", "producer", day + 7.5, 2.8),
        span(11, 10, "32", "process tongban.inbox.32", "consumer", day + 18, 4),
        span(12, 11, "32", "apply", "internal", day + 19, 2.5),
    ]
