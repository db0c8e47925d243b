"""How far the cases of each pair of provinces have come, counted from what the origins see.

Knows which event counts for which column. Must not know how it is shown beyond one table.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.table import Table

from nodes.demo.docket import Entry
from nodes.demo.words import Words
from tongban.v1.event_pb2 import EventCore

WIDE: Final = 68
COLUMNS: Final = ("filed", "accepted", "decided", "delivered")
_COUNTS: Final = {
    "Filed": "filed",
    "Accepted": "accepted",
    "AcceptedWithLack": "accepted",
    "AcceptanceDeemed": "accepted",
    "Decided": "decided",
    "Delivered": "delivered",
}


class Tally:
    """Case numbers by pair (origin, competent region) and column; `take` is told of every change."""

    def __init__(self) -> None:
        self.pairs: dict[tuple[str, str], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))

    def take(self, region: str, entry: Entry, core: EventCore) -> None:
        """A change as `region` sees it; each case counts where it was filed, and there once a column."""
        column = _COUNTS.get(core.type)
        if column is not None and region == entry.origin:
            self.pairs[(entry.origin, entry.competent or entry.origin)][column].add(entry.number)

    def rows(self) -> list[tuple[str, str, dict[str, int]]]:
        """(origin, competent region, count by column), by pair."""
        return [
            (origin, competent, {column: len(counted[column]) for column in COLUMNS})
            for (origin, competent), counted in sorted(self.pairs.items())
        ]

    def table(self, words: Words, width: int = WIDE) -> Table:
        """As a person reads it. `width`: columns of the terminal; below `WIDE` provinces are told by code."""
        made = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold", show_footer=True)
        rows = self.rows()
        made.add_column(words("pair" if width >= WIDE else "pair_short"), no_wrap=True, footer=words("all"))
        for column in COLUMNS:
            total = sum(counts[column] for _, _, counts in rows)
            made.add_column(words(column), justify="right", no_wrap=True, footer=str(total))
        for origin, competent, counts in rows:
            name = words.region if width >= WIDE else str
            pair = f"{name(origin)} → {name(competent)}"
            made.add_row(pair, *(str(counts[column]) for column in COLUMNS))
        return made
