"""The end of a node's calls: streams that would never end by themselves are told that it stops.

Knows one switch. Must not know services.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

T = TypeVar("T")


class Drain:
    """Open until `stop`; afterwards no stream waits any longer for what may come."""

    def __init__(self) -> None:
        self._stopped = asyncio.Event()

    @property
    def stopping(self) -> bool:
        """Whether the node stops."""
        return self._stopped.is_set()

    def stop(self) -> None:
        """Streams end as soon as what they have in hand is told."""
        self._stopped.set()

    async def unless_stopping(self, coming: Awaitable[T]) -> T | None:
        """What comes; None when the node stops first: what was being waited for is cancelled then."""
        waiting = asyncio.ensure_future(coming)
        stopped = asyncio.ensure_future(self._stopped.wait())
        try:
            await asyncio.wait({waiting, stopped}, return_when=asyncio.FIRST_COMPLETED)
            return waiting.result() if waiting.done() else None
        finally:
            await ended(waiting)
            await ended(stopped)


async def ended(task: asyncio.Future[Any]) -> None:
    """Once the task is over, cancelled if it was not; whatever it raised is its own affair."""
    if not task.done():
        task.cancel()
        await asyncio.wait({task})
    if not task.cancelled():
        task.exception()
