"""What went over the bus: every message of the regions' topics, by kind, and how many said nothing new.

Knows the bus and the names of headers; reads the topics from their beginning with a group of its own. A
message that is sent again has another id and the same case and bytes: that is how it is known.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Mapping, Sequence

from broker.bus import EARLIEST, EventBus
from broker.topics import inbox
from broker.url import open_bus

AT_ONCE = 500
QUIET_S = 2.0
KIND = "ce_type"
RESENT = "resent"


async def count(url: str, regions: Sequence[str]) -> Mapping[str, int]:
    """Messages by the last word of their type, and among them those that were sent before (`resent`)."""
    bus = open_bus(url)
    await bus.start()
    try:
        return await _count(bus, [inbox(region) for region in regions])
    finally:
        await bus.close()


async def _count(bus: EventBus, topics: Sequence[str]) -> Mapping[str, int]:
    found: Counter[str] = Counter()
    seen: set[bytes] = set()
    reading = bus.subscribe(topics, "bench.messages", member="bench", start=_from_the_first)
    try:
        last = time.monotonic() + 3 * QUIET_S  # joining a group takes a moment
        while time.monotonic() < last:
            for delivery in await reading.poll(AT_ONCE, timeout_s=QUIET_S / 2):
                message = delivery.message
                kind = dict(message.headers).get(KIND, b"").decode(errors="replace").rpartition(".")[2]
                found[kind] += 1
                said = (message.topic.encode(), kind.encode(), message.key or b"", message.value or b"")
                print_of = hashlib.sha256(b"\0".join(said)).digest()
                found[RESENT] += print_of in seen
                seen.add(print_of)
                last = time.monotonic() + QUIET_S
    finally:
        await reading.close()
    return found


async def _from_the_first(_topic: str, _partition: int, _incarnation: str) -> int | None:
    return EARLIEST


def row(found: Mapping[str, int], lifecycles: int) -> str:
    """One line: each kind per lifecycle."""
    whole = max(1, lifecycles)
    each = ", ".join(f"{kind} {n / whole:.3f}" for kind, n in sorted(found.items()) if kind != RESENT)
    total = sum(n for kind, n in found.items() if kind != RESENT)
    again = found.get(RESENT, 0) / whole
    return f"messages a lifecycle: {total / whole:.3f} ({each}), of these sent again {again:.3f}"
