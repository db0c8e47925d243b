"""What may befall files: a database or the embedded bus that another process holds, a disk that is full."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tests.fault.disk import full
from tests.fault.faults.arena import EMBEDDED, SERVERS, Arena, fault
from tests.fault.faults.servers import broker, database


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


@fault(EMBEDDED, files_on=True)
async def bus_held(arena: Arena) -> None:
    """The embedded bus takes no message for half a minute, as a broker that is paused; filing goes on."""
    with held(file_of(arena.cluster.bus)):
        await arena.lasts(3, 30)


@fault(EMBEDDED, files_on=True)
async def bus_away(arena: Arena) -> None:
    """The embedded bus is away for long enough that a backlog grows; filing goes on."""
    with held(file_of(arena.cluster.bus)):
        await arena.lasts(10, 120)


@fault(EMBEDDED, files_on=True, long_only=True)
async def bus_gone(arena: Arena) -> None:
    """The embedded bus is gone for ten minutes while filing goes on."""
    with held(file_of(arena.cluster.bus)):
        await arena.lasts(0, 600)


@fault(EMBEDDED)
async def database_held(arena: Arena) -> None:
    """A node's database takes no write for a while."""
    (node,) = arena.some(1)
    with held(file_of(arena.cluster.databases[node.region])):
        await arena.lasts(3, 30)


@fault(EMBEDDED, fills_disk=True)
async def disk_full(arena: Arena) -> None:
    """The disk of all databases and the bus is full for a while."""
    with full(arena.cluster.data):
        await arena.lasts(3, 30)


@fault(SERVERS, fills_disk=True)
async def database_disk_full(arena: Arena) -> None:
    """The disk of the database server is full for a while; should it have given up, it is started again."""
    with full(database(arena).folder):
        await arena.lasts(4, 30)
    gone = not database(arena).running
    if gone:
        await asyncio.to_thread(database(arena).kill)  # and what it left behind
        await asyncio.to_thread(database(arena).start)
    arena.note("the database server gave up" if gone else "the database server lived on")


@fault(SERVERS, files_on=True, fills_disk=True)
async def broker_disk_full(arena: Arena) -> None:
    """The disk of the broker is full for a while; it gives up, and is started again."""
    with full(broker(arena).folder):
        await arena.lasts(4, 30)
    gone = not broker(arena).running
    await asyncio.to_thread(broker(arena).start)
    arena.note("the broker gave up" if gone else "the broker lived on")
