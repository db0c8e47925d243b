"""Topics and their records: create, describe, append, read, trim by age, compact. Plain functions on a
connection, to be called inside the caller's transaction. Knows no group, no thread, no clock.
"""

import json
import sqlite3
import uuid
import zlib
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from broker.bus import (
    Delivery,
    Headers,
    Message,
    PublishedAt,
    TopicMissing,
    TopicReport,
    TopicSpec,
    differences,
)
from broker.sqlite.schema import first_row_id

TRIM_STEP: Final = 5_000
"""Rows deleted in one transaction at most, so that publishers do not wait for the sweeper."""

TOMBSTONE_AGE_MS: Final = 24 * 3_600_000
"""How long a tombstone stays readable in a compacted topic; Kafka's own delete.retention.ms."""


class Partition(NamedTuple):
    """A partition as it lies in the file. `first_offset`: the oldest kept; `end`: the next to be written."""

    id: int
    topic: str
    number: int
    incarnation: str
    first_offset: int
    end: int


class Appended(NamedTuple):
    """Where each message lies, and the new end of each partition (by id) that was written to."""

    places: list[PublishedAt]
    ends: dict[int, int]


def create_topic(connection: sqlite3.Connection, spec: TopicSpec) -> bool:
    """Makes the topic unless one of that name exists; says whether it did."""
    cursor = connection.execute(
        "INSERT INTO topic (name, incarnation, partitions, retention_ms, compacted, replication, min_insync)"
        " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (
            spec.name,
            uuid.uuid4().hex,
            spec.partitions,
            spec.retention_ms,
            spec.compacted,
            spec.replication,
            spec.min_insync,
        ),
    )
    if cursor.rowcount == 0:
        return False
    connection.executemany(
        "INSERT INTO partition (topic_id, number) VALUES (?, ?)",
        [(cursor.lastrowid, number) for number in range(spec.partitions)],
    )
    _regroup_all(connection)
    return True


def delete_topic(connection: sqlite3.Connection, topic: str) -> None:
    """Removes the topic, its records and every group's place in it. Raises TopicMissing."""
    for partition in partitions(connection, topic):
        connection.execute(
            "DELETE FROM record WHERE id >= ? AND id < ?",
            (first_row_id(partition.id), first_row_id(partition.id + 1)),
        )
        connection.execute("DELETE FROM holding WHERE partition_id = ?", (partition.id,))
        connection.execute("DELETE FROM committed WHERE partition_id = ?", (partition.id,))
        connection.execute("DELETE FROM partition WHERE id = ?", (partition.id,))
    connection.execute("DELETE FROM topic WHERE name = ?", (topic,))
    _regroup_all(connection)


def _regroup_all(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE reader_group SET generation = generation + 1")


def describe(connection: sqlite3.Connection, spec: TopicSpec, *, created: bool = False) -> TopicReport:
    """The spec held against the file."""
    row = connection.execute(
        "SELECT incarnation, partitions, retention_ms, compacted, replication, min_insync"
        " FROM topic WHERE name = ?",
        (spec.name,),
    ).fetchone()
    if row is None:
        return TopicReport(spec, "", created, ())
    actual = TopicSpec(spec.name, row[1], row[2], bool(row[3]), row[4], row[5])
    return TopicReport(spec, row[0], created, differences(spec, actual))


def partitions(connection: sqlite3.Connection, topic: str) -> list[Partition]:
    """All partitions of a topic, by number. Raises TopicMissing."""
    rows = connection.execute(
        "SELECT p.id, t.name, p.number, t.incarnation, p.first_offset, p.next_offset"
        " FROM topic t JOIN partition p ON p.topic_id = t.id WHERE t.name = ? ORDER BY p.number",
        (topic,),
    ).fetchall()
    if not rows:
        raise TopicMissing(topic)
    return [Partition(*row) for row in rows]


def ends(connection: sqlite3.Connection) -> dict[int, int]:
    """The next offset to be written of every partition, by its id."""
    return dict(connection.execute("SELECT id, next_offset FROM partition").fetchall())


def count_topics(connection: sqlite3.Connection) -> int:
    """How many topics the file has."""
    return int(connection.execute("SELECT count(*) FROM topic").fetchone()[0])


def append(connection: sqlite3.Connection, messages: Sequence[Message], now_ms: int) -> Appended:
    """Writes all messages in order. Raises TopicMissing before anything is written."""
    topics = {name: partitions(connection, name) for name in {message.topic for message in messages}}
    grown: dict[int, int] = {}
    places: list[PublishedAt] = []
    rows = []
    for message in messages:
        among = topics[message.topic]
        partition = among[zlib.crc32(message.key) % len(among)]
        offset = grown.get(partition.id, partition.end)
        grown[partition.id] = offset + 1
        places.append(PublishedAt(message.topic, partition.number, offset))
        row_id = first_row_id(partition.id, offset)
        rows.append((row_id, now_ms, message.key, message.value, _dump_headers(message.headers)))
    connection.executemany(
        "INSERT INTO record (id, timestamp_ms, key, value, headers) VALUES (?, ?, ?, ?, ?)", rows
    )
    connection.executemany(
        "UPDATE partition SET next_offset = ? WHERE id = ?",
        [(end, partition_id) for partition_id, end in grown.items()],
    )
    return Appended(places, grown)


def read(
    connection: sqlite3.Connection, places: Mapping[Partition, int], max_records: int, max_bytes: int
) -> list[Delivery]:
    """Messages from each partition's offset on, in order, together at most `max_records` and, beyond the
    first, `max_bytes` bytes of keys, values and headers.
    """
    deliveries: list[Delivery] = []
    size = 0
    for partition, offset in places.items():
        base = first_row_id(partition.id)
        rows = connection.execute(
            "SELECT id, timestamp_ms, key, value, headers FROM record"
            " WHERE id >= ? AND id < ? ORDER BY id LIMIT ?",
            (base + offset, first_row_id(partition.id + 1), max_records - len(deliveries)),
        )
        for row_id, timestamp_ms, key, value, headers in rows:
            size += len(key) + len(value or b"") + len(headers)
            if deliveries and size > max_bytes:
                return deliveries
            message = Message(partition.topic, key, value, _load_headers(headers))
            deliveries.append(
                Delivery(message, partition.number, row_id - base, timestamp_ms, partition.incarnation)
            )
        if len(deliveries) >= max_records:
            break
    return deliveries


def trim_step(connection: sqlite3.Connection, now_ms: int) -> int:
    """Deletes at most about TRIM_STEP messages that are older than their topic's retention, or that a later
    one of the same key replaces in a compacted topic. The number deleted; 0 when nothing is left to do.

    Only a partition's oldest messages go, up to the first that is young enough: a clock that was wrong for a
    while may keep messages longer, never tear a hole.
    """
    deleted = 0
    rows = connection.execute(
        "SELECT p.id, t.name, p.number, t.incarnation, p.first_offset, p.next_offset,"
        " t.retention_ms, t.compacted"
        " FROM topic t JOIN partition p ON p.topic_id = t.id"
    ).fetchall()
    for *fields, retention_ms, compacted in rows:
        partition = Partition(*fields)
        if compacted:
            deleted += _compact(connection, partition, now_ms - TOMBSTONE_AGE_MS)
        if retention_ms is not None:
            deleted += _trim(connection, partition, now_ms - retention_ms)
        if deleted >= TRIM_STEP:
            break
    if deleted:
        connection.execute("PRAGMA incremental_vacuum(1000)").fetchall()
    return deleted


def _trim(connection: sqlite3.Connection, partition: Partition, oldest_ms: int) -> int:
    start, end = first_row_id(partition.id, partition.first_offset), first_row_id(partition.id, partition.end)
    aged = connection.execute(
        "SELECT id, timestamp_ms FROM record WHERE id >= ? AND id < ? ORDER BY id LIMIT ?",
        (start, end, TRIM_STEP),
    ).fetchall()
    keep = next((row_id for row_id, timestamp_ms in aged if timestamp_ms >= oldest_ms), None)
    if keep is None:
        keep = aged[-1][0] + 1 if aged else end
    connection.execute(
        "UPDATE partition SET first_offset = ? WHERE id = ? AND first_offset <> ?",
        (keep - first_row_id(partition.id), partition.id, keep - first_row_id(partition.id)),
    )
    return connection.execute("DELETE FROM record WHERE id >= ? AND id < ?", (start, keep)).rowcount


def _compact(connection: sqlite3.Connection, partition: Partition, oldest_tombstone_ms: int) -> int:
    bounds = (first_row_id(partition.id), first_row_id(partition.id + 1))
    return connection.execute(
        "DELETE FROM record WHERE id IN (SELECT id FROM ("
        " SELECT id, value, timestamp_ms, max(id) OVER (PARTITION BY key) AS latest FROM record"
        " WHERE id >= ? AND id < ?) WHERE id < latest OR (value IS NULL AND timestamp_ms < ?) LIMIT ?)",
        (*bounds, oldest_tombstone_ms, TRIM_STEP),
    ).rowcount


def _dump_headers(headers: Headers) -> str:
    return json.dumps([(name, value.decode("latin-1")) for name, value in headers]) if headers else ""


def _load_headers(text: str) -> Headers:
    return tuple((name, value.encode("latin-1")) for name, value in json.loads(text)) if text else ()
