"""Two processes of one region on one database: killed, paused, and at the same case in the same moment."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from nodes.business_time import SHANGHAI, HeldClock
from nodes.cases.case import State
from nodes.store import Store
from tests.integration.desk.federation import Ground, Node, federation, filing, person
from tests.integration.servers.processes import Gone, Remote
from tests.integration.servers.whole import histories, kept, read_topic, settled

pytestmark = pytest.mark.timeout(300)  # starting the servers is counted too, and may wait for a busy machine
LEASE_S = 2.0
OPTIONS: dict[str, Any] = {"lane_lease_s": LEASE_S, "lanes": 4, "partitions": 4, "resend_after_s": 5.0}
SHANGHAI_AREA, NANJING = "310000", "320100"
_requests = itertools.count(1)


@asynccontextmanager
async def region_of_two(
    ground: Ground, folder: Path, **given: Any
) -> AsyncIterator[tuple[Node, Remote, Remote]]:
    """Jiangsu as one node in this process, Shanghai as two processes."""
    options = {**OPTIONS, **given}
    clock = options.pop("clock", None)
    here = {**options, "clock": HeldClock.shared(clock)} if clock else options
    there = {**options, "clock": str(clock)} if clock else options
    async with federation(folder, "32", **here) as (origin,):
        a, b = await asyncio.gather(
            *(Remote.started(ground, folder, "31", process, **there) for process in ("a", "b"))
        )
        try:
            yield origin, a, b
            await asyncio.gather(a.end(), b.end())
        finally:
            await asyncio.gather(a.kill(), b.kill())


async def file(at: Remote, origin: str, place: str) -> str:
    answer = await at.done("file", request_id=f"f{next(_requests)}", origin=origin, place=place)
    return str(answer["number"])


async def holders(url: str) -> dict[str, str]:
    """Who holds which lease."""
    store = await Store.open(url)
    try:
        async with store.read() as unit:
            return {lease.name: lease.holder for lease in await unit.leases_held()}
    finally:
        await store.close()


async def only(process: Remote, url: str) -> None:
    """Until that process holds every lease."""

    async def holds() -> bool:
        held = await holders(url)
        return len(held) > OPTIONS["lanes"] and {*held.values()} == {process.name}

    await until(holds, f"not every lease is taken over by {process.name}")


async def until(look: Callable[[], Awaitable[bool]], otherwise: str, within_s: float = 60.0) -> float:
    """How long it took until `look` was so."""
    began = time.monotonic()
    while not await look():
        assert time.monotonic() < began + within_s, otherwise
        await asyncio.sleep(0.05)
    return time.monotonic() - began


async def test_both_work_and_the_one_that_is_killed_is_replaced(servers: Ground, tmp_path: Path) -> None:
    urls = {region: servers.database_url(region) for region in ("31", "32")}
    async with region_of_two(servers, tmp_path) as (origin, a, b):
        # Filed at the origin, taken in by whoever holds the partition, settled by both in turn.
        from_32 = [await origin.filed(filing(applicant=person(f"测试{n}"))) for n in range(6)]
        from_31 = await asyncio.gather(*(file(at, SHANGHAI_AREA, NANJING) for at in (a, b) * 2))
        await asyncio.gather(
            *(at.done("settle", number=n) for n, at in zip(from_32[:4], (a, b) * 2, strict=True))
        )
        await asyncio.gather(*(origin.until(n, lambda c: c.state is State.CLOSED) for n in from_32[:4]))
        assert len({*from_31, *from_32}) == 10
        await one_wins_at_the_same_moment(from_32[4], a, b)

        victim, other = (a, b) if (await holders(urls["31"]))["lane-0"] == "a" else (b, a)
        asked = [f"k{n}" for n in range(30)]
        at_victim = [
            asyncio.create_task(victim.ask("file", request_id=r, origin=SHANGHAI_AREA, place=NANJING))
            for r in asked
        ]
        await asyncio.wait(at_victim, return_when=asyncio.FIRST_COMPLETED)
        await victim.kill()
        outcomes = await asyncio.gather(*at_victim, return_exceptions=True)
        acknowledged = {r: o["number"] for r, o in zip(asked, outcomes, strict=True) if isinstance(o, dict)}
        assert acknowledged
        assert all(isinstance(o, dict | Gone) for o in outcomes)

        # Whoever filed asks again at the other, with the same request id.
        again = await asyncio.gather(
            *(other.done("file", request_id=r, origin=SHANGHAI_AREA, place=NANJING) for r in asked)
        )
        numbers = {r: o["number"] for r, o in zip(asked, again, strict=True)}
        assert acknowledged.items() <= numbers.items()
        assert len(set(numbers.values())) == len(asked)
        await only(other, urls["31"])
        await other.done("settle", number=from_32[5])
        filed = {*from_31, *from_32, *numbers.values()}
        await settled(urls, filed)
        # What came twice is acknowledged twice, and such an answer may be on its way still.
        await asyncio.sleep(2.0)
        await settled(urls, filed)
        assert set(await histories(urls["31"])) == set(await histories(urls["32"])) == filed
    _, wrong = await read_topic(servers.bus_url, "32")
    assert not wrong
    await kept(urls, servers.bus_url)


async def one_wins_at_the_same_moment(number: str, a: Remote, b: Remote) -> None:
    """Two officers press the same button at two processes: one of them is told that the case has moved."""
    version = (await a.done("until_received", number=number))["version"]
    for command in ("pre_check", "accept", "start_review", "finish_step", "finish_step", "finish_step"):
        asked = {"number": number, "command": command, "expected": version}
        both = await asyncio.gather(
            *(at.ask("act", request_id=f"{command}-{version}-{n}", **asked) for n, at in enumerate((a, b)))
        )
        assert sorted("version" in answer for answer in both) == [False, True], both
        assert {answer.get("error") for answer in both} == {None, "VersionMoved"}
        # And the very same request at both is one request.
        first, second = await asyncio.gather(
            *(at.ask("act", request_id=f"{command}-{version}-0", **asked) for at in (a, b))
        )
        assert first == second
        version = next(answer["version"] for answer in both if "version" in answer)


async def test_a_process_that_stood_still_adds_duplicates_only(servers: Ground, tmp_path: Path) -> None:
    urls = {region: servers.database_url(region) for region in ("31", "32")}
    clock = tmp_path / "clock"
    held = HeldClock(datetime(2026, 3, 2, 9, tzinfo=SHANGHAI), clock)
    async with region_of_two(servers, tmp_path, clock=clock) as (origin, a, b):
        numbers = [await origin.filed(filing(applicant=person(f"测试{n}"))) for n in range(3)]
        for number in numbers:
            await origin.until(number, lambda c: not c.awaiting_receipt)
        await asyncio.gather(a.done("close_gate"), b.done("close_gate"))
        late = [await origin.filed(filing(applicant=person("测试3")))]  # its receipt has to be sent
        gates = [asyncio.create_task(at.at_the_gate.wait()) for at in (a, b)]
        await asyncio.wait(gates, return_when=asyncio.FIRST_COMPLETED)
        # One has read what is to be sent, and believes in its lease.
        sleeper, other = (a, b) if gates[0].done() else (b, a)
        sleeper.pause()
        await other.done("open_gate")
        await only(other, urls["31"])
        await asyncio.gather(*(other.done("settle", number=number) for number in numbers))
        for number in numbers:
            await origin.until(number, lambda c: c.state is State.CLOSED, timeout_s=60)
        late.append(await origin.filed(filing(applicant=person("测试4"))))
        for number in late:
            await origin.until(number, lambda c: not c.awaiting_receipt, timeout_s=60)
        # Every clock of the late cases runs out, while one who may fire timers sleeps and another does it.
        held.move(held.now() + timedelta(days=120))
        for number in late:
            await origin.until(number, lambda c: c.deemed == "acceptance", timeout_s=60)
        sleeper.resume()
        before = (await sleeper.done("told"))["passed"]
        await sleeper.done("open_gate")

        async def awake() -> bool:
            told = await sleeper.done("told")
            return told["passed"] > before and not any(told["problems"])

        await until(awake, "who was paused does not get over it")
        await settled(urls, [*numbers, *late])
        for number, types in (await histories(urls["31"])).items():
            once = [t for t in types if t not in ("StepFinished", "LightChanged")]
            assert len(once) == len(set(once)), (number, types)
            lights = 4 if number in late else 0  # yellow and red, of the notice and of the decision
            assert types.count("LightChanged") == lights, (number, types)
        assert await histories(urls["31"]) == await histories(urls["32"])
    doubled, wrong = await read_topic(servers.bus_url, "32")
    assert not wrong
    assert doubled
    await kept(urls, servers.bus_url)
