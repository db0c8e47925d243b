"""Materials and fields against a list: what answers an item, what is on the guide, what the case then holds.

Knows codes, alternatives and the guide's list as it stood at filing. Must not know states or clocks.
"""

from __future__ import annotations

from collections.abc import Iterable

from nodes.cases.errors import CaseError, Code
from nodes.cases.filing import Material, RequiredMaterial, Terms

FIELD = "field:"

Values = tuple[tuple[str, str], ...]


def item(terms: Terms, code: str) -> RequiredMaterial | None:
    """The line of the list that this code is, or stands in for; None when the guide does not know it."""
    exact = next((m for m in terms.materials if m.code == code), None)
    return exact or next((m for m in terms.materials if code in m.alternatives), None)


def answered(terms: Terms, code: str, materials: Iterable[Material], values: Values = ()) -> bool:
    """Whether a listed item is there: its material or one that stands in for it, or a value of its field."""
    if code.startswith(FIELD):
        return any(bare(name) == bare(code) and value for name, value in values)
    line = item(terms, code)
    accepted = {code, *(line.alternatives if line else ()), *((line.code,) if line else ())}
    return any(m.code in accepted for m in materials)


def bare(name: str) -> str:
    """The name of a field without its prefix."""
    return name.removeprefix(FIELD)


def require_known(terms: Terms, materials: Iterable[Material], listed: Iterable[str] = ()) -> None:
    """Raises NOT_ON_GUIDE at materials[i].code for a material that the competent place never asked for."""
    also = set(listed)
    for index, material in enumerate(materials):
        if material.code not in also and item(terms, material.code) is None:
            raise CaseError(Code.NOT_ON_GUIDE, f"materials.{index}.code", "the guide has no such item")


def merged(held: tuple[Material, ...], new: tuple[Material, ...]) -> tuple[Material, ...]:
    """The materials with the new ones in the place of those of the same code."""
    replaced = {m.code for m in new}
    return (*(m for m in held if m.code not in replaced), *new)


def merged_values(held: Values, new: Values) -> Values:
    """The values with the new ones, by name without prefix, sorted."""
    return tuple(sorted({**dict(held), **{bare(name): value for name, value in new}}.items()))
