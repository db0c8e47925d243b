"""Whether what several nodes and processes did together is whole: read from their databases and the topic."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack

from broker.bus import EARLIEST
from broker.topics import inbox
from broker.url import open_bus
from nodes.codec.exchange import EventBatch, ServiceRequest
from nodes.inbox import open_delivery
from nodes.store import Store
from tests.fault.checker.judge import Places, check
from tongban.v1.event_pb2 import EventCore

WITHIN_S = 60.0
OWN = 2
"""Events that the region of filing writes itself, Filed and HandedOver, and is therefore never sent."""


async def settled(urls: Mapping[str, str], numbers: Iterable[str], within_s: float = WITHIN_S) -> None:
    """Until nothing waits anywhere and every case is the same in all regions that have it; then checks that
    each history is whole and that nothing was parked.
    """
    wanted = sorted(numbers)
    async with AsyncExitStack() as stack:
        stores = {region: await Store.open(url) for region, url in urls.items()}
        for store in stores.values():
            stack.push_async_callback(store.close)
        deadline = time.monotonic() + within_s
        while left := await unsettled(stores, wanted):
            assert time.monotonic() < deadline, f"{len(left)} left after {within_s:g} s: {left[:12]}"
            await asyncio.sleep(0.1)
        for region, store in stores.items():
            async with store.read() as unit:
                assert await unit.count_parked() == 0, region
                for number in wanted:
                    versions = [event.version for event in await unit.events(number)]
                    assert versions == list(range(1, len(versions) + 1)), (region, number)


async def kept(urls: Mapping[str, str], bus_url: str) -> None:
    """No promise is broken, says the checker, which reads databases and topics and knows none of our code."""
    verdict = await check(Places(databases=urls, bus=bus_url))
    assert not verdict.violations, verdict.violations[:12]


async def unsettled(stores: Mapping[str, Store], numbers: list[str]) -> list[str]:
    """What is still to come, in words."""
    left: list[str] = []
    found: dict[str, dict[str, tuple[int, bytes]]] = {number: {} for number in numbers}
    for region, store in stores.items():
        async with store.read() as unit:
            waiting = sum(count for count, _ in (await unit.outbox_counts()).values())
            held = await unit.count_held()
            tails = await unit.unacked_before(float("inf"), 1000)
            for number, row in (await unit.load_cases(numbers)).items():
                found[number][region] = (row.version, row.last_hash)
        left += [f"{region}: {waiting} to send"] * bool(waiting) + [f"{region}: {held} held"] * bool(held)
        left += [f"{region}: {t.case_number} unacknowledged by {t.destination}" for t in tails]
    for number, copies in found.items():
        if not copies or len(set(copies.values())) > 1:
            left.append(f"{number}: { {region: version for region, (version, _) in copies.items()} }")
    return left


async def read_topic(bus_url: str, region: str) -> tuple[int, list[str]]:
    """How many messages of a region's inbox brought nothing new, and what came out of order in any case."""
    bus = open_bus(bus_url)
    await bus.start()
    known: dict[str, int] = {}
    doubled, wrong = 0, []

    async def from_the_start(_topic: str, _partition: int, _incarnation: str) -> int:
        return EARLIEST

    try:
        topic = inbox(region)
        ends = sum(part.end for part in await bus.lag("nobody", [topic]))
        reader = bus.subscribe([topic], f"checks.{region}", member="checks", start=from_the_start)
        read = 0
        async with asyncio.timeout(WITHIN_S):
            while read < ends:
                for delivery in await reader.poll(timeout_s=0.5):
                    read += 1
                    content = open_delivery(delivery, region).content
                    if not isinstance(content, (EventBatch, ServiceRequest)):
                        continue
                    number, first = content.case_number, content.from_version
                    known.setdefault(number, OWN if number.startswith(region) else 0)
                    last = first + len(content.records) - 1
                    if first > known[number] + 1:
                        wrong.append(f"{number}: {first}-{last} after {known[number]}")
                    doubled += last <= known[number]
                    known[number] = max(last, known[number])
    finally:
        await bus.close()
    return doubled, wrong


async def histories(url: str) -> dict[str, list[str]]:
    """The types of every case's events, in order."""
    store = await Store.open(url)
    try:
        async with store.read() as unit:
            rows = await unit.list_cases(limit=1000)
            return {
                row.number: [EventCore.FromString(event.core).type for event in await unit.events(row.number)]
                for row in rows
            }
    finally:
        await store.close()
