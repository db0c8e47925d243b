"""Sleep that can be ended early: how a loop waits for work.

Knows an event and a time. Must not know what the work is.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress


async def woken(wake: asyncio.Event, within_s: float) -> bool:
    """Whether `wake` was set within so many wall seconds; it is not set afterwards.

    Not `asyncio.wait_for`: on Python 3.11 that forgets that its task was cancelled when the event is set in
    the same moment, and a loop that was told to end goes on for ever.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            await wake.wait()
    found = wake.is_set()
    wake.clear()
    return found
