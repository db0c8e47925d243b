"""One way in, one way out, and what a network may do in between: delay, loss, a cut, a cut one way, a stall.

TCP hides a lost packet from its users: they see its bytes a retransmission later, and all that follow it with
them. So loss is a longer delay, now and then. A cut one way lets a connection live whose bytes no longer
arrive: nobody is told. Everything can be changed while connections are open; a seed makes it repeatable.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

LOOPBACK: Final = "127.0.0.1"
CHUNK: Final = 64 * 1024
RETRANSMIT_S: Final = 0.2


@dataclass(slots=True)
class Weather:
    """What happens to bytes. `delay_s`: each way; `loss`: share of chunks that come a retransmission later;
    `reset`: share of chunks at which the connection breaks instead; `to_server`, `to_client`: whether bytes
    that way arrive at all; `open`: whether connections live.
    """

    delay_s: float = 0.0
    loss: float = 0.0
    reset: float = 0.0
    to_server: bool = True
    to_client: bool = True
    open: bool = True


@dataclass(slots=True)
class Proxy:
    """`host`, `port`: where the server listens. `listening`: the proxy's own port, 0 before it runs."""

    host: str
    port: int
    seed: int = 0
    weather: Weather = field(default_factory=Weather)
    listening: int = 0
    accepted: int = 0
    _rng: random.Random = field(init=False)
    _server: asyncio.Server | None = None
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _links: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._rng = random.Random(self.seed)

    @property
    def address(self) -> str:
        """host:port for clients."""
        return f"{LOOPBACK}:{self.listening}"

    async def start(self, listening: int = 0) -> None:
        """Begins to listen, on a free port when none is given."""
        self._server = await asyncio.start_server(self._accept, LOOPBACK, listening)
        self.listening = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Ends it and every connection."""
        if self._server is not None:
            self._server.close()
        self._drop()
        await asyncio.gather(*self._links, return_exceptions=True)
        if self._server is not None:
            await self._server.wait_closed()

    def now(self, weather: Weather) -> None:
        """From now on it is so, for open connections too; a cut ends them."""
        self.weather = weather
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
        if not weather.open:
            self._drop()

    def clear(self) -> None:
        """Nothing happens to bytes any more. What was held back arrives."""
        self.now(Weather())

    def _retransmission_s(self) -> float:
        """What is lost is missed after a round trip, and sent again."""
        return RETRANSMIT_S + 2 * self.weather.delay_s

    def _drop(self) -> None:
        for link in list(self._links):
            link.cancel()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        if not self.weather.open:
            writer.close()
            return
        link = asyncio.create_task(self._link(reader, writer))
        self._links.add(link)
        link.add_done_callback(self._links.discard)

    async def _link(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection until either side ends it, or a cut does."""
        there: asyncio.StreamWriter | None = None
        try:
            back, there = await asyncio.open_connection(self.host, self.port)
            ways = {
                asyncio.create_task(self._pump(reader, there, to_server=True)),
                asyncio.create_task(self._pump(back, writer, to_server=False)),
            }
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            for each in (writer, there):
                if each is not None:
                    each.transport.abort()

    async def _pump(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, to_server: bool
    ) -> None:
        """Chunks in order, each due a while after it came: a delay costs no throughput."""
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(maxsize=256)

        async def read() -> None:
            while chunk := await source.read(CHUNK):
                if self.weather.reset and self._rng.random() < self.weather.reset:
                    break
                lost = self.weather.loss and self._rng.random() < self.weather.loss
                late = self.weather.delay_s + (self._retransmission_s() if lost else 0.0)
                await queue.put((loop.time() + late, chunk))
            await queue.put((0.0, b""))

        reading = asyncio.create_task(read())
        try:
            while True:
                due, chunk = await queue.get()
                await asyncio.sleep(max(0.0, due - loop.time()))
                while not (self.weather.to_server if to_server else self.weather.to_client):
                    await self._changed.wait()
                if not chunk:
                    return
                sink.write(chunk)
                await sink.drain()
        except OSError:
            return
        finally:
            reading.cancel()
            with suppress(asyncio.CancelledError, OSError):
                await reading


@asynccontextmanager
async def proxy(host: str, port: int, *, seed: int = 0, listening: int = 0) -> AsyncIterator[Proxy]:
    """A proxy while it runs."""
    made = Proxy(host, port, seed)
    await made.start(listening)
    try:
        yield made
    finally:
        await made.close()
