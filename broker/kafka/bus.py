"""The Kafka bus as the door describes it: `broker.bus.EventBus` over aiokafka.

Knows its three parts (cluster, publisher, subscriptions) and Kafka's names for a topic's settings.
"""

import asyncio
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from aiokafka import TopicPartition as KafkaPartition
from typing_extensions import override

from broker.bus import (
    BusClosed,
    BusError,
    BusHealth,
    EventBus,
    Message,
    PartitionLag,
    PublishedAt,
    RebalanceHook,
    Start,
    Subscription,
    TopicMismatch,
    TopicReport,
    TopicSpec,
    differences,
    start_at_committed,
)
from broker.kafka.clients import KafkaSettings
from broker.kafka.cluster import Cluster
from broker.kafka.publisher import Publisher
from broker.kafka.subscription import KafkaSubscription
from broker.kafka.wire import TopicFacts
from broker.limits import check_messages, check_reader, check_specs
from broker.placing import behind


class KafkaBus(EventBus):
    """See `broker.bus.EventBus`."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._parts: tuple[Cluster, Publisher] | None = None
        self._subscriptions: list[KafkaSubscription] = []

    @override
    async def start(self) -> None:
        if self._parts is None:
            cluster = Cluster(self._settings)
            self._parts = cluster, Publisher(self._settings, cluster)

    @override
    async def close(self) -> None:
        if self._parts is not None:
            cluster, publisher = self._parts
            self._parts = None
            await asyncio.gather(*(subscription.close() for subscription in list(self._subscriptions)))
            await asyncio.gather(publisher.close(), cluster.close())

    @override
    async def publish(self, messages: Sequence[Message]) -> Sequence[PublishedAt]:
        check_messages(messages)
        _, publisher = self._started()
        return await publisher.publish(messages) if messages else []

    @override
    def subscribe(
        self,
        topics: Sequence[str],
        group: str,
        *,
        member: str,
        start: Start = start_at_committed,
        on_assigned: RebalanceHook | None = None,
        on_revoked: RebalanceHook | None = None,
    ) -> Subscription:
        check_reader(group, member)
        cluster, _ = self._started()
        subscription = KafkaSubscription(
            self._settings,
            cluster,
            topics,
            group,
            member,
            start,
            (on_assigned, on_revoked),
            self._subscriptions.remove,
        )
        self._subscriptions.append(subscription)
        return subscription

    @override
    async def ensure_topics(self, specs: Sequence[TopicSpec]) -> Sequence[TopicReport]:
        check_specs(specs)
        before = await self.describe_topics(specs)
        for report in before:
            if any(difference.field == "partitions" for difference in report.differences):
                raise TopicMismatch(
                    report.spec.name, report.differences, "make a new topic and drain the old one"
                )
        cluster, _ = self._started()
        lacking = [report.spec for report in before if not report.exists]
        return await self._describe(specs, await cluster.create(lacking)) if lacking else before

    @override
    async def describe_topics(self, specs: Sequence[TopicSpec]) -> Sequence[TopicReport]:
        return await self._describe(specs, frozenset())

    async def _describe(self, specs: Sequence[TopicSpec], created: AbstractSet[str]) -> Sequence[TopicReport]:
        cluster, _ = self._started()
        facts, configs = await cluster.described(spec.name for spec in specs)
        return [
            _report(spec, facts.get(spec.name), configs.get(spec.name, {}), spec.name in created)
            for spec in specs
        ]

    @override
    async def lag(self, group: str, topics: Sequence[str]) -> Sequence[PartitionLag]:
        cluster, _ = self._started()
        facts = await cluster.existing(topics)
        partitions = [KafkaPartition(name, n) for name in topics for n in range(facts[name].partitions)]
        committed = await cluster.committed(group, partitions)  # first: what is committed later is not ahead
        bounds = await cluster.bounds(partitions)
        return [
            PartitionLag(at.topic, at.partition, committed[at], last, behind(committed[at], first, last))
            for at, (first, last) in bounds.items()
        ]

    @override
    async def incarnation(self, topic: str) -> str:
        cluster, _ = self._started()
        return (await cluster.existing([topic]))[topic].incarnation

    @override
    async def healthy(self) -> BusHealth:
        try:
            cluster, _ = self._started()
            return BusHealth(True, await cluster.said())
        except BusError as error:
            return BusHealth(False, str(error))

    def _started(self) -> tuple[Cluster, Publisher]:
        if self._parts is None:
            raise BusClosed("the bus is not started")
        return self._parts


def _report(
    spec: TopicSpec, facts: TopicFacts | None, configs: Mapping[str, str], created: bool
) -> TopicReport:
    if facts is None:
        return TopicReport(spec, "", False, ())
    retention_ms = int(configs["retention.ms"])
    actual = TopicSpec(
        spec.name,
        facts.partitions,
        None if retention_ms < 0 else retention_ms,
        "compact" in configs["cleanup.policy"],
        facts.replication,
        int(configs["min.insync.replicas"]),
    )
    return TopicReport(spec, facts.incarnation, created, differences(spec, actual))
