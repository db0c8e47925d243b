"""A wire between a client and PostgreSQL that can be cut at the worst moment."""

import asyncio
import contextlib
from types import TracebackType
from typing import Self


class Proxy:
    """Forwards to a TCP port. `swallow_after(word)`: lets the next client message with that word reach the
    server and be answered, but gives the answer to nobody: the connection breaks instead."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._word: bytes | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    def swallow_after(self, word: bytes) -> None:
        self._word = word

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._target)
        swallowing = asyncio.Event()

        async def up() -> None:
            while data := await reader.read(65536):
                if self._word is not None and self._word in data:
                    self._word = None
                    swallowing.set()
                up_writer.write(data)
            up_writer.close()

        async def down() -> None:
            while data := await up_reader.read(65536):
                if swallowing.is_set():
                    break
                writer.write(data)
            writer.transport.abort()

        with contextlib.suppress(OSError):
            await asyncio.gather(up(), down(), return_exceptions=True)
        up_writer.transport.abort()
        writer.transport.abort()
        self._tasks.discard(task)
