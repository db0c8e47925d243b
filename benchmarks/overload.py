"""Three times the peak for a while, then 30 % of it without a pause: what is refused, how soon, and when all
is well again.

Knows the open loop. Must not know how a case is filed or found.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from benchmarks.figures import Spread
from benchmarks.pace import Call, Shot, offer, times
from benchmarks.trial import Ends

AFTER_S = 40.0
WITHIN = 2.0
"""Well again: filings are acknowledged within so many times the p99 of calm weather, or 100 ms."""


async def measure(
    call: Call, ends: Ends, *, per_s: float, storm_s: float, calm: Spread, seed: int
) -> dict[str, Any]:
    """The figures, printed as well. `calm`: how filings are acknowledged at 70 % of the peak."""
    print("three times the peak, then 30 % of it")
    due = times(per_s * 3, storm_s, seed)
    due += [storm_s + at for at in times(per_s * 0.3, AFTER_S, seed + 1)]
    began = time.time()
    shots = await offer(call, due)
    storm = [shot for shot in shots if shot.due_s - began < storm_s]
    acked = [shot for shot in shots if shot.outcome == "acked"]
    whole = await ends([shot.said for shot in acked])
    well_s = _well_after(shots, began + storm_s, max(calm.p99 * WITHIN, 100.0))
    counts = {outcome: _count(storm, outcome) for outcome in ("acked", "refused", "failed")}
    found = {
        "offered_per_s": per_s * 3, "storm_s": storm_s, "offered": len(storm),
        **counts,
        "acked_ms": asdict(_spread(storm, "acked")), "refused_ms": asdict(_spread(storm, "refused")),
        "said": dict(Counter(shot.said for shot in shots if shot.outcome != "acked")),
        "well_again_after_s": well_s, "acked_in_all": len(acked), "whole": len(whole),
    }  # fmt: skip
    print("  " + ", ".join(f"{name} {value}" for name, value in found.items()), flush=True)
    return found


def _well_after(shots: Sequence[Shot], end_s: float, limit_ms: float) -> float:
    """Seconds after the storm from which on every filing was taken and acknowledged in time."""
    last = end_s
    for shot in shots:
        late = shot.outcome != "acked" or (shot.ended_s - shot.due_s) * 1e3 > limit_ms
        if shot.due_s >= end_s and late:
            last = max(last, shot.due_s)
    return last - end_s


def _spread(shots: Sequence[Shot], outcome: str) -> Spread:
    return Spread.of([shot.ended_s - shot.due_s for shot in shots if shot.outcome == outcome])


def _count(shots: Sequence[Shot], outcome: str) -> int:
    return sum(shot.outcome == outcome for shot in shots)
