"""Health and lanes: what is away is said, and what it means for the node."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from typing_extensions import override

from nodes.operations.views import HealthView
from nodes.store import ReadTx, Store, StoreUnavailable, WriteTx
from tests.integration.desk.federation import federation, filing
from tests.integration.operations.console import consoles, health_of


def states(health: HealthView) -> dict[str, str]:
    return {part.name: part.state for part in health.parts}


async def test_a_node_whose_parts_are_well_is_up(tmp_path: Path) -> None:
    async with federation(tmp_path, "32", "31") as (origin, competent):
        (console, _) = consoles(origin, competent)
        number = await origin.filed(filing())
        await competent.until(number, lambda c: not c.awaiting_receipt)

        async def state() -> str:
            return (await console.operations.health()).state

        await origin.eventually(state, "up")
        health = await console.operations.health()
        assert set(states(health).values()) == {"up"}
        assert {"database", "bus", "topics", "outbox", "inbox", "relay", "timers", "letters"} <= set(
            states(health)
        )
        assert health.parked == 0
        assert health.business_now.tzinfo is not None


async def test_a_bus_that_is_away_degrades_the_node_which_files_all_the_same(tmp_path: Path) -> None:
    async with federation(tmp_path, "32", bus_url="kafka://127.0.0.1:9") as (origin,):
        (console,) = consoles(origin)
        await origin.filed(filing())
        health = await console.operations.health()
        found = states(health)
        assert (health.state, found["database"], found["bus"]) == ("degraded", "up", "degraded")
        assert health.outbox_waiting == 1
        again = await console.operations.health()
        since = {part.name: part.since_wall_s for part in health.parts}
        assert {part.name: part.since_wall_s for part in again.parts}["bus"] == since["bus"]
        lanes = await console.operations.lanes()
        assert len(lanes) == origin.parts.context.lanes
        assert sum(lane.waiting for lane in lanes) == 1

        async def holders() -> set[str]:
            return {lane.holder for lane in await console.operations.lanes()}

        await origin.eventually(holders, {"node"})


class NoDatabase(Store):
    """A database that cannot be reached."""

    def __init__(self) -> None:
        """Opens nothing."""
        self.transactions: tuple[WriteTx, ...] = ()

    @override
    @asynccontextmanager
    async def write(self, *, durable: bool = True) -> AsyncIterator[WriteTx]:
        for transaction in self.transactions:
            yield transaction
        raise StoreUnavailable("the database cannot be reached")

    @override
    @asynccontextmanager
    async def read(self, *, aside: bool = False, snapshot: bool = True) -> AsyncIterator[ReadTx]:
        for transaction in self.transactions:
            yield transaction
        raise StoreUnavailable("the database cannot be reached")


async def test_a_database_that_is_away_takes_the_node_down_and_health_says_so(tmp_path: Path) -> None:
    async with federation(tmp_path, "32") as (origin,):
        health = health_of(origin, NoDatabase())
        found = await health.look()
        assert (found.state, states(found)["database"], states(found)["letters"]) == (
            "down", "down", "degraded",
        )  # fmt: skip


async def test_a_part_that_hangs_costs_a_time_out_and_no_more(tmp_path: Path) -> None:
    async def hangs() -> str:
        return await asyncio.Future[str]()

    async with federation(tmp_path, "32") as (origin,):
        health = health_of(origin, origin.parts.store, checks={"materials": hangs}, timeout_s=0.5)
        async with asyncio.timeout(5):
            found = await health.look()
        assert states(found)["materials"] == "degraded"
