"""From the database to the bus: what is owed to other regions is sent, in order per case, as long as it
takes.

Knows lanes, leases and what an outbox row points to. Must not know what a message means. A row is deleted
when the bus has acknowledged it; a relay that was paused and wakes can only add duplicates, which the
receivers drop.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import structlog
from opentelemetry.trace import SpanKind

from broker.bus import BusError, EventBus, Message
from broker.envelope import EnvelopeError
from broker.topics import dead, inbox
from nodes.codec.carry import CarryError, carry
from nodes.codec.errors import CodecError
from nodes.desk.context import Context
from nodes.desk.holes import ask_again
from nodes.desk.owed import content_of, dead_copy
from nodes.spans import rows_for_store
from nodes.store.errors import StoreError
from nodes.store.rows import CaseRow, Lease, OutboxRow
from nodes.store.store import ReadTx, Store
from nodes.telemetry.casetrace import CaseTrace
from nodes.telemetry.hop import HopSpan
from nodes.telemetry.recorder import HopTracer
from nodes.waking import woken

PER_LANE: Final = 64
RESEND: Final = 200
MAX_PAUSE_S: Final = 5.0
log = structlog.get_logger("tongban.outbox")


class Relay:
    """Sends what waits in the lanes that this process holds."""

    def __init__(
        self, bus: EventBus, store: Store, context: Context, tracer: HopTracer, *, system: str,
        lease_s: float = 10.0, poll_s: float = 1.0, incarnation: int = 1,
    ) -> None:  # fmt: skip
        """`incarnation`: of this region's database, part of each message's id: a database restored
        counts its rows again, and what is sent then is another message.
        """
        self._bus, self._store, self._context, self._tracer = bus, store, context, tracer
        self._system, self._lease_s, self._poll_s = system, lease_s, poll_s
        self._wake = asyncio.Event()
        self._held: dict[int, tuple[Lease, float]] = {}
        self._began_wall_s = context.wall_s()
        self._incarnation = incarnation
        self._stuck = ""
        self._tasks: list[asyncio.Task[None]] = []
        self.problem = ""
        """Why nothing is being sent now, "" when all is well."""
        self.sent = 0

    def wake(self) -> None:
        """Something waits."""
        self._wake.set()

    async def start(self) -> None:
        """Begins, in the running event loop."""
        self._tasks = [
            asyncio.create_task(self._run(), name="relay"),
            asyncio.create_task(self._resend(), name="resend"),
        ]

    async def close(self) -> None:
        """Ends; what was not sent waits for the next start. Gives the lanes up."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task
        with suppress(StoreError):
            for lease, _ in self._held.values():
                async with self._store.write() as unit:
                    await unit.release_lease(lease)

    async def _run(self) -> None:
        tries = 0
        while True:
            await woken(self._wake, self._poll_s)
            try:
                lanes = await self._lanes()
                while await self._send_once(lanes):
                    lanes = await self._lanes()
                self.problem, tries = self._stuck, 0
            except Exception as error:  # whatever it is, the sending must not end for ever
                if not isinstance(error, (BusError, StoreError)):
                    log.exception("sending failed")
                self.problem = str(error) or type(error).__name__
                tries += 1
                await asyncio.sleep(min(MAX_PAUSE_S, 0.05 * 2 ** min(tries, 10)))
                self._wake.set()

    async def _lanes(self) -> list[int]:
        """The lanes held; leases are renewed when a third of their time is left on our own clock."""
        now = time.monotonic()
        wanted = [
            n
            for n in range(self._context.lanes)
            if self._held.get(n, (None, 0.0))[1] - now < self._lease_s / 3
        ]
        if wanted:
            async with self._store.write() as unit:
                for lane in wanted:
                    began = time.monotonic()
                    lease = await unit.take_lease(f"lane-{lane}", self._context.process, self._lease_s)
                    if lease is None:
                        self._held.pop(lane, None)
                    else:
                        self._held[lane] = (lease, began + self._lease_s)
        return sorted(self._held)

    async def _send_once(self, lanes: Sequence[int]) -> bool:
        """One round over all lanes; whether anything was sent."""
        if not lanes:
            return False
        self._stuck = ""
        async with self._store.read() as unit:
            rows = await unit.outbox_ready(lanes, limit=PER_LANE)
            made = [(row, await self._made(unit, row)) for row in rows]
        now = time.monotonic()
        live = [(r, m) for r, m in made if m is not None and self._held.get(r.lane, (None, 0.0))[1] > now]
        if not live:
            return False
        sending = [(row, *self._span(row, messages)) for row, messages in live if messages]
        # A publish that fails ends no span: who sends the row in the end records its hop, under the same id.
        await self._bus.publish([message for _, _, messages in sending for message in messages])
        spans = [span for _, span, _ in sending if span.case_number]
        stored = [span.row()[0] for span in spans]
        tails = [(r.destination, r.case_number, r.to_version) for r, _, _ in sending if r.to_version]
        async with self._store.write(durable=False) as unit:
            # Not durable on purpose: a mark that is lost sends a message again, and the receiver drops it.
            for lane in sorted({r.lane for r, _ in live}):
                await unit.check_lease(self._held[lane][0])
            await unit.delete_outbox([r.id for r, _ in live])
            if tails:
                await unit.note_sent(tails, wall_s=self._context.wall_s())
            if stored:
                await unit.insert_spans(rows_for_store(stored))
        for span, row in zip(spans, stored, strict=True):
            span.kept = True
            span.end(row.end_ns)
        self.sent += len(sending)
        return True

    async def _made(self, unit: ReadTx, row: OutboxRow) -> list[Message] | None:
        """The messages of a row; [] when there is nothing to say any longer, None when it cannot be made: the
        row stays for an operator to see.
        """
        try:
            if row.kind == "dead":
                return await dead_copy(unit, row.ref, dead(row.destination))
            return await self._messages(unit, row)
        except (CarryError, EnvelopeError, CodecError) as error:
            self._stuck = f"a row of the outbox cannot be sent: {error}"
            log.warning(self._stuck, kind=row.kind, case_number=row.case_number)
            return None

    async def _messages(self, unit: ReadTx, row: OutboxRow) -> list[Message]:
        message_id = f"{self._context.region}-{self._incarnation}-{row.id}"
        return [
            carry(
                data, kind=kind, topic=inbox(row.destination), subject=row.case_number,
                source=self._context.region, message_id=f"{message_id}-{n}" if n else message_id,
                wall_s=row.created_wall_s, traceparent=row.traceparent.partition("/")[0] or None,
            )
            for n, (kind, data) in enumerate(await content_of(unit, row))
        ]  # fmt: skip

    def _span(self, row: OutboxRow, messages: Sequence[Message]) -> tuple[HopSpan, Sequence[Message]]:
        """The hop whose id was fixed when the row was written; recovered when another process wrote it."""
        traceparent, _, parent = row.traceparent.partition("/")
        hop = CaseTrace.stored(row.case_number, traceparent, parent) if traceparent else None
        span = self._tracer.start_span(
            f"send {messages[0].topic}",
            context=hop.reserved_context if hop else None,
            kind=SpanKind.PRODUCER,
            attributes={
                "messaging.system": self._system,
                "messaging.operation.name": "send",
                "messaging.operation.type": "send",
                "messaging.destination.name": messages[0].topic,
                "messaging.message.body.size": sum(len(m.value or b"") for m in messages),
            },
        )
        span.recovered = row.created_wall_s < self._began_wall_s
        if hop is None:
            return span, messages
        header = ("traceparent", hop.traceparent.encode())
        return span, [Message(m.topic, m.key, m.value, (*m.headers, header)) for m in messages]

    async def _resend(self) -> None:
        """What was sent and not acknowledged goes out again after a time: a lost tail is noticed."""
        every = max(0.5, self._context.resend_after_s / 4)
        while True:
            await asyncio.sleep(every)
            try:
                if await self._resend_once():
                    self.wake()
            except StoreError as error:
                log.warning("cannot look for lost tails", error=str(error))
            except Exception:  # whatever it is, lost tails must go on being looked for
                log.exception("cannot look for lost tails")

    async def _resend_once(self) -> int:
        """Queue again what is owed: tails that nobody acknowledged, asks without an answer, holes not yet
        filled.
        """
        wall = self._context.wall_s()
        before = wall - self._context.resend_after_s
        async with self._store.write() as unit:
            tails = await unit.unacked_before(before, RESEND)
            asks = await unit.pending_asks(self._context.region, before_wall_s=before, limit=RESEND)
            cases = await unit.load_cases(
                {t.case_number for t in tails} | {a.case_number for a in asks}, lock=True
            )
            rows = [
                self._row(
                    t.destination, cases[t.case_number], "events", wall,
                    from_version=t.acked_version + 1, to_version=t.sent_version,
                )
                for t in tails if t.case_number in cases
            ]  # fmt: skip
            rows += [
                self._row(
                    cases[a.case_number].owner,
                    cases[a.case_number],
                    "ask",
                    wall,
                    ref=a.ask_id,
                    payload=a.command,
                )
                for a in asks
                if a.case_number in cases and cases[a.case_number].owner != self._context.region
            ]
            rows += await ask_again(unit, self._context, before_wall_s=before, limit=RESEND)
            if rows:
                await unit.insert_outbox(rows)
                await unit.note_asks_sent([a.ask_id for a in asks], wall_s=wall)
                await unit.note_sent(
                    [(t.destination, t.case_number, t.sent_version) for t in tails], wall_s=wall
                )
        return len(rows)

    def _row(
        self, destination: str, case: CaseRow, kind: str, wall: float, *, from_version: int = 0,
        to_version: int = 0, ref: str = "", payload: bytes | None = None,
    ) -> OutboxRow:  # fmt: skip
        hop = CaseTrace.stored(case.number, case.trace_parent).reserve()
        return OutboxRow(
            lane=self._context.lane(case.number), destination=destination, case_number=case.number, kind=kind,
            from_version=from_version, to_version=to_version, ref=ref, payload=payload,
            traceparent=f"{hop.traceparent}/{hop.parent_hex}", created_wall_s=wall,
        )  # fmt: skip
