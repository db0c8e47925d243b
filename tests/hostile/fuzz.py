"""`make fuzz`: mutated messages and bytes by the million, then a coverage-guided fuzzer on each decoder.

Ends with 1 at the first find: the bytes of a guided one lie in var/fuzz/NAME, mutated ones come again by
their seed. Memory is measured, and is to stay flat.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import psutil

from tests.hostile.decoders import DECODERS, assert_opened, read
from tests.hostile.mutate import deliveries, mutated_bytes
from tests.hostile.samples import encoded, messages

PLACE = Path("var/fuzz")
CHUNK = 2_000
WARM = 10
"""Chunks after which memory is compared: by then every cache is full."""
GROWN_BYTES = 32 * 1024 * 1024


def mutations(count: int, seed: int) -> None:
    """As many mutated inputs, half of them messages and half bytes for each decoder by turns."""
    good, plain, reasons = messages(), encoded(), Counter[str]()
    process, rss, began = psutil.Process(), 0, time.monotonic()
    for chunk in range(-(-count // CHUNK)):
        rng = random.Random(seed * 1_000_003 + chunk)
        for delivery in deliveries(rng.getrandbits(60), good, CHUNK // 2):
            reasons[assert_opened(delivery) or "read"] += 1
        for name in DECODERS:
            for _ in range(CHUNK // 2 // len(DECODERS)):
                read(name, mutated_bytes(rng, rng.choice(plain[name])))
        if chunk == WARM:
            rss = process.memory_info().rss
    grown = process.memory_info().rss - rss if rss else 0
    took_s = time.monotonic() - began
    print(f"{count} inputs in {took_s:.0f} s, seed {seed}: {dict(reasons)}; memory grew by {grown} bytes")
    if grown > GROWN_BYTES:
        sys.exit(f"memory grew by {grown} bytes, at most {GROWN_BYTES} are allowed")


def guided(name: str, seconds: int, seed: int) -> None:
    """The fuzzer on one decoder, in a process of its own."""
    place = PLACE / name
    place.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(encoded(2)[name]):
        (place / f"good-{number}").write_bytes(data)
    paths = os.pathsep.join([".", "proto", str(PLACE / "lib")])
    limits = [f"-max_total_time={seconds}", f"-seed={seed}", "-rss_limit_mb=1024", "-timeout=5"]
    command = [sys.executable, "-m", "tests.hostile.guided", name, str(place), *limits]
    command += [f"-artifact_prefix={place}/find-", "-print_final_stats=1", "-verbosity=0"]
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True, check=False
    )
    said = [line for line in done.stderr.splitlines() if "executed_units" in line or "peak_rss" in line]
    print(f"{name}: {'; '.join(said)}")
    if done.returncode:
        sys.exit(f"{name}: a find\n{done.stdout[-4_000:]}{done.stderr[-4_000:]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000, help="mutated inputs")
    parser.add_argument(
        "--seconds", type=int, default=30, help="for each decoder, guided by coverage; 0: none"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=sorted(DECODERS), help="guide this one alone")
    given = parser.parse_args()
    if given.count:
        mutations(given.count, given.seed)
    for name in [given.only] if given.only else DECODERS:
        if given.seconds:
            guided(name, given.seconds, given.seed)


if __name__ == "__main__":
    main()
