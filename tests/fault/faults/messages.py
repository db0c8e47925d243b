"""What may befall messages: repeated, out of order, late, or never meant for anybody."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.fault.faults.arena import EMBEDDED, Arena, fault
from tests.fault.faults.files import file_of

OFFSET_BITS = 40


def appended(path: Path, rows: Sequence[tuple[int, bytes, bytes | None, str]]) -> None:
    """Appends (partition id, key, value, headers) to the embedded bus, as one more writer."""
    with closing(sqlite3.connect(path, isolation_level=None, timeout=30)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        ends = dict(connection.execute("SELECT id, next_offset FROM partition").fetchall())
        for partition, key, value, headers in rows:
            values = (
                (partition << OFFSET_BITS) + ends[partition],
                int(time.time() * 1000),
                key,
                value,
                headers,
            )
            connection.execute("INSERT INTO record VALUES (?, ?, ?, ?, ?)", values)
            ends[partition] += 1
        connection.executemany(
            "UPDATE partition SET next_offset = ? WHERE id = ?",
            [(end, number) for number, end in ends.items()],
        )
        connection.execute("COMMIT")


def written(path: Path) -> list[tuple[int, bytes, bytes | None, str]]:
    """Every message on an inbox."""
    with closing(sqlite3.connect(path, timeout=30)) as connection:
        rows: list[Any] = connection.execute(
            f"SELECT r.id >> {OFFSET_BITS}, r.key, r.value, r.headers FROM record r"
            f" JOIN partition p ON p.id = r.id >> {OFFSET_BITS} JOIN topic t ON t.id = p.topic_id"
            " WHERE t.name LIKE 'tongban.inbox.%' ORDER BY r.id"
        ).fetchall()
    return rows


@fault(EMBEDDED)
async def messages_repeated(arena: Arena) -> None:
    """Every message so far comes again, several times, in any order, long after it was sent."""
    path = file_of(arena.cluster.bus)
    await arena.lasts(4, 60)
    again = written(path) * (10 if arena.long else 3)
    arena.rng.shuffle(again)
    for at in range(0, len(again), 500):
        appended(path, again[at : at + 500])
        await arena.lasts(0.05, 0.5)
    arena.note(f"{len(again)} messages came again")


@fault(EMBEDDED, may_park=True)
async def poison(arena: Arena) -> None:
    """Messages that nobody can read, in partitions that are busy: the partition goes on without them."""
    path = file_of(arena.cluster.bus)
    good = [row for row in written(path) if row[2]] or [(1, b"x", b"x", "")]
    bad = []
    for number in range(200 if arena.long else 40):
        partition, key, value, headers = arena.rng.choice(good)
        said = dict(json.loads(headers)) if headers else {}
        said["ce_id"] = f"poison-{number}"
        said["ce_source"] = "/regions/99"
        torn = bytes(value or b"")[: arena.rng.randrange(1, max(2, len(value or b"")))]
        bad.append((partition, key, torn, json.dumps(list(said.items())) if number % 2 else ""))
    for at in range(0, len(bad), 10):
        appended(path, bad[at : at + 10])
        await arena.lasts(0.2, 1)
    arena.note(f"{len(bad)} messages of rubbish")
