"""What happens when: a list of journeys from a seed, so that a run can be repeated.

Knows kinds of journeys and their shares. A journey is one case (or joint case) with the people around it.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

REGIONS: Final = ("31", "32", "33", "34")
SHARES: Final = {
    "plain": 30,
    "denied": 6,
    "corrected": 14,
    "collected": 14,
    "joint": 8,
    "lacking": 6,
    "withdrawn": 5,
    "race": 9,
    "local": 4,
    "refused": 4,
    "left": 4,
    "uncorrected": 4,
    "unsupplied": 3,
}
REPEATED: Final = 0.15
"""Share of the changing calls that are sent twice at once under the same request id."""


@dataclass(frozen=True, slots=True)
class Journey:
    """One case to come. `at_s`: seconds after the start of the run; `seed`: of its own choices."""

    name: str
    at_s: float
    kind: str
    origin: str
    competent: str
    other: str
    seed: int


def planned(
    seed: int, *, rate: float, seconds: float, regions: Sequence[str] = REGIONS, only: Sequence[str] = ()
) -> list[Journey]:
    """`rate` journeys a second, at random moments (open loop), for so long. `only`: kinds, () for the mix."""
    rng = random.Random(seed)
    kinds = {kind: share for kind, share in SHARES.items() if not only or kind in only}
    journeys: list[Journey] = []
    at_s = rng.expovariate(rate)
    while at_s < seconds:
        (kind,) = rng.choices(list(kinds), list(kinds.values()))
        origin, competent, other = _places(rng, kind, regions)
        name = f"{seed}-{len(journeys)}"
        journeys.append(Journey(name, at_s, kind, origin, competent, other, rng.getrandbits(32)))
        at_s += rng.expovariate(rate)
    return journeys


def _places(rng: random.Random, kind: str, regions: Sequence[str]) -> tuple[str, str, str]:
    """Where it is filed and where it is decided; of a joint case, two places besides the origin."""
    origin, competent, other = rng.sample(list(regions), 3)
    if kind == "local":
        return origin, origin, origin
    if kind in {"lacking", "unsupplied"}:  # only Zhejiang accepts with a lack
        return rng.choice([r for r in regions if r != "33"]), "33", other
    return origin, competent, other
