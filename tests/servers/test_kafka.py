"""The Kafka that tests are given is a real one, and what it acknowledged is there after a kill."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaConnectionError, KafkaError

from tests.servers.kafka import Kafka, KafkaCluster


@asynccontextmanager
async def producer(bootstrap: str) -> AsyncIterator[AIOKafkaProducer]:
    client = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
    await client.start()
    try:
        yield client
    finally:
        await client.stop()


async def make_topic(bootstrap: str, topic: str, copies: int = 1) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, 1, copies)])
    finally:
        await admin.close()


async def read(bootstrap: str, topic: str, count: int) -> list[bytes]:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, 0)])
        await consumer.seek_to_beginning()
        values: list[bytes] = []
        async with asyncio.timeout(30):
            while len(values) < count:
                values.append((await consumer.getone()).value)
        return values
    finally:
        await consumer.stop()


@pytest.mark.parametrize("end", ["kill", "stop"])
async def test_what_was_acknowledged_survives_a_restart(kafka: Kafka, end: str) -> None:
    topic = f"servers.survives.{end}"
    await make_topic(kafka.bootstrap, topic)
    sent = [json.dumps(n).encode() for n in range(100)]
    async with producer(kafka.bootstrap) as client:
        await asyncio.gather(*[await client.send(topic, value) for value in sent])

    getattr(kafka, end)()
    assert not kafka.running
    with pytest.raises(KafkaConnectionError):
        await make_topic(kafka.bootstrap, "servers.unreachable")
    kafka.start()

    assert await read(kafka.bootstrap, topic, 100) == sent


async def test_a_paused_broker_answers_nobody_until_it_goes_on(kafka: Kafka) -> None:
    await make_topic(kafka.bootstrap, "servers.paused")
    async with producer(kafka.bootstrap) as client:
        await client.send_and_wait("servers.paused", b"before")
        kafka.pause()
        waiting = asyncio.ensure_future(client.send_and_wait("servers.paused", b"meanwhile"))
        done, _ = await asyncio.wait([waiting], timeout=0.5)
        assert not done
        kafka.resume()
        async with asyncio.timeout(30):
            await waiting
    assert await read(kafka.bootstrap, "servers.paused", 2) == [b"before", b"meanwhile"]


async def test_nothing_listens_but_on_the_loopback_interface(kafka: Kafka) -> None:
    process = kafka.process
    assert process is not None
    listening = {c.laddr.ip for c in process.net_connections("tcp") if c.status == "LISTEN"}
    assert {address.removeprefix("::ffff:") for address in listening} == {"127.0.0.1"}


async def test_three_brokers_go_on_without_one_and_stop_without_two(kafka_cluster: KafkaCluster) -> None:
    topic = "servers.cluster"
    await make_topic(kafka_cluster.bootstrap, topic, copies=3)
    async with producer(kafka_cluster.bootstrap) as client:
        await client.send_and_wait(topic, b"three")
        kafka_cluster.brokers[0].kill()
        async with asyncio.timeout(60):
            await client.send_and_wait(topic, b"two")
        kafka_cluster.brokers[1].kill()
        waiting = asyncio.ensure_future(client.send_and_wait(topic, b"one"))
        done, _ = await asyncio.wait([waiting], timeout=1.5)
        assert not done, "one broker of three acknowledged although min.insync.replicas is 2"
        kafka_cluster.heal()
        try:
            async with asyncio.timeout(60):
                await waiting
        except KafkaError:
            await client.send_and_wait(topic, b"one")
    assert (await read(kafka_cluster.bootstrap, topic, 3))[:3] == [b"three", b"two", b"one"]
