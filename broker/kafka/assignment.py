"""What a consumer holds: told by its client's own tasks, acted on within `poll`. Knows no offsets and no
hooks.

A partition that was newly given is *unplaced* and paused until its place is set, then *placed*. One that was
taken away is *untold* until the reader's hook has heard of it.
"""

import time
from collections.abc import Iterable

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from typing_extensions import override


class Assignment(ConsumerRebalanceListener):  # type: ignore[misc]  # the library publishes no types
    """placed: the incarnation by partition. changes: counts, so that slow work can see it is out of date."""

    def __init__(self) -> None:
        self.consumer: AIOKafkaConsumer | None = None
        self.placed: dict[TopicPartition, str] = {}
        self.unplaced: set[TopicPartition] = set()
        self.untold: set[TopicPartition] = set()
        self.changes = 0
        self.rebalancing_since: float | None = None

    @override
    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Everything is taken away before it is shared out again; the protocol knows no other way."""
        self.drop()
        self.rebalancing_since = time.monotonic()

    @override
    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Paused at once, before the client can hand out anything from a place that nobody chose."""
        self.rebalancing_since = None
        self.unplace(assigned)

    def drop(self) -> None:
        """Nothing is held any more."""
        self.untold |= self.placed.keys()
        self.placed.clear()
        self.unplaced.clear()
        self.changes += 1

    def unplace(self, partitions: Iterable[TopicPartition]) -> None:
        """Held, but from where to read has to be asked."""
        partitions = set(partitions)
        self.untold |= self.placed.keys() & partitions
        for partition in partitions:
            self.placed.pop(partition, None)
        self.unplaced |= partitions
        self.changes += 1
        if self.consumer is not None:
            self.consumer.pause(*partitions)

    def place(self, partition: TopicPartition, offset: int, incarnation: str) -> None:
        """Reading goes on at `offset`."""
        assert self.consumer is not None
        self.consumer.seek(partition, offset)
        self.consumer.resume(partition)
        self.unplaced.discard(partition)
        self.placed[partition] = incarnation
