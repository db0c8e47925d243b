"""What nobody holds is freed, what is freed in the midst of the heap goes back to the system."""

import json
import subprocess
import sys
from typing import Final

SAID: Final = """
import json
from nodes.memory import give_back, keep_lean
from pathlib import Path
import time

def resident_mb():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6

parts = [bytes(50_000) for _ in range(2_000)]
kept = parts[::20]
full = resident_mb()
del parts
freed = resident_mb()
there = give_back() if {given} else (keep_lean(0.01), time.sleep(0.5), True)[-1]
print(json.dumps([there, full, freed, resident_mb(), len(kept)]))
"""


def said(*, given: bool) -> list[float]:
    """Whether the C library can, MB when full, freed, and given back; in a process that does nothing else."""
    done = subprocess.run([sys.executable, "-c", SAID.format(given=given)], capture_output=True, check=True)
    found: list[float] = json.loads(done.stdout)
    return found


def test_what_is_free_between_what_is_kept_is_given_back() -> None:
    there, full, freed, left, kept = said(given=True)
    assert there
    assert kept == 100
    assert freed > full - 20
    assert left < full - 60


def test_a_thread_does_so_from_time_to_time() -> None:
    _, full, _, left, _ = said(given=False)
    assert left < full - 60


RINGS: Final = """
import gc, json, sys, time, weakref
from nodes.memory import keep_lean, settle

class Ring:
    def __init__(self):
        self.me = self

settle()
rings = [Ring() for _ in range(1_000)]
seen = weakref.WeakSet(rings)
gc.collect()
gc.collect()
del rings
before = len(seen)
if sys.argv[1] == "kept lean":
    keep_lean(0.01)
time.sleep(0.5)
print(json.dumps([before, len(seen)]))
"""


def left_of_rings(how: str) -> list[int]:
    """Rings that are old by the collector's count: when they were let go, and half a second later."""
    done = subprocess.run([sys.executable, "-c", RINGS, how], capture_output=True, check=True)
    found: list[int] = json.loads(done.stdout)
    return found


def test_rings_that_have_grown_old_are_freed_from_time_to_time() -> None:
    assert left_of_rings("left alone") == [1_000, 1_000]
    assert left_of_rings("kept lean") == [1_000, 0]


HEAPS: Final = """
import ctypes, sys, threading
from nodes.memory import share_heaps

if sys.argv[1] == "shared":
    assert share_heaps()
library = ctypes.CDLL(None)
here = threading.Barrier(8)

def take():
    here.wait()
    library.malloc(1_000)
    here.wait()

threads = [threading.Thread(target=take) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
library.malloc_stats()
"""


def heaps(how: str) -> int:
    """How many heaps eight threads make, who all take memory at once."""
    done = subprocess.run([sys.executable, "-c", HEAPS, how], capture_output=True, check=True)
    return done.stderr.count(b"Arena ")


def test_all_threads_share_two_heaps() -> None:
    assert heaps("as it comes") > 4
    assert heaps("shared") == 2
