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

from broker.bus import BusClosed, BusError, EventBus, Message, MessageRefused
from broker.envelope import EnvelopeError
from broker.topics import dead, inbox
from nodes import failpoints
from nodes.codec.carry import CarryError, carry
from nodes.codec.errors import CodecError
from nodes.desk.context import Context
from nodes.desk.overdue import queue_overdue
from nodes.desk.owed import content_of, dead_copy, events_owed, is_whole
from nodes.spans import rows_for_store
from nodes.store.errors import LeaseLost, StoreError
from nodes.store.rows import EventRow, Lease, OutboxRow
from nodes.store.store import ReadTx, Store
from nodes.telemetry.casetrace import CaseTrace
from nodes.telemetry.hop import HopSpan
from nodes.telemetry.recorder import HopTracer
from nodes.waking import woken

PER_LANE: Final = 64
GATHER_S: Final = (0.005, 0.025)
"""How long rows gather before they are sent: the first after a quiet time, and those of a busy one. A round
costs much more than a row, here, on the bus and where it is taken in.
"""
BUSY_S: Final = 0.25
"""A round that sent something so short a time ago makes it a busy one."""
MAX_PAUSE_S: Final = 5.0
LAST_WORD_S: Final = 1.0
"""How long a node that stops in good order may go on sending."""
log = structlog.get_logger("tongban.outbox")

Sending = tuple[OutboxRow, HopSpan, Sequence[Message]]
"""A row, its hop, and the messages that it makes."""
Made = dict[int | None, list[Message] | None]
"""The messages of rows by the row's id; None for one of which none can be made."""


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
        self._look_at = 0.0
        self._began_wall_s = context.wall_s()
        self._incarnation = incarnation
        self._stuck: dict[int, str] = {}
        """Rows that nothing can be made of, or no bus would take, and why; until the next start."""
        self._away: dict[str, str] = {}
        self._away_until: dict[str, float] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self.problem = ""
        """Why nothing is being sent now, "" when all is well."""
        self.sent = 0
        self._sent_at = 0.0

    def renumber(self, incarnation: int) -> None:
        """From now on messages have ids of that incarnation."""
        self._incarnation = incarnation

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
        """Sends what waits, as far as the bus takes it within LAST_WORD_S; the rest waits for the next start.
        Gives the lanes up.
        """
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task
        if self._tasks:
            with suppress(BusError, StoreError, TimeoutError):
                async with asyncio.timeout(LAST_WORD_S):
                    await self._send_the_rest()
        with suppress(StoreError):
            for lease, _ in self._held.values():
                async with self._store.write() as unit:
                    await unit.release_lease(lease)

    async def _run(self) -> None:
        tries = 0
        while True:
            if await woken(self._wake, self._poll_s):
                await asyncio.sleep(GATHER_S[time.monotonic() - self._sent_at < BUSY_S])
            self._wake.clear()
            try:
                lanes = await self._lanes()
                while await self._send_once(lanes):
                    lanes = await self._lanes()
                self.problem, tries = "; ".join([*self._away.values(), *self._stuck.values()]), 0
            except Exception as error:  # whatever it is, the sending must not end for ever
                if isinstance(error, LeaseLost):
                    self._held.clear()
                    self._look_at = 0.0
                if not isinstance(error, (BusError, StoreError)):
                    log.exception("sending failed")
                self.problem = str(error) or type(error).__name__
                tries += 1
                await asyncio.sleep(min(MAX_PAUSE_S, 0.05 * 2 ** min(tries, 10)))
                self._wake.set()

    async def _send_the_rest(self) -> None:
        sent = -1
        while sent != self.sent:
            sent = self.sent
            await self._send_once(await self._lanes())

    async def _lanes(self) -> list[int]:
        """The lanes held. Leases are renewed when a third of their time is left on our own clock; those of
        others are looked for now and then, not after every commit.
        """
        now = time.monotonic()
        looking = now >= self._look_at
        wanted = [
            f"lane-{lane}"
            for lane in range(self._context.lanes)
            if (self._held[lane][1] - now < self._lease_s / 3 if lane in self._held else looking)
        ]
        if not wanted:
            return sorted(self._held)
        self._look_at = now + self._poll_s
        async with self._store.write() as unit:
            taken = await unit.take_leases(wanted, self._context.process, self._lease_s)
        for name in wanted:
            lane = int(name.removeprefix("lane-"))
            if (lease := taken.get(name)) is None:
                self._held.pop(lane, None)
            else:
                self._held[lane] = (lease, now + self._lease_s)
        return sorted(self._held)

    async def _send_once(self, lanes: Sequence[int]) -> bool:
        """One round over all lanes; whether more may wait already. What is written meanwhile wakes us."""
        if not lanes:
            return False
        rows, made = await self._read(lanes)
        now = time.monotonic()
        live = [
            (row, m)
            for row in rows
            if (m := made.get(row.id)) is not None and self._held.get(row.lane, (None, 0.0))[1] > now
        ]
        if not live:
            return False
        failpoints.hit("relay.before_produce")
        # A publish that fails ends no span: who sends the row in the end records its hop, under the same id.
        sending = await self._publish(
            [(row, *self._span(row, messages)) for row, messages in live if messages]
        )
        failpoints.hit("relay.after_produce")
        done = [row.id for row, messages in live if not messages] + [row.id for row, _, _ in sending]
        spans = [span for _, span, _ in sending if span.case_number]
        stored = [span.row()[0] for span in spans]
        tails = [(r.destination, r.case_number, r.to_version) for r, _, _ in sending if r.to_version]
        async with self._store.write(durable=False) as unit:
            # Not durable on purpose: a mark that is lost sends a message again, and the receiver drops it.
            await unit.mark_sent(done, [self._held[lane][0] for lane in {r.lane for r, _ in live}])
            if tails:
                await unit.note_sent(tails, wall_s=self._context.wall_s())
            if stored:
                await unit.insert_spans(rows_for_store(stored))
        failpoints.hit("relay.after_mark")
        for span, row in zip(spans, stored, strict=True):
            span.kept = True
            span.end(row.end_ns)
        self.sent += len(sending)
        self._sent_at = time.monotonic()
        return bool(done) and len(rows) >= PER_LANE

    async def _read(self, lanes: Sequence[int]) -> tuple[Sequence[OutboxRow], Made]:
        """What waits, in order, and the messages of each row by its id.

        Rows and their events need not be of one moment: events stay as they are, and should a snapshot have
        taken their place, they are missing. What is made of more than that is read as of one moment.
        """
        async with self._store.read(snapshot=False) as unit:
            rows = await unit.outbox_ready(
                lanes, limit=PER_LANE, skip_ids=self._stuck, skip_destinations=self._still_away()
            )
            owed = await events_owed(unit, rows)
            whole = [row for row in rows if is_whole(row, owed.get(row.id, ()))]
            made: Made = {row.id: await self._made(unit, row, owed.get(row.id, ())) for row in whole}
        if len(made) < len(rows):
            others = [row for row in rows if row.id not in made]
            async with self._store.read() as unit:
                owed = await events_owed(unit, others)
                for row in others:
                    made[row.id] = await self._made(unit, row, owed.get(row.id, ()))
        return rows, made

    async def _publish(self, sending: Sequence[Sending]) -> Sequence[Sending]:
        """What the bus has taken. A destination that cannot be reached keeps no other waiting; raises
        BusError when none can.
        """
        if not sending:
            return ()
        try:
            await self._bus.publish([m for _, _, messages in sending for m in messages])
            return sending
        except BusClosed:
            raise
        except BusError as error:
            groups: dict[str, list[Sending]] = {}
            for item in sending:
                groups.setdefault(item[0].destination, []).append(item)
            if len(groups) == 1 and not isinstance(error, MessageRefused):
                raise
        found = await asyncio.gather(*(self._publish_group(group) for group in groups.values()))
        failed = {name: e for name, (_, e) in zip(groups, found, strict=True) if e is not None}
        if len(failed) == len(groups):
            raise next(iter(failed.values()))
        for name, away in failed.items():
            self._away[name] = f"{name} is not reached: {away}"
            self._away_until[name] = time.monotonic() + MAX_PAUSE_S
        return [item for taken, _ in found for item in taken]

    async def _publish_group(self, group: Sequence[Sending]) -> tuple[Sequence[Sending], BusError | None]:
        """What of one destination the bus has taken, and why it took no more. What no broker would ever take
        is left out, and stays for an operator to see.
        """
        try:
            await self._bus.publish([m for _, _, messages in group for m in messages])
        except MessageRefused as error:
            if len(group) == 1:
                (row, _, _) = group[0]
                self._note_stuck(row, error)
                return (), None
            half = len(group) // 2
            first, why = await self._publish_group(group[:half])
            if why is not None:
                return first, why
            second, why = await self._publish_group(group[half:])
            return [*first, *second], why
        except BusError as error:
            return (), error
        return group, None

    def _still_away(self) -> list[str]:
        """Destinations that did not answer a moment ago; they are tried again after a time."""
        now = time.monotonic()
        for name in [name for name, until in self._away_until.items() if until <= now]:
            del self._away_until[name], self._away[name]
        return sorted(self._away)

    def _note_stuck(self, row: OutboxRow, error: Exception) -> None:
        self._stuck[row.id] = f"a row of the outbox cannot be sent: {error}"
        log.error("a row of the outbox cannot be sent", error=str(error), case_number=row.case_number)

    async def _made(self, unit: ReadTx, row: OutboxRow, events: Sequence[EventRow]) -> list[Message] | None:
        """The messages of a row; [] when there is nothing to say any longer, None when it cannot be made: the
        row stays for an operator to see.
        """
        try:
            if row.kind == "dead":
                return await dead_copy(unit, row.ref, dead(row.destination))
            return await self._messages(unit, row, events)
        except (CarryError, EnvelopeError, CodecError) as error:
            self._note_stuck(row, error)
            return None

    async def _messages(self, unit: ReadTx, row: OutboxRow, events: Sequence[EventRow]) -> list[Message]:
        message_id = f"{self._context.region}-{self._incarnation}-{row.id}"
        return [
            carry(
                data, kind=kind, topic=inbox(row.destination), subject=row.case_number,
                source=self._context.region, message_id=f"{message_id}-{n}" if n else message_id,
                wall_s=row.created_wall_s, traceparent=row.traceparent.partition("/")[0] or None,
            )
            for n, (kind, data) in enumerate(await content_of(unit, row, events))
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
                async with self._store.write() as unit:
                    found = await queue_overdue(unit, self._context)
                if found:
                    self.wake()
            except StoreError as error:
                log.warning("cannot look for lost tails", error=str(error))
            except Exception:  # whatever it is, lost tails must go on being looked for
                log.exception("cannot look for lost tails")
