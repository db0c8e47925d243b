"""What may befall the servers: a broker or a database that is killed, paused, away for long."""

from __future__ import annotations

import asyncio

from tests.fault.faults.arena import SERVERS, Arena, fault
from tests.servers.kafka import Kafka
from tests.servers.postgres import Postgres


def broker(arena: Arena) -> Kafka:
    """The only one."""
    assert arena.kafka is not None
    return arena.kafka


def database(arena: Arena) -> Postgres:
    """The server of all four databases."""
    assert arena.postgres is not None
    return arena.postgres


@fault(SERVERS)
async def broker_killed(arena: Arena) -> None:
    """The broker is killed (kill -9) and comes back with its data."""
    await asyncio.to_thread(broker(arena).kill)
    await asyncio.to_thread(broker(arena).start)


@fault(SERVERS)
async def broker_restarted(arena: Arena) -> None:
    """The broker is stopped in good order and started again with its data."""
    await asyncio.to_thread(broker(arena).stop)
    await asyncio.to_thread(broker(arena).start)


@fault(SERVERS)
async def broker_paused(arena: Arena) -> None:
    """The broker stands still: connections stay open and nothing is answered."""
    broker(arena).pause()
    await arena.lasts(8, 30)
    broker(arena).resume()


@fault(SERVERS)
async def broker_away(arena: Arena) -> None:
    """The broker is gone while filing goes on, for long enough that a backlog grows."""
    await asyncio.to_thread(broker(arena).kill)
    await arena.lasts(15, 600)
    await asyncio.to_thread(broker(arena).start)


@fault(SERVERS)
async def database_killed(arena: Arena) -> None:
    """The database server is killed under all four nodes, and comes back."""
    await asyncio.to_thread(database(arena).kill)
    await arena.lasts(2, 30)
    await asyncio.to_thread(database(arena).start)


@fault(SERVERS)
async def database_paused(arena: Arena) -> None:
    """The database server stands still: statements hang."""
    database(arena).pause()
    await arena.lasts(5, 30)
    database(arena).resume()
