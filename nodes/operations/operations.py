"""The operator's verbs: dead letters shown, tried again and dropped; lanes, health and traces looked up.

Knows the store's reads and the pieces of work of `nodes.desk.repair`; changing calls go through the writer,
with a stored answer a request id, as the verbs on a case do. Must not know status codes or protobuf.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from opentelemetry import trace

from nodes.cases.case import Case
from nodes.codec.letters import delivery_of
from nodes.desk.arrived import NOWHERE, Arrived
from nodes.desk.hops import SpanHop
from nodes.desk.repair import Drop, Replay
from nodes.desk.work import Answer
from nodes.desk.writer import Writer
from nodes.inbox import open_delivery
from nodes.operations.health import Health
from nodes.operations.traces import Traces
from nodes.operations.views import HealthView, LaneView, LetterPage, TraceView
from nodes.store.rows import Claim, ParkedRow
from nodes.store.store import Store
from nodes.telemetry.spans import SpanRow

_CURSOR: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
LANE: Final = "lane-"
"""What the names of the lanes' leases begin with."""


class Operations:
    """One node's operator's desk."""

    def __init__(self, store: Store, writer: Writer, health: Health, traces: Traces) -> None:
        self._store, self._writer, self._health, self._traces = store, writer, health, traces
        self._context = writer.context

    async def letters(self, *, limit: int, cursor: str, settled: bool) -> LetterPage:
        """Parked messages, newest first; with `settled` also those replayed or dropped.

        `cursor`: of the page before, "" for the first. Raises ValueError for one that was never given.
        """
        if cursor and _CURSOR.fullmatch(cursor) is None:
            raise ValueError("cursor: none that was given here")
        async with self._store.read(aside=True) as unit:
            found = await unit.letters(before=cursor, limit=limit + 1, with_settled=settled)
        page = tuple(found[:limit])
        return LetterPage(page, page[-1].id if len(found) > limit else "")

    async def letter(self, letter_id: str) -> ParkedRow | None:
        """One message, whatever became of it; None when there is none of that id."""
        if _CURSOR.fullmatch(letter_id) is None:
            return None
        async with self._store.read() as unit:
            return (await unit.load_letters([letter_id])).get(letter_id)

    async def replay(self, letter_id: str, *, operator: str, request_id: str, fingerprint: bytes) -> Answer:
        """Try it again: bytes of ReplayDeadResponse, or of ErrorDetail (NO_SUCH_LETTER, LETTER_SETTLED).

        One that fails again stays parked, and the answer says why. Raises DeskError.
        """
        work = Replay(
            letter_id=letter_id, message=await self._opened(letter_id), by=operator,
            claim=_claim(operator, request_id, fingerprint), hop=SpanHop(trace.get_current_span()),
        )  # fmt: skip
        return await self._writer.submit(work)

    async def drop(
        self, letter_id: str, *, reason: str, operator: str, request_id: str, fingerprint: bytes
    ) -> Answer:
        """Give it up: bytes of DropDeadResponse, or of ErrorDetail (as `replay`, and REASON_MISSING).

        A case that waits for it goes on waiting, for its owner's snapshot. Raises DeskError.
        """
        work = Drop(
            letter_id=letter_id, message=await self._opened(letter_id), by=operator, reason=reason,
            claim=_claim(operator, request_id, fingerprint), hop=SpanHop(trace.get_current_span()),
        )  # fmt: skip
        return await self._writer.submit(work)

    async def _opened(self, letter_id: str) -> Arrived:
        """The letter's message, read as the inbox would read it now; of no letter, nothing."""
        letter = await self.letter(letter_id)
        if letter is None:
            return Arrived("", "", None, NOWHERE, "NO_SUCH_LETTER")
        delivery = delivery_of(
            letter.topic, letter.partition, letter.log_offset, letter.headers, letter.value
        )
        return open_delivery(delivery, self._context.region)

    async def lanes(self) -> Sequence[LaneView]:
        """Every lane of the relay, by number: who holds it, and what waits in it."""
        async with self._store.read(aside=True) as unit:
            waiting = await unit.lane_counts()
            leases = {lease.name: lease for lease in await unit.leases_held()}
        wall = self._context.wall_s()
        found = []
        for lane in sorted({*range(self._context.lanes), *waiting}):
            count, oldest = waiting.get(lane, (0, wall))
            lease = leases.get(f"{LANE}{lane}")
            holder, epoch = (lease.holder, lease.epoch) if lease is not None else ("", 0)
            found.append(LaneView(lane, holder, epoch, count, max(0.0, wall - oldest)))
        return found

    async def health(self) -> HealthView:
        """How the node is now. Never raises for a part that is down: it says so."""
        return await self._health.look()

    async def trace(self, case_number: str) -> TraceView:
        """The trace of a case over all its regions, joint parts included. Raises StoreError."""
        return await self._traces.whole(case_number)

    async def slice(self, case_number: str, shown: Callable[[Case], bool]) -> Sequence[SpanRow]:
        """The spans of a case that this region keeps itself; of a part also its lead's, under which it hangs;
        of a lead those of the parts that may be shown.

        Raises StoreError.
        """
        return await self._traces.own(case_number, shown=shown)


def _claim(operator: str, request_id: str, fingerprint: bytes) -> Claim:
    """Request ids of each operator are a world of their own."""
    return Claim(f"operator/{operator}", request_id, fingerprint)
