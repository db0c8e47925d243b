"""What is freed in the midst of the heap goes back to the system."""

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
