"""The memory of the process: what is freed goes back to the system.

Knows Python's collector and the C library. Must not know what the process does.
"""

from __future__ import annotations

import ctypes
import gc
import threading
from typing import Final

EVERY_S: Final = 10.0


def settle() -> None:
    """To be called once, when all is loaded: has the collector look seldom, and never at what there is now.

    It looks after every 700 new objects by itself, and a batch of cases makes tens of thousands: 7 % of a
    node's time. What is loaded by now stays for ever.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def keep_lean(every_s: float = EVERY_S) -> None:
    """From now on a thread gives back every few seconds what is free.

    The C library gives back by itself what is free at the end of its heap alone, and a rush leaves pages that
    are free in its midst: without this a node keeps the memory of its busiest moment.
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
    while give_back():
        pause.wait(every_s)
