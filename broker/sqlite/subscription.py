"""One member's reading of the embedded bus: looks at its group, asks where to begin, reads, waits for news.

Knows the two threads (handed in) and the wake-up; must not know who publishes or in which process.
"""

import asyncio
import contextlib
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Final, TypeVar

from typing_extensions import override

from broker.bus import (
    BusClosed,
    BusError,
    Delivery,
    LogPosition,
    NotAssigned,
    RebalanceHook,
    Start,
    Subscription,
    TopicPartition,
)
from broker.placing import first_offset_to_read
from broker.sqlite import groups, log
from broker.sqlite.reader import Change, Reader
from broker.sqlite.writer import GroupedWriter, Job

T = TypeVar("T")
POLL_BYTES: Final = 8 * 1024 * 1024
"""What one poll brings into memory at most, beyond its first message."""

LEAVE_S: Final = 2.0
"""How long closing waits for the file; a membership that could not be ended expires by itself."""


class SqliteSubscription(Subscription):
    """See `broker.bus.Subscription`."""

    def __init__(
        self,
        writer: GroupedWriter,
        reader: Reader,
        topics: Sequence[str],
        group: str,
        member: str,
        start: Start,
        hooks: tuple[RebalanceHook | None, RebalanceHook | None],
        session_timeout_s: float,
        on_closed: Callable[["SqliteSubscription"], None],
    ) -> None:
        self.session = groups.Session(uuid.uuid4().hex, group, member, tuple(dict.fromkeys(topics)))
        self.polled_at = time.monotonic()
        self._writer, self._reader, self._start = writer, reader, start
        self._on_assigned, self._on_revoked = hooks
        self._session_timeout_s = session_timeout_s
        self._on_closed = on_closed
        self._next: dict[int, int] = {}
        self._partitions: dict[int, log.Partition] = {}
        self._unplaced: dict[int, tuple[log.Partition, int | None]] = {}
        self._ends: dict[int, int] = {}
        self._seen_generation: int | None = None
        self._known_generation = 0
        self._joined = False
        self._closed = False
        self._news = asyncio.Event()

    @property
    def joined(self) -> bool:
        """It has a membership that must be kept alive."""
        return self._joined and not self._closed

    def tell_ends(self, ends: Mapping[int, int]) -> None:
        """Partitions, by id, have grown; wakes a waiting poll if one of them is held."""
        for partition_id, end in ends.items():
            if end > self._ends.get(partition_id, end):
                self._ends[partition_id] = end
                self._news.set()

    def tell(self, change: Change) -> None:
        """Somebody wrote to the file; wakes a waiting poll if that concerns it."""
        self.tell_ends(change.ends)
        generation = change.generations.get(self.session.group, 0)
        if generation > self._known_generation:
            self._known_generation = generation
            self._news.set()

    @override
    def assigned(self) -> frozenset[TopicPartition]:
        return frozenset(TopicPartition(at.topic, at.number) for at in self._partitions.values())

    @override
    async def poll(self, max_records: int = 500, timeout_s: float = 1.0) -> Sequence[Delivery]:
        if self._closed:
            raise BusClosed("the subscription is closed")
        deadline = time.monotonic() + timeout_s
        while not self._closed:
            self.polled_at = time.monotonic()
            self._news.clear()
            if self._seen_generation is None or self._known_generation > self._seen_generation:
                await self._look()
                continue
            if deliveries := await self._read(max_records):
                return deliveries
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(deadline - time.monotonic(), 0)):
                    await self._news.wait()
            if not self._news.is_set() and time.monotonic() >= deadline:
                break
        return ()

    @override
    async def batches(self, max_records: int = 500) -> AsyncIterator[Sequence[Delivery]]:
        while not self._closed:
            if deliveries := await self.poll(max_records, timeout_s=3600.0):
                yield deliveries

    @override
    async def commit(self, positions: Iterable[LogPosition]) -> None:
        if self._closed:
            raise BusClosed("the subscription is closed")
        held = {(at.topic, at.number, at.incarnation): at.id for at in self._partitions.values()}
        by_id: dict[int, LogPosition] = {}
        for position in sorted(positions, key=lambda position: position.offset):
            partition_id = held.get((position.topic, position.partition, position.incarnation))
            if partition_id is None:
                raise NotAssigned([TopicPartition(position.topic, position.partition)])
            by_id[partition_id] = position
        stored = await self._write(partial(groups.commit, session=self.session, positions=by_id))
        groups.refuse_unheld(by_id, stored)

    @override
    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._news.set()
        self._on_closed(self)
        if self._joined:
            with contextlib.suppress(TimeoutError, BusError):
                async with asyncio.timeout(LEAVE_S):
                    await self._write(partial(groups.leave, session=self.session))

    async def _write(self, job: Job[T]) -> T:
        """Memberships and places need no disk synchronisation: what a power cut takes is found again."""
        return await self._writer.run(job, durable=False)

    async def _look(self) -> None:
        """Brings what is held here in line with the group. Interrupted by an error, it is done again."""
        self._seen_generation = None
        share = await self._write(
            partial(
                groups.look, session=self.session, joining=not self._joined, timeout_s=self._session_timeout_s
            )
        )
        self._joined = True
        claimed = {partition.id: (partition, committed) for partition, committed in share.claimed.items()}
        await self._forget(
            (self._partitions.keys() | self._unplaced.keys()) - (share.held - share.excess - claimed.keys())
        )
        if share.excess:
            await self._write(partial(groups.release, session=self.session, given_up=share.excess))
        self._unplaced.update(claimed)
        await self._place()
        self._seen_generation = share.generation
        self._known_generation = max(self._known_generation, share.generation)

    async def _forget(self, lost: set[int]) -> None:
        told = frozenset(
            TopicPartition(at.topic, at.number) for id_, at in self._partitions.items() if id_ in lost
        )
        for partition_id in lost:
            self._unplaced.pop(partition_id, None)
            self._partitions.pop(partition_id, None)
            self._next.pop(partition_id, None)
            self._ends.pop(partition_id, None)
        if told and self._on_revoked:
            await self._on_revoked(told)

    async def _place(self) -> None:
        placed = set()
        for partition, committed in list(self._unplaced.values()):
            asked = await self._start(partition.topic, partition.number, partition.incarnation)
            self._next[partition.id] = first_offset_to_read(
                TopicPartition(partition.topic, partition.number),
                asked,
                committed,
                partition.first_offset,
                partition.end,
            )
            self._ends[partition.id] = max(partition.end, self._ends.get(partition.id, 0))
            self._partitions[partition.id] = partition
            del self._unplaced[partition.id]
            placed.add(TopicPartition(partition.topic, partition.number))
        if placed:  # what was written since `look` was told to nobody here
            self.tell_ends(await self._reader.run(log.ends))
        if placed and self._on_assigned:
            await self._on_assigned(frozenset(placed))

    async def _read(self, max_records: int) -> Sequence[Delivery]:
        ends = {id_: self._ends[id_] for id_, offset in self._next.items() if offset < self._ends[id_]}
        if not ends:
            return ()
        places = {self._partitions[id_]: self._next[id_] for id_ in ends}
        deliveries = await self._reader.run(
            partial(log.read, places=places, max_records=max_records, max_bytes=POLL_BYTES)
        )
        if not deliveries:  # what lay there was trimmed or compacted away
            self._next.update(ends)
        ids = {(at.topic, at.number): id_ for id_, at in self._partitions.items()}
        for delivery in deliveries:
            id_ = ids[delivery.topic_partition]
            self._next[id_] = delivery.offset + 1
            self._next[id_] = self._next.pop(id_)  # to the back: the other partitions come first next time
        return deliveries
