"""What is asked of a cluster in two questions, between which a topic may come or go."""

from collections.abc import Iterable, Sequence

import pytest
from typing_extensions import override

from broker.kafka.clients import KafkaSettings
from broker.kafka.cluster import Cluster, _NotYet
from broker.kafka.wire import TopicFacts

FACTS = TopicFacts(partitions=1, replication=1, incarnation="first", ready=True)


class Changing(Cluster):
    """Topics as they are told from time to time; settings are known of those that are told ever after."""

    def __init__(self, *told: Sequence[str]) -> None:
        super().__init__(KafkaSettings("broker.example:9092"))
        self._told = list(told)

    @override
    async def topics(self, names: Iterable[str]) -> dict[str, TopicFacts]:
        return dict.fromkeys(self._told.pop(0), FACTS)

    @override
    async def _configs(self, names: Sequence[str]) -> dict[str, dict[str, str]]:
        if self._told and set(names) - set(self._told[0]):
            raise _NotYet("Kafka does not tell the settings")
        return {name: {"retention.ms": "-1"} for name in names}


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    async def at_once(_seconds: float) -> None: ...

    monkeypatch.setattr("tenacity.asyncio._portable_async_sleep", at_once)


async def test_a_topic_that_is_deleted_between_two_questions_is_not_there() -> None:
    assert await Changing(["a", "b"], ["b"]).described(["a", "b"]) == (
        {"b": FACTS},
        {"b": {"retention.ms": "-1"}},
    )


async def test_nothing_is_asked_of_topics_that_are_not_there() -> None:
    assert await Changing([]).described(["a"]) == ({}, {})
