"""The words for kinds of places, and what to ask when the applicant has not said.

Knows places.csv. Must not know which kind decides which matter.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from regions.datafiles import DATA, read_records
from regions.matter import PlaceKind


@dataclass(frozen=True, slots=True)
class PlaceTerm:
    """A kind of place: its names, and the question that asks for it."""

    kind: PlaceKind
    name_zh: str
    name_en: str
    question_zh: str
    question_en: str


def load_place_terms(directory: Path = DATA) -> Mapping[PlaceKind, PlaceTerm]:
    """Read places.csv: one row for each kind. Raises DataError."""
    found: dict[PlaceKind, PlaceTerm] = {}
    rows = read_records(directory, "places.csv", key="kind")
    for row in rows:
        row.only("kind", "name_zh", "name_en", "question_zh", "question_en")
        words = [row.text(field) for field in ("name_zh", "name_en", "question_zh", "question_en")]
        found[row.choice("kind", PlaceKind)] = PlaceTerm(row.choice("kind", PlaceKind), *words)
    for kind in PlaceKind:
        if kind not in found:
            raise rows[0].error("kind", f"the file has no row for {kind.value}")
    return found


@cache
def place_terms() -> Mapping[PlaceKind, PlaceTerm]:
    """The shipped words, loaded once."""
    return load_place_terms()
