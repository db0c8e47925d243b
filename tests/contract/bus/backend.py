"""What the bus contract needs of a backend, and the helpers its tests share. Knows no backend by name."""

import asyncio
import itertools
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from broker.bus import Delivery, EventBus, Message, Subscription, TopicSpec

DEADLINE_S: Final = 60.0
"""How long a test waits for something that must come; nothing waits that long when all is well."""

HOUR_MS: Final = 3_600_000


class BusBackend(ABC):
    """One way of running the contract. Each `open` is as good as another process on the same bus."""

    name: str
    _numbers = itertools.count(1)
    session_timeout_s: float

    @abstractmethod
    def bus(self) -> EventBus:
        """A new bus object, not started."""

    @abstractmethod
    async def delete_topic(self, topic: str) -> None:
        """Removes a topic altogether."""

    @abstractmethod
    async def abandon(self, bus: EventBus) -> None:
        """Ends a bus as a kill would: nothing is committed, nobody is told."""

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[EventBus]:
        bus = self.bus()
        await bus.start()
        try:
            yield bus
        finally:
            await bus.close()

    def name_for(self, what: str) -> str:
        """A topic or group name that no other test uses."""
        return f"test.{what}.{time.time_ns()}.{next(self._numbers)}"

    async def topic(self, bus: EventBus, partitions: int = 1) -> str:
        """A new topic."""
        name = self.name_for("topic")
        await bus.ensure_topics([TopicSpec(name, partitions, HOUR_MS)])
        return name


def message(topic: str, number: int, key: str = "k") -> Message:
    return Message(topic, key.encode(), str(number).encode())


def numbers(deliveries: Sequence[Delivery]) -> list[int]:
    """The numbers that `message` put in, in the order of reading."""
    return [int(delivery.message.value or b"-1") for delivery in deliveries]


async def read(subscription: Subscription, count: int) -> list[Delivery]:
    """Polls until `count` messages have come."""
    got: list[Delivery] = []
    deadline = time.monotonic() + DEADLINE_S
    while len(got) < count:
        assert time.monotonic() < deadline, f"{len(got)} of {count} messages came in {DEADLINE_S} s"
        got += await subscription.poll(timeout_s=0.5)
    return got


async def commit(subscription: Subscription, deliveries: Sequence[Delivery]) -> None:
    await subscription.commit([delivery.next_position for delivery in deliveries])


async def poll_until_shared(subscriptions: Sequence[Subscription], partitions: int) -> list[Delivery]:
    """Polls all members until each has a part and together they hold every partition once."""
    got: list[Delivery] = []
    deadline = time.monotonic() + DEADLINE_S
    while True:
        for batch in await asyncio.gather(*(s.poll(timeout_s=0.2) for s in subscriptions)):
            got += batch
        held = [s.assigned() for s in subscriptions]
        if all(held) and sum(map(len, held)) == partitions == len(frozenset().union(*held)):
            return got
        assert time.monotonic() < deadline, f"not shared: {held}"
