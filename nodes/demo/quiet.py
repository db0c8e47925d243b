"""When nothing is under way any more: what an owner has written is where it must be, and no node adds to it.

Knows what the desks of all provinces see. Must not know why anything happened.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from nodes.demo.people import Place

QUIET_S: Final = 0.1
"""Wall seconds without a change: by then every node has looked at the clock and acted by itself."""
LOOK_S: Final = 0.02


@dataclass(frozen=True, slots=True)
class Apart:
    """A case of which two regions know different things. what: owner, handover or mirror; region: it lags."""

    number: str
    what: str
    expected: Any
    found: Any
    region: str


def apart(places: Mapping[str, Place]) -> Iterator[Apart]:
    """Every owner beside its mirrors: other versions, other states, handed over and not received, lost."""
    for region, place in places.items():
        for number, entry in place.docket.entries.items():
            if entry.owner != region:
                if number not in places[entry.owner].docket.entries:
                    yield Apart(number, "owner", entry.owner, "lost", entry.owner)
                continue
            if entry.awaiting:
                yield Apart(number, "handover", "received", "on its way", region)
            for other in entry.parties - {region}:
                mirror = places[other].docket.entries.get(number)
                found = (mirror.version, mirror.state) if mirror else "lost"
                if found != (entry.version, entry.state):
                    yield Apart(number, "mirror", (entry.version, entry.state), found, other)


async def agreed(places: Mapping[str, Place], patience_s: float) -> list[Apart]:
    """Wait until every owner and its mirrors have the same version; what is left apart after that."""
    until = time.monotonic() + patience_s
    while left := list(apart(places)):
        if time.monotonic() > until:
            return left
        await asyncio.sleep(LOOK_S)
    return []


async def quiet(places: Mapping[str, Place], patience_s: float) -> None:
    """Wait until all agree and nothing has changed for a moment; no longer than `patience_s`."""
    until = time.monotonic() + patience_s
    seen, since = -1, time.monotonic()
    while (now := time.monotonic()) < until:
        changed = sum(place.docket.changed for place in places.values())
        if changed != seen:
            seen, since = changed, now
        elif now - since >= QUIET_S and next(apart(places), None) is None:
            return
        await asyncio.sleep(LOOK_S)
