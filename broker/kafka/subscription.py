"""The reading side: one member's consumer, which begins where the reader says and is built anew when stuck.

Knows aiokafka's consumer and when its silence is not to be believed; must not know who publishes. Hooks and
`start` run within `poll`, never in the client's own tasks, where their errors would be lost.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, OffsetAndMetadata
from aiokafka import TopicPartition as KafkaPartition
from aiokafka.errors import (
    CommitFailedError,
    IllegalStateError,
    KafkaError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
)
from typing_extensions import override

from broker.bus import (
    BusClosed,
    BusTimeout,
    BusUnavailable,
    Delivery,
    LogPosition,
    Message,
    NotAssigned,
    RebalanceHook,
    Start,
    Subscription,
    TopicPartition,
)
from broker.kafka.assignment import Assignment
from broker.kafka.clients import KafkaSettings, begin, end, in_our_words, within
from broker.kafka.cluster import Cluster
from broker.kafka.wire import TopicFacts
from broker.placing import first_offset_to_read

FETCH_BYTES: Final = 8 * 1024 * 1024
"""What one fetch brings into memory at most, beyond its first message."""

LOOK_S: Final = 1.0
"""How long the client is left alone before its health is looked at."""

log = logging.getLogger(__name__)


class KafkaSubscription(Subscription):
    """See `broker.bus.Subscription`."""

    def __init__(
        self,
        settings: KafkaSettings,
        cluster: Cluster,
        topics: Sequence[str],
        group: str,
        member: str,
        start: Start,
        hooks: tuple[RebalanceHook | None, RebalanceHook | None],
        on_closed: Callable[["KafkaSubscription"], None],
    ) -> None:
        self._settings, self._cluster = settings, cluster
        self._topics = list(dict.fromkeys(topics))
        self._group, self._member, self._start = group, member, start
        self._on_assigned, self._on_revoked = hooks
        self._on_closed = on_closed
        self._consumer: AIOKafkaConsumer | None = None
        self._held = Assignment()
        self._joined_for: dict[str, str] = {}
        self._asked_again = False
        self._looked_at = self._progress_at = self._left_at = 0.0
        self._excused: dict[KafkaPartition, int] = {}
        self._closing: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @override
    async def poll(self, max_records: int = 500, timeout_s: float = 1.0) -> Sequence[Delivery]:
        if self._closing.done():
            raise BusClosed("the subscription is closed")
        polling = asyncio.ensure_future(self._poll(max_records, timeout_s))
        try:
            waiting: list[asyncio.Future[Any]] = [polling, self._closing]
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if not polling.done():
                polling.cancel()
                await asyncio.wait([polling])
        if not polling.cancelled():
            return polling.result()
        if self._closing.done():
            return ()
        raise BusUnavailable("the Kafka consumer gave up")

    @override
    async def batches(self, max_records: int = 500) -> AsyncIterator[Sequence[Delivery]]:
        while not self._closing.done():
            if deliveries := await self.poll(max_records, timeout_s=3600.0):
                yield deliveries

    @override
    async def commit(self, positions: Iterable[LogPosition]) -> None:
        if self._closing.done():
            raise BusClosed("the subscription is closed")
        offsets: dict[KafkaPartition, OffsetAndMetadata] = {}
        for position in sorted(positions, key=lambda position: position.offset):
            partition = KafkaPartition(position.topic, position.partition)
            if self._held.placed.get(partition) != position.incarnation:
                raise NotAssigned([TopicPartition(*partition)])
            offsets[partition] = OffsetAndMetadata(position.offset, "")
        if not offsets or self._consumer is None:
            return
        try:
            async with within(self._settings.request_timeout_s, "commit"):
                try:
                    await self._consumer.commit(offsets)
                except (CommitFailedError, IllegalStateError) as error:
                    raise NotAssigned(TopicPartition(*partition) for partition in offsets) from error
        except BusTimeout:
            await self._discard("a commit hung")
            raise

    @override
    def assigned(self) -> frozenset[TopicPartition]:
        return frozenset(TopicPartition(*partition) for partition in self._held.placed)

    @override
    async def close(self) -> None:
        if not self._closing.done():
            self._closing.set_result(None)
            self._on_closed(self)
            await self._discard("")

    async def _poll(self, max_records: int, timeout_s: float) -> Sequence[Delivery]:
        deadline = time.monotonic() + timeout_s
        self._progress_at += time.monotonic() - self._left_at  # it is not stuck while nobody asks
        try:
            return await self._polled(max_records, deadline)
        finally:
            self._left_at = time.monotonic()

    async def _polled(self, max_records: int, deadline: float) -> Sequence[Delivery]:
        while True:
            consumer = await self._ready()
            if time.monotonic() > self._looked_at + self._settings.check_s:
                await self._look(consumer)
            await self._settle(consumer)
            if consumer is not self._consumer:
                continue
            wait_s = min(max(deadline - time.monotonic(), 0.0), LOOK_S)
            if deliveries := await self._fetch(consumer, max_records, wait_s):
                self._progress_at = time.monotonic()
                return deliveries
            if time.monotonic() >= deadline:
                return ()

    async def _fetch(self, consumer: AIOKafkaConsumer, max_records: int, wait_s: float) -> list[Delivery]:
        try:
            async with asyncio.timeout(wait_s + self._settings.request_timeout_s):
                fetched = await consumer.getmany(timeout_ms=int(wait_s * 1000), max_records=max_records)
        except TimeoutError:
            await self._discard("a fetch hung")
            raise BusTimeout("Kafka's consumer does not answer") from None
        except OffsetOutOfRangeError as error:  # trimmed under our feet, or another log: ask where to begin
            self._held.unplace(error.args[0].keys() & consumer.assignment())
            return []
        except NoOffsetForPartitionError:  # of one that is not placed yet
            return []
        except KafkaError as error:
            await self._discard("its group or its connection failed")
            raise in_our_words(error) from error
        return [
            _delivery(record, self._held.placed[partition])
            for partition, records in fetched.items()
            if partition in self._held.placed  # else it came from a place that nobody chose
            for record in records
        ]

    async def _settle(self, consumer: AIOKafkaConsumer) -> None:
        """Tells the hooks what was taken and given, and sets the place of what was given."""
        while consumer is self._consumer and (self._held.untold or self._held.unplaced):
            if lost := frozenset(TopicPartition(*partition) for partition in self._held.untold):
                self._held.untold.clear()
                if self._on_revoked:
                    await self._on_revoked(lost)
            placed = await self._place(consumer)
            if placed and self._on_assigned:
                await self._on_assigned(frozenset(TopicPartition(*partition) for partition in placed))

    async def _place(self, consumer: AIOKafkaConsumer) -> Sequence[KafkaPartition]:
        """The partitions placed; none when the group changed meanwhile and all has to be asked again."""
        changes, partitions = self._held.changes, sorted(self._held.unplaced)
        if not partitions:
            return ()
        facts = await self._cluster.existing([partition.topic for partition in partitions])
        bounds = await self._cluster.bounds(partitions)
        offsets = {}
        for at in partitions:
            asked = await self._start(at.topic, at.partition, facts[at.topic].incarnation)
            committed = None
            if asked is None:
                async with within(self._settings.request_timeout_s, "tell the committed offset"):
                    committed = await consumer.committed(at)
            offsets[at] = first_offset_to_read(TopicPartition(*at), asked, committed, *bounds[at])
        if self._held.changes != changes or consumer is not self._consumer:
            return ()
        for at, offset in offsets.items():
            self._held.place(at, offset, facts[at.topic].incarnation)
        self._progress_at = time.monotonic()
        return partitions

    async def _look(self, consumer: AIOKafkaConsumer) -> None:
        """Raises TopicMissing or BusUnavailable; gives up a consumer that is stuck or reads another log."""
        now = self._looked_at = time.monotonic()
        facts = await self._cluster.existing(self._topics)
        since = self._held.rebalancing_since
        anew = any(facts[topic].incarnation != known for topic, known in self._joined_for.items())
        idle = since is None and not consumer.assignment()
        if anew or (idle and not self._asked_again):
            self._asked_again = not anew
            await self._join_again(consumer, facts)
        elif since is not None and now > since + self._settings.join_timeout_s:
            await self._discard("its group does not come to rest")
        elif self._held.placed and now > self._progress_at + self._settings.stuck_after_s:
            bounds = await self._cluster.bounds(list(self._held.placed))
            async with within(self._settings.request_timeout_s, "tell its position"):
                ahead = {at: last for at, (_, last) in bounds.items() if last > await consumer.position(at)}
            if ahead and ahead != self._excused:  # excused: a new consumer found nothing to read there either
                self._excused = ahead
                await self._discard("messages are there and do not come")

    async def _join_again(self, consumer: AIOKafkaConsumer, facts: Mapping[str, TopicFacts]) -> None:
        """Has the group share out its partitions from fresh metadata.

        Needed when a topic was made anew. And once by a member that was given nothing: a static member that
        comes back is given its former share without anybody looking whether that share is still right.
        """
        self._joined_for = {topic: facts[topic].incarnation for topic in self._topics}
        async with within(self._settings.request_timeout_s, "tell its topics"):
            await consumer._client.force_metadata_update()  # noqa: SLF001 - nothing public asks at once
        self._held.drop()
        consumer.subscribe(self._topics, listener=self._held)

    async def _ready(self) -> AIOKafkaConsumer:
        if self._consumer is not None:
            return self._consumer
        facts = await self._cluster.existing(self._topics)  # a consumer that mentions a topic might make it
        self._joined_for = {topic: facts[topic].incarnation for topic in self._topics}
        consumer = self._held.consumer = AIOKafkaConsumer(
            **self._settings.common(),
            group_id=self._group,
            group_instance_id=self._member,
            enable_auto_commit=False,
            auto_offset_reset="none",
            session_timeout_ms=int(self._settings.session_timeout_s * 1000),
            heartbeat_interval_ms=int(self._settings.session_timeout_s * 250),
            max_poll_interval_ms=int(self._settings.max_poll_interval_s * 1000),
            fetch_max_bytes=FETCH_BYTES,
            max_partition_fetch_bytes=FETCH_BYTES // 4,
        )
        try:
            consumer.subscribe(self._topics, listener=self._held)
            await begin(consumer.start, self._settings.join_timeout_s, "let the member join")
        except BaseException:
            self._held.drop()
            await _end(consumer)
            raise
        self._consumer, self._asked_again = consumer, False
        self._looked_at = self._progress_at = time.monotonic()
        return consumer

    async def _discard(self, why: str) -> None:
        """Gives the consumer up; the next poll has a new one."""
        consumer, self._consumer = self._consumer, None
        self._held.drop()
        self._held.consumer = self._held.rebalancing_since = None
        if consumer is not None:
            if why:
                log.warning("%s of %s: the Kafka consumer is replaced: %s", self._member, self._group, why)
            await _end(consumer)


async def _end(consumer: AIOKafkaConsumer) -> None:
    async def cut_off() -> None:
        parts: list[Coroutine[Any, Any, None]] = [consumer._client.close()]  # noqa: SLF001 - left open
        if consumer._fetcher is not None:  # noqa: SLF001 - the same
            parts.append(consumer._fetcher.close())  # noqa: SLF001 - the same
        coordinator = consumer._coordinator  # noqa: SLF001 - the same
        for name in ("_coordination_task", "_heartbeat_task", "_commit_refresh_task"):
            if (task := getattr(coordinator, name, None)) is not None:
                task.cancel()
        await asyncio.gather(*parts, return_exceptions=True)

    await end(consumer.stop, cut_off)


def _delivery(record: ConsumerRecord, incarnation: str) -> Delivery:
    """Null keys and header values, which others may write, read as empty."""
    headers = tuple((name, value or b"") for name, value in record.headers)
    message = Message(record.topic, record.key or b"", record.value, headers)
    return Delivery(message, record.partition, record.offset, record.timestamp, incarnation)
