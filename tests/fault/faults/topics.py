"""The topics as one more writer has them: everything on them read, and anything appended, byte by byte.

Knows the file of the embedded bus, and Kafka. Must not know what a message means.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from tests.fault.checker.facts import INBOX

OFFSET_BITS: Final = 40
QUIET_MS: Final = 2_000


@dataclass(frozen=True, slots=True)
class Letter:
    """A message where it lies."""

    topic: str
    partition: int
    key: bytes
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


async def written(bus: str) -> list[Letter]:
    """Every message on an inbox."""
    if bus.startswith("sqlite:///"):
        return _in_file(Path(bus.removeprefix("sqlite:///")))
    return await _in_kafka(bus.removeprefix("kafka://"))


async def appended(bus: str, letters: Sequence[Letter], age_s: float = 0.0) -> None:
    """Appends them in this order, as if written so long ago."""
    at_ms = int((time.time() - age_s) * 1000)
    if bus.startswith("sqlite:///"):
        _to_file(Path(bus.removeprefix("sqlite:///")), letters, at_ms)
        return
    producer = AIOKafkaProducer(bootstrap_servers=bus.removeprefix("kafka://"), acks="all")
    await producer.start()
    try:
        waiting = [
            await producer.send(
                x.topic, x.value, x.key, x.partition, timestamp_ms=at_ms, headers=list(x.headers)
            )
            for x in letters
        ]
        for each in waiting:
            await each
    finally:
        await producer.stop()


def _in_file(path: Path) -> list[Letter]:
    with closing(sqlite3.connect(path, timeout=30)) as connection:
        rows: list[Any] = connection.execute(
            f"SELECT t.name, p.number, r.key, r.value, r.headers FROM record r"
            f" JOIN partition p ON p.id = r.id >> {OFFSET_BITS} JOIN topic t ON t.id = p.topic_id"
            f" WHERE t.name LIKE '{INBOX}%' ORDER BY r.id"
        ).fetchall()
    return [
        Letter(topic, number, key, value, _headers(headers)) for topic, number, key, value, headers in rows
    ]


def _headers(text: str) -> tuple[tuple[str, bytes], ...]:
    return tuple((name, value.encode("latin-1")) for name, value in json.loads(text)) if text else ()


def _to_file(path: Path, letters: Sequence[Letter], at_ms: int) -> None:
    with closing(sqlite3.connect(path, isolation_level=None, timeout=30)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        found = connection.execute(
            "SELECT t.name, p.number, p.id, p.next_offset FROM partition p JOIN topic t ON t.id = p.topic_id"
        ).fetchall()
        places = {(topic, number): [row_id, end] for topic, number, row_id, end in found}
        for x in letters:
            place = places[x.topic, x.partition]
            said = [(name, value.decode("latin-1")) for name, value in x.headers]
            row = (
                (place[0] << OFFSET_BITS) + place[1],
                at_ms,
                x.key,
                x.value,
                json.dumps(said) if said else "",
            )
            connection.execute("INSERT INTO record VALUES (?, ?, ?, ?, ?)", row)
            place[1] += 1
        connection.executemany(
            "UPDATE partition SET next_offset = ? WHERE id = ?",
            [(end, row_id) for row_id, end in places.values()],
        )
        connection.execute("COMMIT")


async def _in_kafka(servers: str) -> list[Letter]:
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    try:
        topics = [t for t in await admin.list_topics() if t.startswith(INBOX)]
        said = await admin.describe_topics(topics)
    finally:
        await admin.close()
    places = [TopicPartition(t["topic"], p["partition"]) for t in said for p in t["partitions"]]
    consumer = AIOKafkaConsumer(bootstrap_servers=servers, enable_auto_commit=False, group_id=None)
    await consumer.start()
    try:
        consumer.assign(places)
        await consumer.seek_to_beginning()
        ends = await consumer.end_offsets(places)
        left = {place for place, end in ends.items() if end}
        found = []
        while left and (batch := await consumer.getmany(*left, timeout_ms=QUIET_MS)):
            for place, got in batch.items():
                found += [Letter(r.topic, r.partition, r.key or b"", r.value, tuple(r.headers)) for r in got]
                if got[-1].offset + 1 >= ends[place]:
                    left.discard(place)
        return found
    finally:
        await consumer.stop()
