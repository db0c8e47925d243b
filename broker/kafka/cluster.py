"""Questions to the cluster that belong to no producer and no group: topics and their ids, offsets, lag.

Knows the administrative side of aiokafka; must not know who reads or writes. Its connections are opened when
first needed and opened anew after any failure.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final, TypeAlias

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import TopicAlreadyExistsError, UnknownTopicOrPartitionError, for_code
from tenacity import (
    AsyncRetrying,
    RetryError,
    retry_if_exception_type,
    retry_if_result,
    stop_after_delay,
    wait_fixed,
)

from broker.bus import BusError, BusTimeout, BusUnavailable, TopicMissing, TopicSpec
from broker.kafka.clients import KafkaSettings, begin, end, within
from broker.kafka.wire import TopicFacts, TopicsRequest, topic_facts


class _NotYet(BusError):
    """The broker that was asked does not know the topic; it may have been made or deleted a moment ago."""


Described: TypeAlias = tuple[dict[str, TopicFacts], dict[str, dict[str, str]]]
APPEAR_S: Final = 15.0
"""How long a topic that was just made may take until every partition has a leader."""


SEGMENT_MS: Final = (10_000, 7 * 86_400_000)
"""The shortest and the longest that a file of a partition is written to; the longest is Kafka's default."""


Clients = tuple[AIOKafkaClient, AIOKafkaAdminClient, AIOKafkaConsumer]


def segment_ms(spec: TopicSpec) -> int:
    """How long a file of a partition is written to: a quarter of the retention, since Kafka forgets whole
    files, and only those that are no longer written to.
    """
    least, most = SEGMENT_MS
    return most if spec.retention_ms is None else max(least, min(most, spec.retention_ms // 4))


class Cluster:
    """One small client for metadata, one for administration, one for offsets."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._opened: Clients | None = None
        self._opening = asyncio.Lock()

    async def topics(self, names: Iterable[str]) -> dict[str, TopicFacts]:
        """Facts of those topics that exist. Raises BusUnavailable, BusTimeout, BusError."""
        client, _, _ = await self._clients()
        async with self._carefully():
            node = client.get_random_node()
            return topic_facts(await client.send(node, TopicsRequest(sorted(set(names)))))

    async def existing(self, names: Sequence[str]) -> dict[str, TopicFacts]:
        """Facts of the topics. Raises TopicMissing besides what `topics` raises."""
        facts = await self.topics(names)
        for name in names:
            if name not in facts:
                raise TopicMissing(name)
        return facts

    async def create(self, specs: Sequence[TopicSpec]) -> set[str]:
        """Makes the topics in one request and waits until they can be used; the names of those that were not
        there.
        """
        _, admin, _ = await self._clients()
        topics = [
            NewTopic(
                spec.name,
                spec.partitions,
                spec.replication,
                topic_configs={
                    "cleanup.policy": "compact" if spec.compacted else "delete",
                    "retention.ms": str(-1 if spec.retention_ms is None else spec.retention_ms),
                    "min.insync.replicas": str(spec.min_insync),
                    "segment.ms": str(segment_ms(spec)),
                },
            )
            for spec in specs
        ]
        async with self._carefully():
            response = await admin.create_topics(topics, timeout_ms=5000)
        made = set()
        for name, error_code, *rest in response.topic_errors:
            error = for_code(error_code)
            if error_code and error is not TopicAlreadyExistsError:
                raise BusError(f"Kafka refuses to make {name}: {rest[0] if rest else error.__name__}")
            if not error_code:
                made.add(name)
        await self._appeared([spec.name for spec in specs])
        return made

    async def _appeared(self, names: Sequence[str]) -> None:
        def missing(facts: Mapping[str, TopicFacts]) -> list[str]:
            return [name for name in names if not (name in facts and facts[name].ready)]

        pauses = AsyncRetrying(
            retry=retry_if_result(lambda facts: bool(missing(facts))),
            wait=wait_fixed(0.05),
            stop=stop_after_delay(APPEAR_S),
        )
        try:
            await pauses(self.topics, names)
        except RetryError as error:
            late = ", ".join(missing(error.last_attempt.result()))
            raise BusTimeout(f"made, but without leaders after {APPEAR_S:g} s: {late}") from None

    async def described(self, names: Iterable[str]) -> Described:
        """Facts of those topics that exist, and their settings, Kafka's names and texts. Raises what `topics`
        raises.
        """
        wanted = sorted(set(names))

        async def both() -> Described:
            facts = await self.topics(wanted)
            return facts, await self._configs(list(facts)) if facts else {}

        pauses = AsyncRetrying(
            retry=retry_if_exception_type(_NotYet),  # a topic just made or deleted: one answer is older
            wait=wait_fixed(0.1),
            stop=stop_after_delay(APPEAR_S),
            reraise=True,
        )
        return await pauses(both)

    async def _configs(self, names: Sequence[str]) -> dict[str, dict[str, str]]:
        _, admin, _ = await self._clients()
        async with self._carefully():
            resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
            responses = await admin.describe_configs(resources)
        found = {}
        for response in responses:
            for error_code, message, _kind, name, entries in response.resources:
                if error_code:
                    kind = for_code(error_code)
                    error = _NotYet if kind is UnknownTopicOrPartitionError else BusError
                    raise error(
                        f"Kafka does not tell the settings of {name}: {kind.__name__} {message or ''}"
                    )
                found[name] = {entry[0]: entry[1] for entry in entries}
        return found

    async def bounds(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, tuple[int, int]]:
        """(oldest offset kept, next to be written) of each partition."""
        _, _, consumer = await self._clients()
        async with self._carefully():
            first = await consumer.beginning_offsets(partitions)
            last = await consumer.end_offsets(partitions)
        return {partition: (first[partition], last[partition]) for partition in partitions}

    async def committed(
        self, group: str, partitions: Sequence[TopicPartition]
    ) -> Mapping[TopicPartition, int | None]:
        """The group's committed offsets; None where there is none."""
        _, admin, _ = await self._clients()
        async with self._carefully():
            found = await admin.list_consumer_group_offsets(group, partitions=list(partitions))
        offsets = {partition: found[partition].offset for partition in partitions if partition in found}
        return {at: offset if (offset := offsets.get(at, -1)) >= 0 else None for at in partitions}

    async def said(self) -> str:
        """What the cluster is, in words. Raises what `topics` raises."""
        client, _, _ = await self._clients()
        async with self._carefully():
            response = await client.send(client.get_random_node(), TopicsRequest([]))
        return f"Kafka cluster {response.cluster_id}, {len(response.brokers)} brokers"

    async def close(self) -> None:
        """Ends the connections; the next question opens them again."""
        opened, self._opened = self._opened, None
        if opened is not None:
            await _end(opened)

    async def _clients(self) -> Clients:
        async with self._opening:
            if self._opened is None:
                common = self._settings.common()
                client, admin, consumer = opened = (
                    AIOKafkaClient(**common),
                    AIOKafkaAdminClient(**common),
                    AIOKafkaConsumer(**common, enable_auto_commit=False),
                )

                async def start() -> None:
                    await client.bootstrap()
                    await admin.start()
                    await consumer.start()

                try:
                    await begin(start, self._settings.request_timeout_s, "answer")
                except BaseException:  # also when who asked gave up: half opened is of no use to anybody
                    await _end(opened)
                    raise
                self._opened = opened
            return self._opened

    @asynccontextmanager
    async def _carefully(self) -> AsyncIterator[None]:
        """A time limit round a question; when the cluster cannot be reached the next one has new
        connections.
        """
        try:
            async with within(self._settings.request_timeout_s, "answer"):
                yield
        except BusUnavailable:
            await self.close()
            raise


async def _end(opened: Clients) -> None:
    client, admin, consumer = opened
    await asyncio.gather(
        end(client.close, client.close),
        end(admin.close, admin.close),
        end(consumer.stop, consumer.stop),
    )
