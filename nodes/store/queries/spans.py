"""Finished spans, kept with the cases they tell of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import bindparam, delete, exists, select

from nodes.store.dialect import among, texts
from nodes.store.rows import SpanRow
from nodes.store.session import Session, batch_of, build, columns_of, keys_of, table

SPAN = table("span")
CASE = table("case_row")
_COLUMNS = [SPAN.c[name] for name in columns_of(SpanRow)]
_OF_CASES = (
    select(*_COLUMNS)
    .where(among(SPAN.c.case_number, texts("numbers")))
    .order_by(SPAN.c.start_ns, SPAN.c.span_id)
)
_OF_TRACE = (
    select(*_COLUMNS).where(SPAN.c.trace_id == bindparam("trace")).order_by(SPAN.c.start_ns, SPAN.c.span_id)
)
_KNOWN = select(SPAN.c.span_id).where(among(SPAN.c.span_id, texts("ids")))
_LATER = SPAN.alias("later")
_MEMBER = SPAN.alias("member")
_OLD = (
    select(SPAN.c.trace_id)
    .where(
        SPAN.c.start_ns < bindparam("before"),
        ~exists().where(_LATER.c.trace_id == SPAN.c.trace_id, _LATER.c.start_ns >= bindparam("before")),
        ~exists().where(
            _MEMBER.c.trace_id == SPAN.c.trace_id, _MEMBER.c.case_number == CASE.c.number, CASE.c.open
        ),
    )
    .order_by(SPAN.c.start_ns)
    .limit(bindparam("most"))
)
_TRIM = delete(SPAN).where(among(SPAN.c.trace_id, texts("traces")))


class SpanReads(Session):
    """Spans, read."""

    async def spans_of_case(self, number: str) -> list[SpanRow]:
        """The spans of one case on this node, by their start."""
        return await self.spans_of_cases([number])

    async def spans_of_cases(self, numbers: Iterable[str]) -> list[SpanRow]:
        """The spans of several cases, such as a lead and its parts, by their start."""
        return build(SpanRow, await self._link.fetch(_OF_CASES, {"numbers": keys_of("span", numbers)}))

    async def spans_of_trace(self, trace_id: str) -> list[SpanRow]:
        """The spans of one trace on this node, by their start."""
        return build(SpanRow, await self._link.fetch(_OF_TRACE, {"trace": trace_id}))

    async def known_spans(self, span_ids: Iterable[str]) -> set[str]:
        """Which of these spans are stored: the others died with their process."""
        return {found for (found,) in await self._link.fetch(_KNOWN, {"ids": keys_of("span", span_ids)})}


class SpanWrites(SpanReads):
    """Spans, written."""

    async def insert_spans(self, spans: Sequence[SpanRow]) -> None:
        """Stores spans; one that is there is left as it is, unless it says `recovered`: then it yields.

        So a hop may be stored while it is under way, with the work it does, and once more when it has ended.
        """
        found: dict[str, SpanRow] = {}
        for span in spans:
            if span.span_id not in found or found[span.span_id].recovered:
                found[span.span_id] = span
        await self._link.insert(batch_of(SPAN, list(found.values())), "mend")

    async def trim_spans(self, *, before_ns: int, limit: int) -> int:
        """Deletes whole traces that began and went on only before that and have no open case, `limit` of
        their spans looked at; how many spans went. A trace is never cut in two."""
        found = {trace for (trace,) in await self._link.fetch(_OLD, {"before": before_ns, "most": limit})}
        return await self._link.run(_TRIM, {"traces": sorted(found)}) if found else 0
