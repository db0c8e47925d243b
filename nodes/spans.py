"""Between telemetry's spans and the store's rows: attributes and links as JSON text.

Knows both shapes and nothing else; assembly and the faces use it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Final

from nodes.cases.frozen import replace
from nodes.store.rows import SpanRow as StoredSpan
from nodes.telemetry.hop import HopSpan
from nodes.telemetry.spans import SpanLink, SpanRow

_as_json: Final = json.JSONEncoder(ensure_ascii=False).encode  # dumps makes an encoder for each text
NONE: Final = "[]"


def rows_for_store(spans: Iterable[SpanRow]) -> list[StoredSpan]:
    """As they are stored."""
    return [
        StoredSpan(
            span_id=s.span_id,
            trace_id=s.trace_id,
            parent_span_id=s.parent_span_id,
            case_number=s.case_number,
            name=s.name,
            kind=s.kind,
            start_ns=s.start_ns,
            end_ns=s.end_ns,
            status=s.status,
            attributes=_as_json(dict(s.attributes)),
            links=_as_json([[k.trace_id, k.span_id, k.kind] for k in s.links]) if s.links else NONE,
            recovered=s.recovered,
        )
        for s in spans
    ]


def rows_of_hops(spans: Iterable[HopSpan]) -> list[StoredSpan]:
    """Hops as they are stored with the work that they do: one still under way as if it ended now and had to
    be recovered, for should its process die, this row is all that is left of it.
    """
    rows = [span.row()[0] if span.end_ns else replace(span.row()[0], recovered=True) for span in spans]
    return rows_for_store(rows)


def spans_from_store(rows: Iterable[StoredSpan], region: str) -> list[SpanRow]:
    """As they are shown; `region`: whose store it is."""
    return [
        SpanRow(
            trace_id=r.trace_id,
            span_id=r.span_id,
            parent_span_id=r.parent_span_id,
            case_number=r.case_number,
            name=r.name,
            kind=r.kind,  # type: ignore[arg-type]  # what telemetry wrote
            start_ns=r.start_ns,
            end_ns=r.end_ns,
            status=r.status,  # type: ignore[arg-type]  # what telemetry wrote
            attributes=json.loads(r.attributes),
            links=tuple(SpanLink(*link) for link in json.loads(r.links)),
            recovered=r.recovered,
            region=region,
        )
        for r in rows
    ]
