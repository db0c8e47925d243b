"""Many proxies in a thread of their own, by name: what the rest of the process does keeps no bytes waiting.

Knows threads and proxies. May be used from any thread.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from tests.fault.proxy.proxy import Proxy, Weather

T = TypeVar("T")

WITHIN_S: Final = 10.0


class Net:
    """Proxies by name while it is entered. `seed`: of what is lost."""

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="net", daemon=True)
        self._proxies: dict[str, Proxy] = {}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each in self._proxies.values():
            self._done(each.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(WITHIN_S)
        self._loop.close()

    @property
    def names(self) -> frozenset[str]:
        """Every proxy there is."""
        return frozenset(self._proxies)

    def add(self, name: str, host: str, port: int, listening: int = 0) -> str:
        """A proxy before host:port, on a free port when none is given; its own host:port."""
        made = Proxy(host, port, seed=self._seed + len(self._proxies))
        self._done(made.start(listening))
        self._proxies[name] = made
        return made.address

    def now(self, weather: Weather, *names: str) -> None:
        """From now on it is so at these."""
        for name in names:
            self._loop.call_soon_threadsafe(self._proxies[name].now, weather)

    def clear(self) -> None:
        """Nothing happens anywhere any more."""
        self.now(Weather(), *self._proxies)

    def accepted(self, *names: str) -> int:
        """Connections that went through these."""
        return sum(self._proxies[name].accepted for name in names)

    def _done(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(WITHIN_S)
