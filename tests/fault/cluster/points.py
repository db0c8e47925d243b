"""What happens at a failpoint, said in a word that can be handed to another process.

"kill:3": killed at the third time; "pause:0.5": stands still for so many seconds, each time; "unknown:0.2":
the commit seems to have failed in that share of the times, chosen by a seed made of the name.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable


def act_of(name: str, said: str) -> Callable[[], None]:
    """The function for `nodes.failpoints`. Raises ValueError for a word or a point that does not exist."""
    from nodes.failpoints import POINTS
    from nodes.store.errors import CommitUnknown

    if name not in POINTS:
        raise ValueError(f"{name}: there is no such failpoint")
    word, _, value = said.partition(":")
    rng, count = random.Random(name), 0

    def kill() -> None:
        nonlocal count
        count += 1
        if count >= int(value):
            os.kill(os.getpid(), signal.SIGKILL)

    def unknown() -> None:
        if rng.random() < float(value):
            raise CommitUnknown(f"failpoint {name}")

    acts = {"kill": kill, "pause": lambda: time.sleep(float(value)), "unknown": unknown}
    if word not in acts:
        raise ValueError(f"{said}: neither kill, pause nor unknown")
    float(value)
    return acts[word]
