"""What is forgotten in time, and what never is."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from nodes.cases.case import State
from nodes.operations.retention import EVERY_S, Retention, Terms
from tests.integration.desk.federation import Node, federation, filing
from tests.integration.operations.console import consoles

SOON = Terms(seen_s=100, answers_s=200, spans_s=300, letters_s=400)


def retention(node: Node, later_s: float) -> Retention:
    """The node's, when so much wall time has passed."""
    wall_s = node.parts.context.wall_s
    return Retention(node.parts.store, SOON, process="node", wall_s=lambda: wall_s() + later_s)


async def spans(node: Node, number: str) -> int:
    await node.parts.telemetry.flush()
    async with node.parts.store.read() as unit:
        return len(await unit.spans_of_case(number))


async def records(node: Node, number: str) -> list[tuple[int, bytes, bytes]]:
    return [(event.version, event.core, event.private) for event in await node.parts.reader.history(number)]


async def test_each_kind_goes_after_its_own_time_and_a_case_never(tmp_path: Path) -> None:
    async with federation(tmp_path, "32", "31") as (origin, competent):
        (console, _) = consoles(origin, competent)
        ended, running = await origin.filed(filing(), request_id="first"), await origin.filed(filing())
        for number in (ended, running):
            await competent.until(number, lambda c: not c.awaiting_receipt)
        await competent.settle(ended)
        closed = await origin.until(ended, lambda c: c.state is State.CLOSED)
        history = await records(origin, ended)
        assert await spans(origin, ended) > 0

        assert set((await retention(origin, 50).forget()).values()) == {0}
        gone = await retention(origin, 150).forget()
        assert gone["seen"] > 0
        assert (gone["answers"], gone["spans"]) == (0, 0)
        gone = await retention(origin, 350).forget()
        assert gone["answers"] == 2
        assert gone["spans"] > 0
        deadline = time.monotonic() + 20
        while await spans(origin, ended):  # the last acknowledgement may have been on its way
            assert time.monotonic() < deadline
            await retention(origin, 350).forget()
        # The trace of a case under way stays, and so does every case with its whole history.
        assert await spans(origin, running) > 0
        assert await origin.case(ended) == closed
        assert await records(origin, ended) == history
        assert (await console.operations.health()).parked == 0
        # The request id is free again, for another filing too.
        await origin.filed(filing(origin="320200"), request_id="first")


async def test_a_sweep_comes_by_itself_within_a_quarter_of_the_shortest_time(tmp_path: Path) -> None:
    assert SOON.every_s == 25
    assert (Terms().every_s, Terms(seen_s=1).every_s) == EVERY_S[::-1]
    async with federation(tmp_path, "32") as (origin,):
        number = await origin.filed(filing(), request_id="first")
        store, wall_s = origin.parts.store, origin.parts.context.wall_s
        async with store.read() as unit:
            assert await unit.find_answer("test", "first") is not None
        mine = Retention(store, Terms(answers_s=1.5), process="node", wall_s=wall_s)
        await mine.start()
        deadline = time.monotonic() + 20
        while True:
            async with store.read() as unit:
                if await unit.find_answer("test", "first") is None:
                    break
            assert time.monotonic() < deadline
            await asyncio.sleep(0.1)
        await mine.close()
        assert mine.problem == ""
        assert len(await records(origin, number)) > 0


async def test_one_process_forgets_at_a_time(tmp_path: Path) -> None:
    async with federation(tmp_path, "32") as (origin,):
        mine = retention(origin, 0)
        assert await mine.forget()
        other = Retention(origin.parts.store, SOON, process="other", wall_s=origin.parts.context.wall_s)
        assert await other.forget() == {}
