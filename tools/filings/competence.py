"""Who decides, worked out anew: place kind and level of the matter, and what the applicant says.

Written from the rules of competence (household never read off a number; an authority is a kind of department
and an area). Must not know the service's directory.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tools.filings import facts


@dataclass(frozen=True, slots=True)
class Body:
    """Who decides: region (two digits), code of the authority, its area, and a place within it."""

    region: str
    authority: str
    area: str


def at_level(place: str, level: str) -> str:
    """The code of the place at that level; a county code is needed for a county."""
    if level == "province":
        return f"{place[:2]}0000"
    return facts.city_of()[place] if level == "city" else place


def body(at: Mapping[str, Any], origin: str, places: Mapping[str, str]) -> Body:
    """The authority for something that is decided as `at` says (department, place, level)."""
    place = origin if at["place"] == "filing" else places[at["place"]]
    area = at_level(place, at["level"])
    return Body(area[:2], f"{at['department']}-{area}", area)


def decides(matter: str, origin: str, places: Mapping[str, str]) -> Body:
    """Who decides the matter; of a joint one, who leads it: the service centre of the filing city."""
    if facts.matters()[matter]["handling_mode"] == "joint":
        city = facts.city_of()[origin]
        return Body(city[:2], f"one_stop-{city}", city)
    return body(facts.placements()[matter], origin, places)


def kinds_of_places(matter: str) -> tuple[str, ...]:
    """Which places the applicant must say for it, in order."""
    if matter in facts.plans():
        asked = [part["place"] for part in facts.plans()[matter]["parts"]]
    else:
        asked = [facts.placements()[matter]["place"]]
    return tuple(dict.fromkeys(kind for kind in asked if kind != "filing"))
