"""A case's trace over all regions that had a part in it.

Knows which regions and which cases belong together: a joint part lives in its lead's trace, and a region that
gave a handover back keeps the hops of it. Must not know how a peer is reached.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Protocol

from nodes.cases.case import Case
from nodes.desk.reader import CaseView, Reader
from nodes.operations.views import TraceView
from nodes.spans import spans_from_store
from nodes.store.store import Store
from nodes.telemetry.connected import unique
from nodes.telemetry.spans import SpanRow


class Peers(Protocol):
    """The other regions' nodes, as far as traces need them."""

    async def trace_slice(self, region: str, case_number: str) -> Sequence[SpanRow]:
        """The spans of the case that `region` keeps. Raises whatever keeps it from answering."""
        ...


async def nothing_to_flush() -> None:
    """For a node whose spans are stored at once."""


class Traces:
    """One node's look at traces. `flush` stores the spans that have ended and are not stored yet."""

    def __init__(
        self, store: Store, reader: Reader, region: str, peers: Peers, *,
        flush: Callable[[], Awaitable[object]] = nothing_to_flush, timeout_s: float = 5.0,
    ) -> None:  # fmt: skip
        self._store, self._reader, self._region, self._peers = store, reader, region, peers
        self._flush, self._timeout_s = flush, timeout_s

    async def own(
        self, case_number: str, *, shown: Callable[[Case], bool] = lambda _: True
    ) -> Sequence[SpanRow]:
        """The spans here: of the case, of the lead it is a part of, of the parts that it leads, as far as
        those may be shown.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(self._timeout_s):
                await self._flush()
        family = await self._family(case_number)
        numbers = {view.row.number for view in family if shown(view.case)} | {case_number}
        async with self._store.read(aside=True) as unit:
            rows = await unit.spans_of_cases(numbers)
        return spans_from_store(rows, self._region)

    async def whole(self, case_number: str) -> TraceView:
        """The spans of all regions, each once; those that do not answer in time are named."""
        asked = sorted(await self._elsewhere(case_number))
        theirs = await asyncio.gather(*(self._ask(region, number) for region, number in asked))
        mine = await self.own(case_number)
        missing = {region for (region, _), found in zip(asked, theirs, strict=True) if found is None}
        spans = [*mine, *(span for found in theirs if found is not None for span in found)]
        return TraceView(tuple(unique(spans)), tuple(sorted(missing)))

    async def _ask(self, region: str, number: str) -> Sequence[SpanRow] | None:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._peers.trace_slice(region, number)
        except Exception:  # noqa: BLE001  # whatever keeps a peer from answering, the others' spans are shown
            return None

    async def _family(self, number: str) -> list[CaseView]:
        """The case, its lead, its parts, as far as this region has them."""
        found = await self._reader.cases([number])
        if number not in found:
            return []
        case = found[number].case
        others = {p.case_number for p in case.parts if p.case_number} | {case.filing.lead} - {""}
        return [found[number], *(await self._reader.cases(sorted(others))).values()]

    async def _elsewhere(self, number: str) -> set[tuple[str, str]]:
        """(region, case number) of what is kept elsewhere: with the parties, and with who was one once."""
        found: set[tuple[str, str]] = set()
        for view in await self._family(number):
            regions = {party.region for party in view.case.parties}
            regions |= {event.author for event in await self._reader.history(view.row.number)}
            found |= {(region, view.row.number) for region in regions - {self._region}}
        return found
