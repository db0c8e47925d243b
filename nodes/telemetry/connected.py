"""Whether a case's trace hangs together: every parent exists, over all regions.

Knows rows alone. Must not know how they were fetched. Empty answers are the good ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from nodes.telemetry.spans import SpanRow

ProblemKind = Literal[
    "no_spans", "several_traces", "no_root", "several_roots", "parent_missing", "cycle", "conflict"
]


@dataclass(frozen=True, slots=True)
class TraceProblem:
    """One thing that keeps a trace from being connected.

    span_id: the span at fault, "" for the trace as a whole; missing_span_id: the parent that nobody has
    (rebuild it from the stored hop of that id), else "". detail: in words, without personal data.
    """

    kind: ProblemKind
    trace_id: str
    span_id: str
    missing_span_id: str
    detail: str


def unique(spans: Iterable[SpanRow]) -> list[SpanRow]:
    """Each span once, by start, a parent before its children. Where one is there twice, the recovered yields,
    then the one that ended sooner: it was stored while the hop was still under way.
    """
    best: dict[tuple[str, str], SpanRow] = {}
    for span in spans:
        held = best.get(span.key)
        if held is None or (not span.recovered, span.end_ns) > (not held.recovered, held.end_ns):
            best[span.key] = span
    parents = {span.span_id: span.parent_span_id for span in best.values()}
    return sorted(best.values(), key=lambda s: (s.start_ns, _generation(s.span_id, parents), s.span_id))


def _generation(span_id: str, parents: dict[str, str]) -> int:
    """How many ancestors there are; in a cycle, until it closes."""
    seen: set[str] = set()
    at = span_id
    while at in parents and at not in seen:
        seen.add(at)
        at = parents[at]
    return len(seen)


def check_connected(spans: Iterable[SpanRow]) -> list[TraceProblem]:
    """What is wrong with the trace that these spans of one case (and its joint parts) make up; empty:
    connected.

    One trace id; exactly one root; every parent there; no span its own ancestor; no two different spans under
    one id.
    """
    given = list(spans)
    if not given:
        return [TraceProblem("no_spans", "", "", "", "no region has a span of this case")]
    problems: list[TraceProblem] = []
    rows = unique(given)
    ids = {row.span_id for row in rows}
    parents = {row.span_id: row.parent_span_id for row in rows}
    traces = Counter(row.trace_id for row in rows)
    trace_id = traces.most_common(1)[0][0]
    if len(traces) > 1:
        others = ", ".join(sorted(t for t in traces if t != trace_id))
        problems.append(
            TraceProblem("several_traces", trace_id, "", "", f"spans lie in other traces too: {others}")
        )
    roots = [row for row in rows if not row.parent_span_id]
    if not roots:
        problems.append(TraceProblem("no_root", trace_id, "", "", "no span is without a parent"))
    for extra in roots[1:]:
        detail = f"{extra.name} in region {extra.region} is a second root"
        problems.append(TraceProblem("several_roots", extra.trace_id, extra.span_id, "", detail))
    for row in rows:
        if row.parent_span_id and row.parent_span_id not in ids:
            detail = f"{row.name} in region {row.region} hangs under a span that nobody has"
            problems.append(
                TraceProblem("parent_missing", row.trace_id, row.span_id, row.parent_span_id, detail)
            )
    problems += [
        TraceProblem(
            "cycle", row.trace_id, row.span_id, "", f"{row.name} in region {row.region} is its own ancestor"
        )
        for row in rows
        if _is_own_ancestor(row.span_id, parents)
    ]
    problems += _conflicts(given)
    return problems


def _is_own_ancestor(span_id: str, parents: dict[str, str]) -> bool:
    seen: set[str] = set()
    at = parents[span_id]
    while at in parents and at not in seen:
        if at == span_id:
            return True
        seen.add(at)
        at = parents[at]
    return False


def _conflicts(given: list[SpanRow]) -> list[TraceProblem]:
    """Spans of one id that say different things of where they hang or who they are."""
    first: dict[tuple[str, str], SpanRow] = {}
    found = []
    for row in given:
        held = first.setdefault(row.key, row)
        if (held.parent_span_id, held.region, held.name) != (row.parent_span_id, row.region, row.name):
            detail = f"{held.name} and {row.name} have the same id"
            found.append(TraceProblem("conflict", row.trace_id, row.span_id, "", detail))
    return found
