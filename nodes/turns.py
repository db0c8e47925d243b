"""Turns of the event loop: how long work may hold it before others have theirs.

What comes in takes some turns of the loop until it is work or refused: a call, its message, its answer. While
a batch holds the loop all of it waits. So work pauses, and the longer the more calls come in. Knows arrivals
by their count. Must not know what arrives.
"""

from __future__ import annotations

import asyncio
import time
from typing import Final

WORK_S: Final = 0.002
"""How long work may go on without a pause."""
PAUSE_S: Final = 0.004
"""How long a pause may last, however many calls come in: work gets its third, whoever calls."""
TAKEN_IN: Final = 6
"""Turns within which a waiting call would have been taken."""


class Turns:
    """Of one event loop."""

    def __init__(self) -> None:
        self._arrived = 0
        self._worked_since = time.perf_counter()

    def arrived(self) -> None:
        """A call has come in."""
        self._arrived += 1

    def begin(self) -> None:
        """Work begins now, after a wait."""
        self._worked_since = time.perf_counter()

    async def pause(self) -> None:
        """To be called between two pieces of work: goes on at once, or pauses when it is time."""
        began = time.perf_counter()
        if began - self._worked_since < WORK_S:
            return
        quiet = 0
        while quiet < TAKEN_IN and time.perf_counter() - began < PAUSE_S:
            before = self._arrived
            await asyncio.sleep(0)
            quiet = quiet + 1 if self._arrived == before else 0
        self._worked_since = time.perf_counter()
