"""Groups of readers: who is a member, who holds which partition, what is committed. Plain functions on a
connection, to be called inside the caller's write transaction. Knows no record and no thread.

How members share without a coordinator, and why it is safe: every change happens under SQLite's write lock.
Each member works out the same division from the same rows. It claims what is its own and free, and gives up
what is not its own (after its reader has been told); nobody takes what another live session holds. A
group's generation grows with every change, so that the others look again.

Heartbeats are times of the system's monotonic clock, read under the write lock: one clock for all processes
of the machine, which nobody can set. It restarts with the machine, so a beat "from the future" is stale too.
"""

import json
import sqlite3
import time
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from broker.bus import LogPosition, MemberFenced, NotAssigned, PartitionLag, TopicPartition
from broker.placing import behind
from broker.sqlite.log import Partition, partitions


class Session(NamedTuple):
    """One subscription's membership. `id` is new for each; `member` stays the same across restarts."""

    id: str
    group: str
    member: str
    topics: tuple[str, ...]


class Share(NamedTuple):
    """What a member has after looking. `claimed` (with the committed offset or None) came just now; `excess`
    is still held and to be given up by `release`.
    """

    generation: int
    claimed: dict[Partition, int | None]
    excess: frozenset[int]
    held: frozenset[int]


def look(connection: sqlite3.Connection, session: Session, *, joining: bool, timeout_s: float) -> Share:
    """Joins or stays, expires the silent, and claims what is free and due. Raises TopicMissing,
    MemberFenced.
    """
    among = {
        partition.id: partition for topic in session.topics for partition in partitions(connection, topic)
    }
    changed = _enter(connection, session, joining=joining)
    changed |= expire(connection, session.group, timeout_s)
    holders = dict(
        connection.execute(
            "SELECT partition_id, session FROM holding WHERE group_name = ?", (session.group,)
        ).fetchall()
    )
    due = {
        partition_id
        for partition_id, holder in _divide(connection, session.group, among.values()).items()
        if holder == session.id
    }
    claims = due - holders.keys()
    connection.executemany(
        "INSERT INTO holding (group_name, partition_id, session) VALUES (?, ?, ?)",
        [(session.group, partition_id, session.id) for partition_id in claims],
    )
    if changed or claims:
        _bump(connection, session.group)
    mine = {partition_id for partition_id, holder in holders.items() if holder == session.id}
    return Share(
        generation(connection, session.group),
        {
            among[partition_id]: _committed(connection, session.group, partition_id)
            for partition_id in sorted(claims)
        },
        frozenset(mine - due),
        frozenset(mine | claims),
    )


def _enter(connection: sqlite3.Connection, session: Session, *, joining: bool) -> bool:
    row = connection.execute(
        "SELECT session FROM member WHERE group_name = ? AND name = ?", (session.group, session.member)
    ).fetchone()
    if row is not None and row[0] == session.id:
        connection.execute("UPDATE member SET beat = ? WHERE session = ?", (time.monotonic(), session.id))
        return False
    if row is not None:
        if not joining:
            raise MemberFenced(f"another process joined group {session.group!r} as {session.member!r}")
        _remove(connection, [row[0]])
    connection.execute(
        "INSERT INTO member (group_name, name, session, topics, beat) VALUES (?, ?, ?, ?, ?)",
        (session.group, session.member, session.id, json.dumps(session.topics), time.monotonic()),
    )
    return True


def _divide(connection: sqlite3.Connection, group: str, among: Iterable[Partition]) -> dict[int, str]:
    """Partition id -> session: in turn over the members that read the topic, by name, begun at a place that
    depends on the topic, so that many topics of one partition do not all go to one member.
    """
    members = [
        (session, frozenset(json.loads(topics)))
        for session, topics in connection.execute(
            "SELECT session, topics FROM member WHERE group_name = ? ORDER BY name", (group,)
        ).fetchall()
    ]
    division = {}
    for partition in among:
        readers = [session for session, topics in members if partition.topic in topics]
        if readers:
            division[partition.id] = readers[
                (zlib.crc32(partition.topic.encode()) + partition.number) % len(readers)
            ]
    return division


def expire(connection: sqlite3.Connection, group: str, timeout_s: float) -> bool:
    """Removes members whose last beat is too old; says whether there were any."""
    now = time.monotonic()
    silent = connection.execute(
        "SELECT session FROM member WHERE group_name = ? AND beat NOT BETWEEN ? AND ?",
        (group, now - timeout_s, now),
    ).fetchall()
    _remove(connection, [row[0] for row in silent])
    return bool(silent)


def beat(connection: sqlite3.Connection, sessions: Sequence[Session], timeout_s: float) -> None:
    """Marks the sessions as alive and expires the silent members of their groups."""
    now = time.monotonic()
    connection.executemany(
        "UPDATE member SET beat = ? WHERE session = ?", [(now, session.id) for session in sessions]
    )
    for group in {session.group for session in sessions}:
        if expire(connection, group, timeout_s):
            _bump(connection, group)


def release(connection: sqlite3.Connection, session: Session, given_up: Iterable[int]) -> None:
    """Gives up partitions (by id), so that those to whom they are due can claim them."""
    connection.executemany(
        "DELETE FROM holding WHERE group_name = ? AND partition_id = ? AND session = ?",
        [(session.group, partition_id, session.id) for partition_id in given_up],
    )
    _bump(connection, session.group)


def leave(connection: sqlite3.Connection, session: Session) -> None:
    """Ends the membership, if it still exists, and gives up everything held."""
    _remove(connection, [session.id])
    _bump(connection, session.group)


def commit(
    connection: sqlite3.Connection, session: Session, positions: Mapping[int, LogPosition]
) -> frozenset[int]:
    """Stores the positions (by partition id) of those partitions that the session holds; returns their
    ids.
    """
    held = {
        row[0]
        for row in connection.execute(
            "SELECT partition_id FROM holding WHERE session = ?", (session.id,)
        ).fetchall()
    }
    connection.executemany(
        "INSERT INTO committed (group_name, partition_id, next_offset) VALUES (?, ?, ?)"
        " ON CONFLICT DO UPDATE SET next_offset = excluded.next_offset",
        [
            (session.group, partition_id, at.offset)
            for partition_id, at in positions.items()
            if partition_id in held
        ],
    )
    return frozenset(positions.keys() & held)


def refuse_unheld(positions: Mapping[int, LogPosition], stored: frozenset[int]) -> None:
    """Raises NotAssigned for the positions that `commit` left out."""
    if lost := [TopicPartition(at.topic, at.partition) for id_, at in positions.items() if id_ not in stored]:
        raise NotAssigned(lost)


def lag(connection: sqlite3.Connection, group: str, topics: Sequence[str]) -> list[PartitionLag]:
    """How far the group is behind in each partition; what was trimmed away unread is not counted.

    Raises TopicMissing.
    """
    lags = []
    for partition in (found for topic in topics for found in partitions(connection, topic)):
        committed = _committed(connection, group, partition.id)
        ahead = behind(committed, partition.first_offset, partition.end)
        lags.append(PartitionLag(partition.topic, partition.number, committed, partition.end, ahead))
    return lags


def generation(connection: sqlite3.Connection, group: str) -> int:
    """The number of changes in this group so far; 0 for one that never had a member."""
    row = connection.execute("SELECT generation FROM reader_group WHERE name = ?", (group,)).fetchone()
    return int(row[0]) if row else 0


def _committed(connection: sqlite3.Connection, group: str, partition_id: int) -> int | None:
    row = connection.execute(
        "SELECT next_offset FROM committed WHERE group_name = ? AND partition_id = ?", (group, partition_id)
    ).fetchone()
    return int(row[0]) if row else None


def _remove(connection: sqlite3.Connection, sessions: Iterable[str]) -> None:
    for session in sessions:
        connection.execute("DELETE FROM holding WHERE session = ?", (session,))
        connection.execute("DELETE FROM member WHERE session = ?", (session,))


def _bump(connection: sqlite3.Connection, group: str) -> None:
    connection.execute(
        "INSERT INTO reader_group (name, generation) VALUES (?, 1)"
        " ON CONFLICT DO UPDATE SET generation = generation + 1",
        (group,),
    )
