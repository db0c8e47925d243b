"""`tongban topics` on a real Kafka: what it makes and finds, and what it says of what differs."""

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from broker.topics import DAY_MS, TopicPlan
from tests.integration.cli.conftest import Run
from tests.integration.servers.clearing import cleared, delete_topics
from tests.servers.kafka import Kafka

COUNT = 9
"""Two topics for each of four regions, and the directory."""


@pytest.fixture
def bus(kafka: Kafka) -> Iterator[tuple[str, str]]:
    """The flag that names a broker on which none of our topics is; they are gone afterwards too."""
    asyncio.run(cleared(kafka.bootstrap))
    yield ("--bus-url", kafka.url)
    asyncio.run(cleared(kafka.bootstrap))


def topics(ended: Any) -> dict[str, Any]:
    return {topic["name"]: topic for topic in json.loads(ended.stdout)["topics"]}


def change(kafka: Kafka, name: str, **settings: str) -> None:
    """Set a topic's settings, and wait until the broker goes by them."""
    wanted = {key.replace("_", "."): value for key, value in settings.items()}

    async def alter() -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
        await admin.start()
        try:
            [response] = await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, wanted)])
            [(code, message, *_)] = response.resources
            assert not code, message
            deadline = time.monotonic() + 20
            while not wanted.items() <= (await told(admin)).items():
                assert time.monotonic() < deadline, f"{name} is not {wanted}"
        finally:
            await admin.close()

    async def told(admin: AIOKafkaAdminClient) -> dict[str, str]:
        [response] = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name)])
        [(_, _, _, _, entries)] = response.resources
        return {entry[0]: entry[1] for entry in entries}

    asyncio.run(alter())


def test_topics_are_missed_made_and_found(run: Run, bus: tuple[str, str]) -> None:
    for _ in range(2):
        missed = run("topics", "--check", *bus, columns=160)
        assert (missed.exit_code, missed.stdout.count("missing")) == (9, COUNT)
        assert "without --check creates what is missing" in missed.stderr
    made = run("topics", *bus, "--json")
    assert made.exit_code == 0, made.output
    assert [topic["created"] for topic in topics(made).values()] == [True] * COUNT
    found = run("topics", "--check", *bus)
    assert (found.exit_code, found.stdout.count("there")) == (0, COUNT)
    again = topics(run("topics", *bus, "--json"))
    assert not any(topic["created"] for topic in again.values())
    assert {name: t["incarnation"] for name, t in again.items()} == {
        name: t["incarnation"] for name, t in topics(made).items()
    }


def test_another_partition_count_is_refused_and_nothing_is_made_beside_it(
    run: Run, kafka: Kafka, bus: tuple[str, str]
) -> None:
    assert run("topics", *bus).exit_code == 0
    asyncio.run(delete_topics(kafka.bootstrap, ["tongban.dead.34"]))
    other = TopicPlan(partitions=3)
    for flags in ((), ("--check",)):
        refused = run("topics", *flags, *bus, columns=160, topics=other)
        assert refused.exit_code == 9
        assert refused.output.count("partitions: 6 (wanted 3)") == COUNT - 2
        assert "a partition count never changes" in refused.stderr
        assert refused.stdout.count("missing") == 1
    chinese = run("topics", "--check", *bus, columns=160, topics=other, lang="zh")
    assert "分区为 6(应为 3)" in chinese.output
    assert run("topics", *bus).exit_code == 0


def test_retention_copies_in_sync_and_compaction_that_differ_are_told(
    run: Run, kafka: Kafka, bus: tuple[str, str]
) -> None:
    assert run("topics", *bus).exit_code == 0
    change(kafka, "tongban.inbox.32", retention_ms=str(60 * DAY_MS))
    change(kafka, "tongban.dead.33", min_insync_replicas="2", retention_ms=str(30 * DAY_MS))
    change(kafka, "tongban.directory", cleanup_policy="delete", retention_ms="-1")
    told = run("topics", *bus, columns=160)
    assert told.exit_code == 9
    assert "kept: 60 days (wanted 30 days)" in told.output
    assert "copies in sync: 2 (wanted 1)" in told.output
    assert "last by key: no (wanted yes)" in told.output
    assert told.stdout.count("there") == COUNT - 3
    assert f"tongban topics --check --bus-url {kafka.url}" in told.stderr
    data = topics(run("topics", "--check", *bus, "--json"))
    assert data["tongban.directory"]["differences"] == [
        {"field": "compacted", "wanted": True, "actual": False}
    ]


def test_a_topic_that_forgets_within_the_promised_outage_is_refused_by_name(
    run: Run, kafka: Kafka, bus: tuple[str, str]
) -> None:
    assert run("topics", *bus).exit_code == 0
    change(kafka, "tongban.inbox.31", retention_ms=str(3 * DAY_MS))
    refused = run("topics", "--check", *bus, columns=200)
    assert refused.exit_code == 9
    assert "kept: 3 days (wanted 30 days)" in refused.stdout
    assert "[RETENTION]" in refused.stderr
    assert "tongban.inbox.31 must exceed the promised outage" in refused.stderr
    assert "TONGBAN_PROMISED_OUTAGE_DAYS" in refused.stderr


def test_more_copies_than_brokers_are_refused_by_the_cluster(run: Run, bus: tuple[str, str]) -> None:
    refused = run("topics", *bus, columns=200, topics=TopicPlan(replication=3))
    assert refused.exit_code == 9
    assert "Kafka refuses to make tongban." in refused.stderr


def test_a_cluster_that_is_away_is_told_without_a_stack(run: Run) -> None:
    away = run("topics", "--check", "--bus-url", "kafka://127.0.0.1:1", columns=200)
    assert away.exit_code == 6
    assert away.stderr.startswith("Failed: the bus kafka://127.0.0.1:1")
    assert "Traceback" not in away.output
