"""What may befall the servers: a broker or a database that is killed, paused, away; brokers of three."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from tests.fault.faults.arena import SERVERS, Arena, fault
from tests.servers.kafka import Kafka
from tests.servers.postgres import Postgres

FAILOVER_S: Final = 4.0
"""What comes later than this after a broker's death was not on its way before."""
SETTLES_WITHIN_S: Final = 40.0


def broker(arena: Arena) -> Kafka:
    """The only one."""
    assert arena.servers is not None
    return arena.servers.kafka


def database(arena: Arena) -> Postgres:
    """The server of all four databases."""
    assert arena.servers is not None
    return arena.servers.postgres


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


@fault(SERVERS, files_on=True)
async def broker_paused(arena: Arena) -> None:
    """The broker stands still for half a minute: connections stay open and nothing is answered."""
    broker(arena).pause()
    await arena.lasts(6, 30)
    broker(arena).resume()


@fault(SERVERS, files_on=True)
async def broker_away(arena: Arena) -> None:
    """The broker is gone while filing goes on, for long enough that a backlog grows."""
    await asyncio.to_thread(broker(arena).kill)
    await arena.lasts(8, 120)
    await asyncio.to_thread(broker(arena).start)


@fault(SERVERS, files_on=True, long_only=True)
async def broker_gone(arena: Arena) -> None:
    """The broker is gone for ten minutes while filing goes on."""
    await asyncio.to_thread(broker(arena).kill)
    await arena.lasts(0, 600)
    await asyncio.to_thread(broker(arena).start)


@fault(SERVERS)
async def database_killed(arena: Arena) -> None:
    """The database server is killed under all four nodes, and comes back."""
    await asyncio.to_thread(database(arena).kill)
    await arena.lasts(1.5, 30)
    await asyncio.to_thread(database(arena).start)


@fault(SERVERS)
async def database_paused(arena: Arena) -> None:
    """The database server stands still: statements hang."""
    database(arena).pause()
    await arena.lasts(3, 30)
    database(arena).resume()


@fault(SERVERS, brokers=3, files_on=True)
async def one_broker_of_three_killed(arena: Arena) -> None:
    """One broker of three is killed: filing and settling go on."""
    assert arena.servers is not None
    one = arena.rng.choice(arena.servers.brokers.brokers)
    await asyncio.to_thread(one.kill)
    killed = time.time()
    while not (came := await arena.received(killed + FAILOVER_S, time.time())):
        if time.time() > killed + SETTLES_WITHIN_S:
            break
        await asyncio.sleep(0.5)
    arena.holds(came > 0, f"nothing came to another region for {SETTLES_WITHIN_S:g} s without one broker")
    arena.note(f"the first {came} messages came {time.time() - killed:.1f} s after one broker was killed")
    await arena.lasts(0, 60)
    await asyncio.to_thread(one.start)


@fault(SERVERS, brokers=3, files_on=True)
async def two_brokers_of_three_killed(arena: Arena) -> None:
    """Two brokers of three are killed: filing goes on, settling waits until they are back."""
    assert arena.servers is not None
    two = arena.rng.sample(arena.servers.brokers.brokers, 2)
    for each in two:
        await asyncio.to_thread(each.kill)
    began = time.time()
    await arena.lasts(5, 60)
    came = await arena.received(began + 3.0, time.time())
    arena.holds(came == 0, f"{came} messages came to another region with one broker of three")
    await asyncio.gather(*(asyncio.to_thread(each.start) for each in two))
