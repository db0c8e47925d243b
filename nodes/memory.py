"""The memory of the process: what nobody holds is freed, and what is freed goes back to the system.

Knows Python's collector and the C library. Must not know what the process does.
"""

from __future__ import annotations

import ctypes
import gc
import threading
from typing import Final

EVERY_S: Final = 10.0
HEAPS: Final = 2
_M_ARENA_MAX: Final = -8
"""What malloc.h calls the number of heaps to `mallopt`."""


def share_heaps() -> bool:
    """To be called first of all, before a thread begins: all threads share two heaps of the C library.

    By itself it has up to eight for each core, and gRPC's threads, who take and free what passes through,
    each keep the size of their busiest moment: 4 to 6 MB of a node after a rush. False where the library has
    no such setting (it is glibc's).
    """
    setting = getattr(ctypes.CDLL(None), "mallopt", None)
    return setting is not None and bool(setting(_M_ARENA_MAX, HEAPS))


def settle() -> None:
    """To be called once, when all is loaded: has the collector look seldom, and never at what there is now.

    It looks after every 700 new objects by itself, and a batch of cases makes tens of thousands: 7 % of a
    node's time. What is loaded by now stays for ever.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def keep_lean(every_s: float = EVERY_S) -> None:
    """From now on a thread frees every few seconds what hangs in rings, and gives back what is free.

    The C library gives back by itself what is free at the end of its heap alone, and a rush leaves pages that
    are free in its midst: without this a node keeps the memory of its busiest moment. Every call that gRPC
    hands on is a ring of a dozen objects when it is over, and after `settle` the collector would not come to
    the older ones of a rush for hours; it takes some 5 ms here, for it never looks at what was settled.
    """
    threading.Thread(target=_keep_lean, args=(every_s,), name="lean", daemon=True).start()


def give_back() -> bool:
    """Gives back what is free now; False where the C library has no word for that (it is glibc's)."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is None:
        return False
    trim(0)  # a call through ctypes.CDLL leaves the interpreter to others
    return True


def _keep_lean(every_s: float) -> None:
    pause = threading.Event()
    while True:
        gc.collect()
        give_back()
        pause.wait(every_s)
