"""I12: one connected trace a case, its joint parts included, over all regions and restarts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from tests.fault.checker.facts import Span, World
from tests.fault.checker.facts import Violation as Found
from tests.fault.checker.names import violation
from tests.fault.checker.restored import hops_gone, roots_gone


def traced(world: World) -> Iterator[Found]:
    """untraced_case, second_trace, orphan_span, rootless_trace."""
    by_case: dict[str, list[Span]] = defaultdict(list)
    by_trace: dict[str, dict[str, Span]] = defaultdict(dict)
    for region in world.regions.values():
        for span in region.spans:
            if span.case_number:
                by_case[span.case_number].append(span)
                by_trace[span.trace_id][span.span_id] = span
    for number in world.numbers():
        rows = {r.cases[number].trace_id for r in world.regions.values() if number in r.cases}
        traces = {span.trace_id for span in by_case[number]}
        if not traces:
            yield violation("untraced_case", number, "", "no span names it")
        elif len(traces | rows) > 1:
            yield violation("second_trace", number, "", f"it is in {', '.join(sorted(traces | rows))}")
    gone, rootless = hops_gone(world), roots_gone(world)
    for trace_id, spans in by_trace.items():
        yield from _connected(trace_id, spans, gone, rootless)


def _connected(
    trace_id: str, spans: dict[str, Span], gone: frozenset[str], rootless: frozenset[str]
) -> Iterator[Found]:
    """`gone`: spans that need not be there, `rootless`: cases that need no root."""
    some = min(spans.values(), key=lambda s: s.case_number)
    roots = [span for span in spans.values() if not span.parent_span_id]
    may_lack = not roots and any(span.case_number in rootless for span in spans.values())
    if len(roots) != 1 and not may_lack:
        said = f"trace {trace_id} has {len(roots)} roots among {len(spans)} spans"
        yield violation("rootless_trace", some.case_number, "", said)
    for span in spans.values():
        if span.parent_span_id and span.parent_span_id not in spans and span.parent_span_id not in gone:
            said = f"{span.name} {span.span_id} hangs under {span.parent_span_id}, which nobody has"
            yield violation("orphan_span", span.case_number, span.region, said)
