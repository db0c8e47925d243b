"""The proxy of the fault tests: what it does to bytes, tried with an echo."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.fault.proxy.proxy import LOOPBACK, RETRANSMIT_S, Proxy, Weather, proxy


@asynccontextmanager
async def echo() -> AsyncIterator[Proxy]:
    """A proxy before a server that says everything again."""
    open_now: set[asyncio.StreamWriter] = set()

    async def again(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_now.add(writer)
        while said := await reader.read(1024):
            writer.write(said)
        writer.close()

    server = await asyncio.start_server(again, LOOPBACK, 0)
    try:
        async with proxy(LOOPBACK, server.sockets[0].getsockname()[1], seed=1) as made:
            yield made
    finally:
        server.close()
        for writer in open_now:
            writer.close()
        await server.wait_closed()


class Caller:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def hears(self, said: bytes) -> bytes:
        self.writer.write(said)
        return await self.reader.readexactly(len(said))

    async def hears_nothing(self, said: bytes) -> None:
        self.writer.write(said)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await self.reader.read(1)


@asynccontextmanager
async def calling(made: Proxy) -> AsyncIterator[Caller]:
    reader, writer = await asyncio.open_connection(LOOPBACK, made.listening)
    try:
        yield Caller(reader, writer)
    finally:
        writer.close()


async def test_in_fair_weather_bytes_pass() -> None:
    async with echo() as made, calling(made) as caller:
        assert await caller.hears(b"x" * 100_000) == b"x" * 100_000


async def test_a_delay_is_had_both_ways_and_costs_no_throughput() -> None:
    async with echo() as made, calling(made) as caller:
        made.now(Weather(delay_s=0.05))
        began = time.monotonic()
        assert await caller.hears(b"ping") == b"ping"
        once = time.monotonic() - began
        assert once >= 0.1
        began = time.monotonic()
        for number in range(50):
            caller.writer.write(b"%02d" % number)
            await asyncio.sleep(0)
        assert await caller.reader.readexactly(100) == b"".join(b"%02d" % n for n in range(50))
        assert time.monotonic() - began < 25 * once


async def test_what_is_lost_comes_a_retransmission_later_and_in_order() -> None:
    async with echo() as made, calling(made) as caller:
        made.now(Weather(loss=1.0))
        began = time.monotonic()
        assert await caller.hears(b"ping") == b"ping"
        assert time.monotonic() - began >= 2 * RETRANSMIT_S


@pytest.mark.parametrize("weather", [Weather(to_server=False), Weather(to_client=False)])
async def test_a_cut_one_way_tells_nobody_and_holds_back(weather: Weather) -> None:
    async with echo() as made, calling(made) as caller:
        assert await caller.hears(b"a") == b"a"
        made.now(weather)
        await caller.hears_nothing(b"b")
        made.clear()
        assert await caller.reader.readexactly(1) == b"b"
        assert await caller.hears(b"c") == b"c"


async def test_a_cut_ends_what_is_open_and_refuses_what_comes() -> None:
    async with echo() as made, calling(made) as caller:
        assert await caller.hears(b"a") == b"a"
        made.now(Weather(open=False))
        with pytest.raises((OSError, EOFError)):
            await caller.hears(b"b")
        async with calling(made) as refused:
            with pytest.raises((OSError, EOFError)):
                await refused.hears(b"b")
        made.clear()
        async with calling(made) as later:
            assert await later.hears(b"c") == b"c"


async def test_a_server_that_is_away_is_away_behind_the_proxy_too() -> None:
    async with echo() as made:
        closed = Proxy(LOOPBACK, 1)
        await closed.start()
        async with calling(closed) as caller:
            with pytest.raises((OSError, EOFError)):
                await caller.hears(b"a")
        await closed.close()
        assert made.accepted == 0
