"""From the bus to the desk: what other regions send is opened, handed to the desk, and only then committed.

Knows the subscription, the offsets in this node's own database, and how a message is opened. Must not know
what a message does to a case. The place from which reading goes on is stored in the transaction that applies
the messages; the broker's commit serves the lag alone.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from functools import partial
from itertools import groupby
from typing import Final

import structlog

from broker.bus import (
    BusClosed,
    BusError,
    Delivery,
    EventBus,
    LogPosition,
    MemberFenced,
    NotAssigned,
    Subscription,
    TopicPartition,
    next_offset,
)
from broker.envelope import Envelope, EnvelopeError, open_
from broker.topics import inbox
from broker.traced import MessageTracer
from nodes import failpoints
from nodes.codec.carry import SOURCE, TYPE_PREFIX, CarryError, UnknownKind, read_message
from nodes.codec.letters import headers_text
from nodes.desk.arrivals import Arrivals, Arrived, Raw
from nodes.desk.hops import SpanHop
from nodes.desk.work import DeskError, Rejected
from nodes.desk.writer import Writer
from nodes.store.errors import StoreError
from nodes.store.rows import BusOffset
from nodes.store.store import Store
from nodes.telemetry.hop import HopSpan

MAX_RECORDS: Final = 64
"""Messages of one transaction: a tenth of a second for a filing to wait behind."""
COMMIT_EVERY_S: Final = 0.25
"""The broker is told no more often how far the reading is: the lag that it shows is that much late."""
IDLE_POLL_S: Final = 1.0
LAST_WORD_S: Final = 1.0
MAX_PAUSE_S: Final = 5.0
MAX_AHEAD_MS: Final = 86_400_000
"""How much later than the bus took it a message may say that it was made: clocks differ, but not by a day."""
log = structlog.get_logger("tongban.inbox")


class Inbox:
    """Reads one region's inbox topic for as long as the node runs."""

    def __init__(
        self, bus: EventBus, store: Store, writer: Writer, tracer: MessageTracer, *, process: str
    ) -> None:
        self._bus, self._store, self._writer, self._tracer = bus, store, writer, tracer
        self._region = writer.context.region
        self._topic = inbox(self._region)
        self.group = f"tongban.node.{self._region}"
        self._process = process
        self._task: asyncio.Task[None] | None = None
        self._subscription: Subscription | None = None
        self._applied: dict[tuple[str, int], LogPosition] = {}
        self._committed_at = 0.0
        self.problem = ""
        """Why nothing is being read now, "" when all is well."""

    async def start(self) -> None:
        """Begins, in the running event loop."""
        self._task = asyncio.create_task(self._run(), name=f"inbox-{self._region}")

    async def close(self) -> None:
        """Ends; messages in hand that are not applied yet come again."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        if self._subscription is not None:
            with suppress(BusError, TimeoutError):
                async with asyncio.timeout(LAST_WORD_S):
                    await self._commit()
            await self._subscription.close()

    async def _start_at(self, topic: str, partition: int, incarnation: str) -> int | None:
        """The offset in our own database; an unknown incarnation of the log begins at the earliest."""
        async with self._store.read() as unit:
            stored = await unit.load_offsets(topic)
        known = stored.get(partition)
        place = LogPosition(topic, partition, known.next_offset, known.incarnation) if known else None
        return next_offset(place, incarnation)

    async def _tell_place(self, partitions: frozenset[TopicPartition]) -> None:
        """The bus is told where this reader begins, so that it knows the lag of a group that it forgot."""
        assert self._subscription is not None
        async with self._store.read() as unit:
            stored = await unit.load_offsets(self._topic)
        for _, partition in sorted(partitions):
            if (known := stored.get(partition)) is not None:
                place = LogPosition(self._topic, partition, known.next_offset, known.incarnation)
                with suppress(NotAssigned):  # or of an earlier log, in which it means nothing
                    await self._subscription.commit([place])

    async def _run(self) -> None:
        tries = 0
        while True:
            self._subscription = self._bus.subscribe(
                [self._topic],
                self.group,
                member=self._process,
                start=self._start_at,
                on_assigned=self._tell_place,
            )
            try:
                while True:
                    wait_s = COMMIT_EVERY_S if self._applied else IDLE_POLL_S
                    deliveries = await self._subscription.poll(MAX_RECORDS, timeout_s=wait_s)
                    self.problem, tries = "", 0
                    if deliveries:
                        await self._apply(deliveries)
                    if not deliveries or time.monotonic() - self._committed_at >= COMMIT_EVERY_S:
                        await self._commit()
            except (BusClosed, asyncio.CancelledError):
                return
            except Exception as error:  # whatever it is, the reading must not end for ever
                if not isinstance(error, (BusError, DeskError, StoreError)):
                    log.exception("reading failed", region=self._region)
                if isinstance(error, MemberFenced):
                    log.warning("another process reads under this name", region=self._region)
                self.problem = str(error)
                tries += 1
                with suppress(Exception):
                    await self._subscription.close()
                await asyncio.sleep(pause_s(tries))

    async def _apply(self, deliveries: Sequence[Delivery]) -> None:
        """Each partition's messages are one piece of work; what fails is read again."""
        failpoints.hit("inbox.before_apply")
        by_partition = sorted(deliveries, key=lambda d: (d.message.topic, d.partition, d.offset))
        groups = [list(g) for _, g in groupby(by_partition, key=lambda d: d.topic_partition)]
        with ExitStack() as spans:
            works = [self._work(group, spans) for group in groups]
            done = await asyncio.gather(*(self._submit(work) for work in works), return_exceptions=True)
            for failed in done:
                if isinstance(failed, BaseException):
                    raise failed
        self._applied |= {(g[-1].message.topic, g[-1].partition): g[-1].next_position for g in groups}

    async def _commit(self) -> None:
        """Tell the broker how far the reading is, of the partitions that are still ours."""
        assert self._subscription is not None
        self._committed_at = time.monotonic()
        mine = self._subscription.assigned()
        applied, self._applied = self._applied, {}
        if places := [place for at, place in applied.items() if TopicPartition(*at) in mine]:
            failpoints.hit("inbox.before_offset_commit")
            with suppress(NotAssigned):  # lost meanwhile: whoever has it now tells
                await self._subscription.commit(places)
            failpoints.hit("inbox.after_offset_commit")

    async def _submit(self, work: Arrivals) -> None:
        """Do it; what the database rejects is found by halving, and put aside alone."""
        try:
            await self._writer.submit(work)
        except Rejected as error:
            if len(work.messages) == 1:
                await self._writer.submit(work.put_aside("REJECTED", str(error)))
                return
            for half in work.halves():
                await self._submit(half)

    def _work(self, group: Sequence[Delivery], spans: ExitStack) -> Arrivals:
        last = group[-1].next_position
        messages, hops = [], []
        for delivery in group:
            span = spans.enter_context(self._tracer.processing(delivery, self.group))
            if isinstance(span, HopSpan):
                span.leave_case()  # what a message says of its trace counts once the desk takes it in
            messages.append(open_delivery(delivery, self._region))
            hops.append(SpanHop(span))
        position = BusOffset(last.topic, last.partition, last.incarnation, last.offset)
        return Arrivals(messages=messages, position=position, hops=hops)


def open_delivery(delivery: Delivery, region: str) -> Arrived:
    """What a message to `region` says, or why it cannot be read. Raises nothing."""
    message = delivery.message
    told = partial(headers_text, delivery)
    raw = Raw(message.topic, delivery.partition, delivery.offset, told, message.value or b"")
    try:
        envelope = open_(message)
    except EnvelopeError as error:
        return Arrived("", "", None, raw, "BAD_ENVELOPE", str(error))
    if envelope.time.timestamp() * 1000 - delivery.timestamp_ms > MAX_AHEAD_MS:
        source, subject = _owners_word(envelope, region)
        return Arrived(source, "", None, raw, "BAD_MESSAGE", "ce_time: lies in the future", subject)
    try:
        opened = read_message(envelope, region)
    except UnknownKind as error:
        said = str(error)
        return Arrived(error.source, error.message_id, None, raw, "BAD_MESSAGE", said, refused=error.refused)
    except CarryError as error:
        source, subject = _owners_word(envelope, region)
        return Arrived(source, "", None, raw, "BAD_MESSAGE", str(error), subject)
    hop = dict(message.headers).get("traceparent", b"").decode(errors="replace")
    return Arrived(
        opened.source, opened.message_id, opened.content, raw, subject=opened.subject,
        traceparent=hop or opened.traceparent or "",
    )  # fmt: skip


def _owners_word(envelope: Envelope, region: str) -> tuple[str, str]:
    """Sender and case of a message that claims to be events or a handover, and cannot be read."""
    sender = SOURCE.fullmatch(envelope.source)
    if sender is None or sender.group(1) == region:
        return "", ""
    tied = envelope.type.removeprefix(TYPE_PREFIX) in ("events", "service_request")
    return sender.group(1), envelope.subject if tied else ""


def pause_s(tries: int) -> float:
    """Seconds before the `tries`-th attempt is followed by another."""
    return min(MAX_PAUSE_S, 0.05 * 2.0 ** min(tries, 10))
