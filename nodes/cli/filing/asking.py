"""Asking the applicant, at a terminal, for a place that a filing depends on.

Knows the atlas and how a question is put. Must not know which places a matter needs: the node says so.
"""

import re
from typing import Final

from rich.prompt import Prompt
from rich.text import Text

from nodes.cli.terminal import Terminal, clean
from regions.region import Place, atlas

MOST: Final = 12
"""Places that are offered at once."""


def places_like(text: str) -> list[Place]:
    """Cities, then counties, by a part of a name or code, in the order of their codes."""
    places = atlas()
    return [
        place
        for place in map(places.place, [*sorted(places.cities), *sorted(places.counties)])
        if text.lower() in f"{place.code} {place.name_zh} {place.name_en}".lower()
    ]


def ask_area(terminal: Terminal, question: str) -> str:
    """Put the question until the answer is an area code, or the name of a place. Part of a name that several
    have is answered with their codes. EOFError when there is nobody to answer.
    """
    while True:
        said = Prompt.ask(Text(f"  {clean(question)}"), console=terminal.err).strip()
        if re.fullmatch(r"[0-9]{6}", said, re.ASCII):
            return said
        found = places_like(said) if said else []
        exact = [place for place in found if said in (place.name_zh, place.name_en)]
        if len(found) == 1 or len(exact) == 1:
            return (exact or found)[0].code
        if not found:
            terminal.note("note.no_area")
        for place in found[:MOST]:
            name = terminal.words.pick((place.name_zh, place.name_en))
            terminal.err.print(Text(f"    {place.code}  {name}"))
        if len(found) > MOST:
            terminal.note("note.more_areas", count=len(found) - MOST)
