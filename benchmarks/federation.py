"""Running nodes and the way to load them: `tongban serve`, a process each, as they are deployed.

Knows settings, databases and the gRPC face. Must not know rates or figures.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TypeAlias

import grpc

from benchmarks import found, registers
from benchmarks.filings import ASKS, EVENTS, Filings, Way
from benchmarks.grounds import Ground
from benchmarks.pace import Outcome
from benchmarks.streams import Refused, Streams
from tests.servers.process import LOOPBACK, free_port
from tongban.v1 import case_service_pb2

FILE = "/tongban.v1.CaseService/File"
Verb: TypeAlias = grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]
START_WITHIN_S = 60.0
GIVE_UP_AFTER_S = 15.0
"""How long the last cases may take without one of them ending."""


@dataclass(frozen=True, slots=True)
class Place:
    """One process of a region's node."""

    region: str
    process: str
    port: int

    @property
    def name(self) -> str:
        """How it is called in the figures."""
        return f"node-{self.region}" if self.process == "node" else f"node-{self.region}-{self.process}"


class Federation:
    """Nodes that are running, and their databases by region."""

    def __init__(
        self,
        ways: Sequence[Way],
        databases: Mapping[str, str],
        channels: Mapping[str, Sequence[grpc.aio.Channel]],
        bus: str = "",
        *,
        streams: bool = False,
    ) -> None:
        """`streams`: file by lines of streams, as platforms do, not by a call each."""
        self.bus = bus
        self._ways = itertools.cycle(ways)
        self.databases = databases
        self._channels = channels
        self._files: dict[str, Iterator[Verb]] = {
            region: itertools.cycle([channel.unary_unary(FILE) for channel in several])
            for region, several in channels.items()
        }
        self._streams: dict[str, Iterator[Streams]] = {
            region: itertools.cycle([Streams(channel) for channel in several] if streams else [])
            for region, several in channels.items()
        }
        self._by_stream = streams
        self._filings = Filings()
        self._filed: dict[str, Way] = {}

    def channel(self, region: str) -> grpc.aio.Channel:
        """To one of the region's processes."""
        return self._channels[region][0]

    async def file(self, number: int) -> tuple[Outcome, str]:
        """One filing; see `pace.Call`."""
        return await self._file(number, self._by_stream)

    async def file_by_call(self, number: int) -> tuple[Outcome, str]:
        """One filing by a call of its own, as a lone client does it."""
        return await self._file(number, False)

    async def _file(self, _number: int, by_stream: bool) -> tuple[Outcome, str]:
        way = next(self._ways)
        try:
            number = await self._filed_at(way.origin, self._filings.next(way), by_stream)
        except Refused as refused:
            return "refused", refused.code
        except grpc.aio.AioRpcError as error:
            early = error.code() in (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.CANCELLED)
            said = f"{error.code().name} {error.details() or ''}"[:80]
            return "refused" if early else "failed", said
        self._filed[number] = way
        return "acked", number

    async def _filed_at(self, region: str, request: bytes, by_stream: bool) -> str:
        if by_stream:
            return await next(self._streams[region]).file(request)
        answer = await next(self._files[region])(request)
        return case_service_pb2.FileResponse.FromString(answer).case_number

    async def ends(self, numbers: Sequence[str]) -> dict[str, float]:
        """The cases that are whole in both databases and when they were; waits while more of them end."""
        by_way: dict[Way, list[str]] = {}
        for number in numbers:
            by_way.setdefault(self._filed.pop(number), []).append(number)
        left, since = -1, time.monotonic()
        while left and time.monotonic() - since < GIVE_UP_AFTER_S:
            before, left = left, 0
            for way, some in by_way.items():
                left += await found.unfinished(self.databases[way.origin], some)
            if left != before:
                since = time.monotonic()
            if left:
                await asyncio.sleep(0.25)
        await asyncio.sleep(0.6)  # spans are written a moment after the work that they tell of
        ended: dict[str, float] = {}
        for way, some in by_way.items():
            ours = await found.copies(self.databases[way.origin], some)
            theirs = await found.copies(self.databases[way.competent], some)
            for number in some:
                if found.whole(ours.get(number), theirs.get(number), EVENTS, ASKS):
                    ended[number] = ours[number].ended_s
        return ended


def ways(regions: Sequence[str]) -> list[Way]:
    """Every region files, and the next one decides; of two, the first files."""
    if len(regions) == 2:
        return [Way(regions[0], regions[1])]
    return [Way(one, other) for one, other in zip(regions, [*regions[1:], regions[0]], strict=True)]


@asynccontextmanager
async def running(
    ground: Ground,
    regions: Sequence[str],
    *,
    servers: bool,
    processes: int = 1,
    streams: bool = False,
    **settings: str,
) -> AsyncIterator[Federation]:
    """The nodes, started and answering; `processes` of the first region, one of each other."""
    registers.publish(ground.folder)
    bus, databases = _stores(ground, regions, servers=servers)
    places = [
        Place(region, "node" if n == 0 else f"node{n + 1}", free_port())
        for at, region in enumerate(regions)
        for n in range(processes if at == 0 else 1)
    ]
    peers = {place.region: f"{LOOPBACK}:{place.port}" for place in places}
    async with AsyncExitStack() as stack:
        stack.callback(lambda: ground.stop(*(p.name for p in places if p.name in ground.started)))
        channels: dict[str, list[grpc.aio.Channel]] = {region: [] for region in regions}
        for place in places:
            given = {
                "REGION": place.region, "PROCESS": place.process, "LISTEN": f"{LOOPBACK}:{place.port}",
                "DATABASE_URL": databases[place.region], "BUS_URL": bus,
                "MATERIALS_DIR": str(ground.folder / f"materials-{place.region}"),
                "PEERS": json.dumps({r: a for r, a in peers.items() if r != place.region}),
                "REGISTERS": registers.NAME, "LOG_LEVEL": "warning", **settings,
            }  # fmt: skip
            environment = {f"TONGBAN_{name}": value for name, value in given.items()}
            ground.run(place.name, ["nodes", "serve"], environment)
            if place.process != "node" or processes == 1:
                continue
            await _ready(ground, place)  # the first one makes the tables
        for place in places:
            channel = await stack.enter_async_context(grpc.aio.insecure_channel(f"{LOOPBACK}:{place.port}"))
            await _ready(ground, place)
            channels[place.region].append(channel)
        yield Federation(ways(regions), databases, channels, bus, streams=streams)


def _stores(ground: Ground, regions: Sequence[str], *, servers: bool) -> tuple[str, dict[str, str]]:
    if not servers:
        return (
            f"sqlite:///{ground.folder}/bus.db",
            {region: f"sqlite:///{ground.folder}/{region}.db" for region in regions},
        )
    assert ground.kafka is not None
    assert ground.postgres is not None
    return ground.kafka.url, {region: ground.postgres.url(f"region_{region}") for region in regions}


async def _ready(ground: Ground, place: Place) -> None:
    """Until the node takes connections. Raises ProcessEnded, TimeoutError."""
    async with asyncio.timeout(START_WITHIN_S):
        while True:
            ground.check()
            try:
                _, writer = await asyncio.open_connection(LOOPBACK, place.port)
            except OSError:
                await asyncio.sleep(0.05)
                continue
            writer.close()
            return
