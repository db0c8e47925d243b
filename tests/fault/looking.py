"""A look at servers that may go away under it. Knows nothing of what is looked at.

It is a task of its own: while servers go away a client's inside may end it in any way, even as cancelled, or
hold on to it, and none of that may end who looks again and again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

LET_GO_S: Final = 1.0
"""How long a look that was given up may take to end."""

T = TypeVar("T")


class Unseen(Exception):
    """A look came to nothing; the text says why."""


async def looked(look: Callable[[], Coroutine[Any, Any, T]], within_s: float) -> T:
    """What was seen. Raises Unseen when there was nothing to see in that time."""
    looking = asyncio.create_task(look())
    try:
        await asyncio.wait([looking], timeout=within_s)
        if not looking.done():
            looking.cancel()
            await asyncio.wait([looking], timeout=LET_GO_S)
            raise Unseen(f"it took over {within_s:g} s")
    finally:
        looking.cancel()
        looking.add_done_callback(lambda task: task.cancelled() or task.exception())  # heard by nobody else
    if looking.cancelled():
        raise Unseen("it was called off from within")
    if error := looking.exception():
        raise Unseen(f"{type(error).__name__}: {error}") from error
    return looking.result()
