"""Grouped writes of filings: what one region's database takes in, durably.

    python benchmarks/store.py sqlite:////tmp/store.db postgresql://... --group 200 --groups 30

A filing is one answer (claimed, then given), one filed document, one case row, two events and one outbox row:
six rows. Prints, for each URL, filings and rows a second and the time of a group's transaction; the first
groups warm up.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import time
from datetime import UTC, datetime

from nodes.store import Store, migrate
from nodes.store.rows import CaseRow, Claim, EventRow, FilingRow, OutboxRow, StoredAnswer

ROWS_A_FILING = 6
WARM_UP = 3
TRACEPARENT = "00-" + "1" * 32 + "-" + "2" * 16 + "-01"


class Maker:
    """Makes filings with numbers that no run before has used. Sizes are those of real messages, in bytes."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._run = time.time_ns()
        self._count = 0

    def number(self) -> str:
        """The next case number."""
        self._count += 1
        return f"320500{self._run}{self._count:08d}"

    def bytes(self, size: int) -> bytes:
        """Bytes that do not compress."""
        return self._random.randbytes(size)


def case_row(maker: Maker, number: str, now: datetime) -> CaseRow:
    """A case as it stands once it was filed and handed over."""
    return CaseRow(
        number=number,
        state="filed",
        kind="full_online",
        version=2,
        epoch=2,
        owner="31",
        owned=False,
        origin="32",
        competent="31",
        authority="31-public-security",
        matter="m",
        light="green",
        due_at=now,
        next_due_at=None,
        last_hash=maker.bytes(32),
        snapshot=maker.bytes(2000),
        trace_id=maker.bytes(16).hex(),
        trace_parent=TRACEPARENT,
        lead="",
        part_index=0,
        open=True,
        filed_at=now,
        updated_at=now,
    )


async def write_group(store: Store, maker: Maker, size: int) -> float:
    """Writes one group of `size` filings; seconds from the begin of the transaction to its durable end."""
    now, wall = datetime.now(UTC), time.time()
    numbers = [maker.number() for _ in range(size)]
    claims = [Claim("bench", n, maker.bytes(32)) for n in numbers]
    answers = [StoredAnswer(*c.key, c.fingerprint, maker.bytes(300), wall) for c in claims]
    filings = [
        FilingRow(n, maker.bytes(1500), maker.bytes(600), maker.bytes(16).hex(), "m", now) for n in numbers
    ]
    cases = [case_row(maker, n, now) for n in numbers]
    events = [
        EventRow(n, v, f"{n}-{v}", maker.bytes(32), maker.bytes(800), maker.bytes(300), None, "32", v, now)
        for n in numbers
        for v in (1, 2)
    ]
    outbox = [
        OutboxRow(place % 16, "31", n, "events", 1, 2, "", None, TRACEPARENT, wall)
        for place, n in enumerate(numbers)
    ]
    begun = time.perf_counter()
    async with store.write() as tx:
        await tx.claim_answers(claims, created_wall_s=wall)
        await tx.load_cases(numbers, lock=True)
        await tx.insert_filings(filings)
        await tx.put_cases(cases, {})
        await tx.insert_events(events)
        await tx.insert_outbox(outbox)
        await tx.put_answers(answers)
    return time.perf_counter() - begun


async def measure(url: str, *, group: int, groups: int, seed: int) -> None:
    """Measures one database and prints the line."""
    await migrate(url)
    store = await Store.open(url, timeout_s=60)
    maker = Maker(seed)
    try:
        for _ in range(WARM_UP):
            await write_group(store, maker, group)
        cpu = time.process_time()
        took = [await write_group(store, maker, group) for _ in range(groups)]
        cpu = time.process_time() - cpu
    finally:
        await store.close()
    filings_s = group * groups / sum(took)
    p50, p95 = statistics.median(took) * 1e3, sorted(took)[int(len(took) * 0.95)] * 1e3
    print(
        f"{url.split(':', 1)[0]:<11} {group:>4} a group: {filings_s:>7.0f} filings/s, "
        f"{filings_s * ROWS_A_FILING:>7.0f} rows/s, a group p50 {p50:.1f} ms, p95 {p95:.1f} ms, "
        f"own CPU {cpu / (group * groups) * 1e6:.0f} us a filing"
    )


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("urls", nargs="+")
    parser.add_argument("--group", type=int, default=200)
    parser.add_argument("--groups", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    for url in asked.urls:
        asyncio.run(measure(url, group=asked.group, groups=asked.groups, seed=asked.seed))


if __name__ == "__main__":
    main()
