"""The bus on Kafka when brokers die, stand still, forget, or are given a topic anew."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import TypeVar

import pytest
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.admin import DeleteGroupsRequest

from broker.bus import (
    BusTimeout,
    BusUnavailable,
    Delivery,
    EventBus,
    LogPosition,
    TopicMissing,
    TopicSpec,
    next_offset,
)
from broker.kafka.subscription import KafkaSubscription
from tests.contract.bus.backend import DEADLINE_S, HOUR_MS, commit, message, numbers, read
from tests.contract.bus.kafka_backend import KafkaBackend
from tests.servers.kafka import Kafka

T = TypeVar("T")


@pytest.fixture
def backend(kafka: Kafka) -> KafkaBackend:
    return KafkaBackend(kafka.bootstrap)


@pytest.fixture
def hasty(backend: KafkaBackend) -> KafkaBackend:
    """With short time limits, for brokers that do not come back."""
    backend.settings = replace(backend.settings, publish_timeout_s=3.0, request_timeout_s=2.0)
    return backend


async def soon(work: Callable[[], Awaitable[T]]) -> T:
    """The result of `work`, tried again while the bus is unavailable."""
    deadline = time.monotonic() + DEADLINE_S
    while True:
        try:
            return await work()
        except BusUnavailable:
            assert time.monotonic() < deadline


async def test_publish_survives_broker_restart(backend: KafkaBackend, kafka: Kafka) -> None:
    async with backend.opened() as bus:
        topic = await backend.topic(bus, partitions=3)
        reader = bus.subscribe([topic], backend.name_for("group"), member="m")
        done, all_sent = asyncio.Event(), asyncio.Event()
        counts = [0] * 6

        async def lane(key: int) -> None:
            while not done.is_set():
                number = counts[key]
                await soon(partial(bus.publish, [message(topic, number, key=str(key))]))
                counts[key] = number + 1

        seen: dict[bytes, list[int]] = {}

        async def reading() -> None:
            while not (all_sent.is_set() and sum(len(set(got)) for got in seen.values()) == sum(counts)):
                batch = await soon(lambda: reader.poll(timeout_s=0.2))
                for delivery in batch:
                    seen.setdefault(delivery.message.key, []).append(int(delivery.message.value or b""))

        async def trouble() -> None:
            await until(lambda: min(counts) > 50)
            await asyncio.to_thread(kafka.kill)
            await asyncio.to_thread(kafka.start)
            before = min(counts)
            await until(lambda: min(counts) > before + 50)
            done.set()
            await asyncio.gather(*lanes)
            all_sent.set()

        async with asyncio.timeout(110), asyncio.TaskGroup() as group:
            lanes = [group.create_task(lane(key)) for key in range(6)]
            group.create_task(reading())
            group.create_task(trouble())
    for key in range(6):
        first_seen = list(dict.fromkeys(seen[str(key).encode()]))
        assert first_seen == list(range(counts[key])), f"lost or out of order for key {key}"


async def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


async def test_a_broker_gone_hangs_nobody_and_is_found_again(hasty: KafkaBackend, kafka: Kafka) -> None:
    leaving = hasty.bus()
    await leaving.start()
    async with hasty.opened() as staying, hasty.opened() as starting:
        topic = await hasty.topic(leaving)
        group = hasty.name_for("group")
        reader = leaving.subscribe([topic], hasty.name_for("group"), member="m")
        lasting = staying.subscribe([topic], group, member="m")
        await leaving.publish([message(topic, 0)])
        await staying.publish([message(topic, 1)])
        got = await read(reader, 2)
        kept = await read(lasting, 2)
        await asyncio.to_thread(kafka.kill)

        for bus in (leaving, staying, starting):
            with pytest.raises(BusUnavailable):
                await asyncio.wait_for(bus.publish([message(topic, 2)]), 15)
        with pytest.raises(BusUnavailable):
            await asyncio.wait_for(commit(reader, got), 15)
        with pytest.raises(BusUnavailable):
            await asyncio.wait_for(read(lasting, 1), 15)
        with pytest.raises(BusUnavailable):
            await asyncio.wait_for(leaving.lag(group, [topic]), 15)
        assert not (await asyncio.wait_for(leaving.healthy(), 15)).ok
        began = time.monotonic()
        await leaving.close()
        assert time.monotonic() - began < 10

        await asyncio.to_thread(kafka.start)
        for number, bus in enumerate((staying, starting), 3):
            await soon(partial(bus.publish, [message(topic, number)]))
        while not {3, 4} <= set(numbers(kept)):
            kept += await soon(lambda: lasting.poll(timeout_s=0.5))


async def test_a_broker_standing_still_gives_timeouts_and_is_found_again(
    hasty: KafkaBackend, kafka: Kafka
) -> None:
    async with hasty.opened() as bus:
        topic = await hasty.topic(bus)
        reader = bus.subscribe([topic], hasty.name_for("group"), member="m")
        await bus.publish([message(topic, 0)])
        got = await read(reader, 1)
        kafka.pause()
        with pytest.raises(BusTimeout):
            await asyncio.wait_for(bus.publish([message(topic, 1)]), 15)
        with pytest.raises(BusTimeout):
            await asyncio.wait_for(commit(reader, got), 15)
        kafka.resume()
        await soon(lambda: bus.publish([message(topic, 2)]))
        while 2 not in numbers(got):
            got += await soon(lambda: reader.poll(timeout_s=0.5))


async def test_a_stuck_consumer_is_built_anew(backend: KafkaBackend) -> None:
    backend.settings = replace(backend.settings, stuck_after_s=1.0, check_s=0.2)
    async with backend.opened() as bus:
        topic = await backend.topic(bus)
        reader = bus.subscribe([topic], backend.name_for("group"), member="m")
        assert isinstance(reader, KafkaSubscription)
        await reader.poll(timeout_s=0)
        stuck = reader._consumer
        assert stuck is not None
        stuck.pause(*stuck.assignment())
        await bus.publish([message(topic, 1)])
        assert numbers(await read(reader, 1)) == [1]
        assert reader._consumer is not stuck


async def test_a_consumer_whose_reader_takes_its_time_is_not_stuck(backend: KafkaBackend) -> None:
    backend.settings = replace(backend.settings, stuck_after_s=1.0, check_s=0.2)
    async with backend.opened() as bus:
        topic = await backend.topic(bus)
        reader = bus.subscribe([topic], backend.name_for("group"), member="m")
        assert isinstance(reader, KafkaSubscription)
        await bus.publish([message(topic, number) for number in range(3)])
        got = list(await soon(lambda: reader.poll(max_records=1, timeout_s=30.0)))
        consumer = reader._consumer
        for _ in range(2):
            await asyncio.sleep(1.5)
            got += await reader.poll(max_records=1, timeout_s=30.0)
        assert numbers(got) == [0, 1, 2]
        assert reader._consumer is consumer


async def test_a_forgotten_group_goes_on_from_the_readers_own_offsets(backend: KafkaBackend) -> None:
    group = backend.name_for("group")
    stored: list[LogPosition] = []

    async def start(_topic: str, _partition: int, incarnation: str) -> int | None:
        return next_offset(stored[-1] if stored else None, incarnation)

    async with backend.opened() as bus:
        topic = await backend.topic(bus)
        await bus.publish([message(topic, n) for n in range(5)])
        reader = bus.subscribe([topic], group, member="m", start=start)
        got = await read(reader, 5)
        stored.append(got[-1].next_position)
        await commit(reader, got)
        await reader.close()
        await forget(backend.settings.bootstrap, group)
        [lag] = await bus.lag(group, [topic])
        assert (lag.committed, lag.lag) == (None, 5)
        await bus.publish([message(topic, 5)])
        again = bus.subscribe([topic], group, member="m", start=start)
        assert numbers(await read(again, 1)) == [5]


async def forget(bootstrap: str, group: str) -> None:
    """Deletes the group on the broker, once its last member's session has ended."""
    client = AIOKafkaClient(bootstrap_servers=bootstrap)
    await client.bootstrap()
    try:
        deadline = time.monotonic() + DEADLINE_S
        while True:
            node = await client.coordinator_lookup(0, group)
            response = await client.send(node, DeleteGroupsRequest([group]))
            [(_, error)] = response.results
            if error == 0:
                return
            assert error == 68, error  # NON_EMPTY_GROUP
            assert time.monotonic() < deadline
            await asyncio.sleep(0.2)
    finally:
        await client.close()


async def test_a_topic_made_anew_under_a_reader_is_found_again(backend: KafkaBackend) -> None:
    backend.settings = replace(backend.settings, publish_timeout_s=3.0)
    asked: list[str] = []
    stored: dict[tuple[str, int], LogPosition] = {}

    async def start(topic: str, partition: int, incarnation: str) -> int | None:
        asked.append(incarnation)
        return next_offset(stored.get((topic, partition)), incarnation)

    async with backend.opened() as bus:
        topic = await backend.topic(bus)
        reader = bus.subscribe([topic], backend.name_for("group"), member="m", start=start)
        await bus.publish([message(topic, n) for n in range(3)])
        for delivery in await read(reader, 3):
            stored[topic, 0] = delivery.next_position
        await backend.delete_topic(topic)
        spec = TopicSpec(topic, 1, HOUR_MS)
        await until_gone(bus, spec)
        await bus.ensure_topics([spec])
        # As many as before and more, so that the old offset lies within the new log.
        await soon(lambda: bus.publish([message(topic, n) for n in range(10, 16)]))
        anew = await bus.incarnation(topic)
        got: list[Delivery] = []
        deadline = time.monotonic() + DEADLINE_S
        while {d.message.value for d in got if d.incarnation == anew} != {b"%d" % n for n in range(10, 16)}:
            assert time.monotonic() < deadline, numbers(got)
            try:
                got += await soon(lambda: reader.poll(timeout_s=0.2))
            except TopicMissing:
                continue
        assert asked[-1] == anew


async def until_gone(bus: EventBus, spec: TopicSpec) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while (await bus.describe_topics([spec]))[0].exists:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
