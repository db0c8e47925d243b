"""What may befall files: a database or the embedded bus that another process holds, a disk that is full."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tests.fault.faults.arena import EMBEDDED, Arena, fault

SPARE = 1 << 20


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Nobody else writes to that file."""
    with closing(sqlite3.connect(path, isolation_level=None, timeout=30)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            connection.execute("ROLLBACK")


def file_of(url: str) -> Path:
    """The file of a sqlite URL."""
    return Path(url.removeprefix("sqlite:///"))


@fault(EMBEDDED)
async def bus_held(arena: Arena) -> None:
    """The embedded bus takes no message for a while, as a broker that is paused; filing goes on."""
    with held(file_of(arena.cluster.bus)):
        await arena.lasts(5, 30)


@fault(EMBEDDED)
async def bus_away(arena: Arena) -> None:
    """The embedded bus is away for long enough that a backlog grows; filing goes on."""
    with held(file_of(arena.cluster.bus)):
        await arena.lasts(10, 600)


@fault(EMBEDDED)
async def database_held(arena: Arena) -> None:
    """A node's database takes no write for a while."""
    (node,) = arena.some(1)
    with held(file_of(arena.cluster.databases[node.region])):
        await arena.lasts(3, 30)


@fault(EMBEDDED)
async def disk_full(arena: Arena) -> None:
    """The disk of all databases and the bus is full for a while. Needs a disk of its own: see `run`."""
    filler = arena.cluster.data / "filler"
    space = os.statvfs(arena.cluster.data)
    if space.f_blocks * space.f_frsize > 1 << 30:
        raise RuntimeError("disk_full: the cluster's data is not a small disk of its own")
    try:
        with filler.open("wb") as file:
            try:
                while True:
                    file.write(b"\0" * SPARE)
                    file.flush()
            except OSError:
                pass
        await arena.lasts(3, 30)
    finally:
        filler.unlink()
