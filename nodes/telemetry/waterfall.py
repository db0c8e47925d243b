"""A case's whole trace laid out: which hop stands under which, how long each took, how long the wire.

Knows rows of all regions and arithmetic on their times. Must not know words, colours or terminals
(`drawing`), nor where the rows came from. Built from spans alone, never from what a case says of itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from nodes.telemetry import axis
from nodes.telemetry.axis import Axis, Interval
from nodes.telemetry.connected import TraceProblem, check_connected, unique
from nodes.telemetry.spans import SpanRow


@dataclass(frozen=True, slots=True)
class HopBar:
    """One hop in the waterfall.

    depth: how many hops enclose it in time and parentage; self_ns: its time without that of hops within it;
    wire_ns: from the end of the sender's hop to the start of this one, for what came by message from a hop
    that is there, else None; wire_from: that sender's region. Clocks that disagree give a wire of 0.
    """

    span: SpanRow
    depth: int
    self_ns: int
    wire_ns: int | None
    wire_from: str


@dataclass(frozen=True, slots=True)
class Pause:
    """A time in which no hop was under way. on_wire: a message was on its way; else somebody or a clock was
    waited for. before: index of the hop that ends it.
    """

    start_ns: int
    end_ns: int
    on_wire: bool
    before: int


@dataclass(frozen=True, slots=True)
class Waterfall:
    """A trace laid out, hops in order of start. elapsed = hops + wire + waiting, nanoseconds; `hops_ns` and
    `wire_ns` count a moment once however many hops share it. cases: the case numbers in it, parts included.
    """

    trace_id: str
    cases: tuple[str, ...]
    regions: tuple[str, ...]
    bars: tuple[HopBar, ...]
    pauses: tuple[Pause, ...]
    axis: Axis
    start_ns: int
    end_ns: int
    hops_ns: int
    wire_ns: int
    waiting_ns: int
    problems: tuple[TraceProblem, ...]

    @property
    def elapsed_ns(self) -> int:
        """From the first start to the last end."""
        return self.end_ns - self.start_ns


class NoTrace(LookupError):
    """There is no span to draw."""

    def __init__(self) -> None:
        super().__init__("no region has a span of this case")


def lay_out(spans: Iterable[SpanRow]) -> Waterfall:
    """Lays out the spans of one case and its joint parts, from every region that has any. Raises NoTrace."""
    given = list(spans)
    rows = unique(given)
    if not rows:
        raise NoTrace
    by_id = {row.span_id: row for row in rows}
    within: dict[str, list[Interval]] = {}
    for row in rows:
        if row.parent_span_id in by_id:
            within.setdefault(row.parent_span_id, []).append(_clipped(row, by_id[row.parent_span_id]))
    bars = tuple(_bar(row, by_id, within.get(row.span_id, [])) for row in rows)
    hops = axis.union([(row.start_ns, row.end_ns) for row in rows])
    wires = axis.union([(bar.span.start_ns - bar.wire_ns, bar.span.start_ns) for bar in bars if bar.wire_ns])
    start, end = hops[0][0], hops[-1][1]
    idle = axis.without([(start, end)], hops)
    waiting = axis.length(axis.without(idle, wires))
    return Waterfall(
        trace_id=rows[0].trace_id,
        cases=tuple(dict.fromkeys(row.case_number for row in rows if row.case_number)),
        regions=tuple(dict.fromkeys(row.region for row in rows)),
        bars=bars,
        pauses=_pauses(idle, wires, rows),
        axis=axis.make_axis([(row.start_ns, row.end_ns) for row in rows]),
        start_ns=start,
        end_ns=end,
        hops_ns=axis.length(hops),
        wire_ns=axis.length(idle) - waiting,
        waiting_ns=waiting,
        problems=tuple(check_connected(given)),
    )


def _clipped(child: SpanRow, parent: SpanRow) -> Interval:
    """The part of the child's time that lies within the parent's."""
    start = min(max(child.start_ns, parent.start_ns), parent.end_ns)
    return (start, max(start, min(child.end_ns, parent.end_ns)))


def _bar(row: SpanRow, by_id: dict[str, SpanRow], within: Sequence[Interval]) -> HopBar:
    parent = by_id.get(row.parent_span_id)
    wire_ns, wire_from = None, ""
    if row.kind == "consumer" and parent is not None and parent.kind == "producer":
        wire_ns, wire_from = max(0, row.start_ns - parent.end_ns), parent.region
    return HopBar(
        row, _depth(row, by_id), row.duration_ns - axis.length(axis.union(within)), wire_ns, wire_from
    )


def _depth(row: SpanRow, by_id: dict[str, SpanRow]) -> int:
    """Ancestors that were still under way when this hop began, in the same region."""
    depth, seen = 0, {row.span_id}
    above = by_id.get(row.parent_span_id)
    while above is not None and above.span_id not in seen:
        seen.add(above.span_id)
        depth += above.region == row.region and above.start_ns <= row.start_ns < above.end_ns
        above = by_id.get(above.parent_span_id)
    return depth


def _pauses(
    idle: Sequence[Interval], wires: Sequence[Interval], rows: Sequence[SpanRow]
) -> tuple[Pause, ...]:
    found = []
    for start, end in idle:
        before = next(at for at, row in enumerate(rows) if row.start_ns >= end)
        on_wire = axis.length(axis.without([(start, end)], wires)) * 2 < end - start
        found.append(Pause(start, end, on_wire, before))
    return tuple(found)


def as_json(waterfall: Waterfall) -> dict[str, Any]:
    """The waterfall as plain values: times in milliseconds from the start, the start as ISO 8601 in UTC."""
    return {
        "trace_id": waterfall.trace_id,
        "cases": list(waterfall.cases),
        "regions": list(waterfall.regions),
        "started_at": datetime.fromtimestamp(waterfall.start_ns / 1e9, UTC).isoformat(),
        "elapsed_ms": _ms(waterfall.elapsed_ns),
        "in_hops_ms": _ms(waterfall.hops_ns),
        "on_wire_ms": _ms(waterfall.wire_ns),
        "waiting_ms": _ms(waterfall.waiting_ns),
        "connected": not waterfall.problems,
        "problems": [
            {"kind": p.kind, "span_id": p.span_id, "missing_span_id": p.missing_span_id, "detail": p.detail}
            for p in waterfall.problems
        ],
        "hops": [_hop_json(bar, waterfall.start_ns) for bar in waterfall.bars],
    }


def _hop_json(bar: HopBar, origin_ns: int) -> dict[str, Any]:
    span = bar.span
    return {
        "span_id": span.span_id,
        "parent_span_id": span.parent_span_id,
        "case_number": span.case_number,
        "region": span.region,
        "name": span.name,
        "kind": span.kind,
        "start_ms": _ms(span.start_ns - origin_ns),
        "took_ms": _ms(span.duration_ns),
        "self_ms": _ms(bar.self_ns),
        "wire_ms": None if bar.wire_ns is None else _ms(bar.wire_ns),
        "wire_from": bar.wire_from,
        "depth": bar.depth,
        "status": span.status,
        "recovered": span.recovered,
        "attributes": dict(span.attributes),
        "links": [{"trace_id": k.trace_id, "span_id": k.span_id, "kind": k.kind} for k in span.links],
    }


def _ms(time_ns: int) -> float:
    return round(time_ns / 1e6, 3)
