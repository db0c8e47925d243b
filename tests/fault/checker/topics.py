"""The topics, read from the earliest kept record to the end: the embedded bus's file, or Kafka.

Knows the file of the embedded bus, aiokafka, and the envelope of the wire: CloudEvents in binary headers, an
Exchange as the value. Must not know what a record ought to say.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from aiokafka import AIOKafkaConsumer
from aiokafka import TopicPartition as KafkaPartition
from aiokafka.admin import AIOKafkaAdminClient
from google.protobuf.message import DecodeError

from tests.fault.checker.facts import Partition, Record
from tongban.v1.exchange_pb2 import Exchange

PREFIXES: Final = ("tongban.inbox.", "tongban.dead.")
OFFSET_BITS: Final = 40
"""In the embedded bus's file a record's row id is its partition's id shifted by this, plus the offset."""
SOURCE: Final = re.compile(r"/regions/(\d\d)", re.ASCII)
TYPE: Final = "cn.tongban.v1."
PATIENCE_MS: Final = 5_000

Headers = Iterable[tuple[str, bytes]]
Since = Mapping[tuple[str, int], int]
"""(topic, partition) -> offset."""
NOTHING_YET: Final[Since] = {}


async def read_topics(url: str, since: Since = NOTHING_YET) -> Sequence[Partition]:
    """Every partition of the inboxes and dead-letter topics, and its records from the offset `since` on.

    Raises ValueError for another kind of URL, and for a bus on which no topic was ever made.
    """
    found = await _read(url, since)
    if not found:
        raise ValueError(f"bus: {url} has no topic of ours")
    return found


async def _read(url: str, since: Since) -> Sequence[Partition]:
    if url.startswith("sqlite:///"):
        return _embedded(Path(url.removeprefix("sqlite:///")), since)
    if url.startswith("kafka://"):
        return await _kafka(url.removeprefix("kafka://").partition("?")[0].rstrip("/"), since)
    raise ValueError("url: neither sqlite:///… nor kafka://…")


def _embedded(path: Path, since: Since) -> Sequence[Partition]:
    found = []
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        rows = connection.execute(
            "SELECT p.id, t.name, p.number, t.incarnation, p.first_offset, p.next_offset"
            " FROM topic t JOIN partition p ON p.topic_id = t.id ORDER BY t.name, p.number"
        ).fetchall()
        for partition_id, topic, number, incarnation, first, end in rows:
            if not topic.startswith(PREFIXES):
                continue
            base = partition_id << OFFSET_BITS
            records = connection.execute(
                "SELECT id, timestamp_ms, key, value, headers FROM record"
                " WHERE id >= ? AND id < ? ORDER BY id",
                (base + since.get((topic, number), 0), (partition_id + 1) << OFFSET_BITS),
            )
            said = [
                _record(topic, number, row_id - base, at_ms, key, value, _headers(headers))
                for row_id, at_ms, key, value, headers in records
            ]
            found.append(Partition(topic, number, incarnation, first, end, said))
    return found


def _headers(text: str) -> Headers:
    return [(name, value.encode("latin-1")) for name, value in json.loads(text)] if text else []


async def _kafka(servers: str, since: Since) -> Sequence[Partition]:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=servers, enable_auto_commit=False, group_id=None, max_partition_fetch_bytes=8 << 20
    )
    try:
        await consumer.start()
        places = await _places(servers)
        first = await consumer.beginning_offsets(places)
        ends = await consumer.end_offsets(places)
        records: dict[KafkaPartition, list[Record]] = {place: [] for place in places}
        starts = {p: max(first[p], since.get((p.topic, p.partition), 0)) for p in places}
        consumer.assign(places)
        for place in places:
            consumer.seek(place, starts[place])
        left = {place for place in places if starts[place] < ends[place]}
        while left:
            batch = await consumer.getmany(*left, timeout_ms=PATIENCE_MS)
            if not batch:
                raise TimeoutError(f"bus: {len(left)} partitions give nothing any more")
            for place, got in batch.items():
                records[place] += [
                    _record(r.topic, r.partition, r.offset, r.timestamp, r.key or b"", r.value, r.headers)
                    for r in got
                    if r.offset < ends[place]
                ]
                if got[-1].offset + 1 >= ends[place]:
                    left.discard(place)
                    consumer.pause(place)
        return [Partition(p.topic, p.partition, "", first[p], ends[p], records[p]) for p in places]
    finally:
        await consumer.stop()


async def _places(servers: str) -> list[KafkaPartition]:
    """Every partition there is. A consumer's own metadata knows only what it has subscribed to."""
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    try:
        await admin.start()
        topics = sorted(t for t in await admin.list_topics() if t.startswith(PREFIXES))
        said = await admin.describe_topics(topics) if topics else []
    finally:
        await admin.close()
    return [KafkaPartition(t["topic"], p["partition"]) for t in said for p in t["partitions"]]


def _record(
    topic: str, partition: int, offset: int, at_ms: int, key: bytes, value: bytes | None, headers: Headers
) -> Record:
    said = {name: raw.decode(errors="replace") for name, raw in headers}
    source = SOURCE.fullmatch(said.get("ce_source", ""))
    kind = said.get("ce_type", "")
    return Record(
        topic,
        partition,
        offset,
        key.decode(errors="replace"),
        source.group(1) if source else "",
        said.get("ce_id", ""),
        kind.removeprefix(TYPE) if kind.startswith(TYPE) else "",
        _exchange(value),
        _place(said),
        at_ms,
        said.get("traceparent", "--").split("-")[2],
    )


def _place(said: dict[str, str]) -> tuple[str, int, int] | None:
    """Of a dead letter: where it came from."""
    try:
        return said["dead_topic"], int(said["dead_partition"]), int(said["dead_offset"])
    except (KeyError, ValueError):
        return None


def _exchange(value: bytes | None) -> Exchange | None:
    if value is None:
        return None
    try:
        return Exchange.FromString(value)
    except DecodeError:
        return None
