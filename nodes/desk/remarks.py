"""What is remarked on a filing that stands: it keeps nobody waiting, but the applicant should know of it.

Knows the codes and their words, and which papers of the list are not there yet. Must not refuse anything:
what is missing is told again, bindingly, by the authority's one correction list.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from nodes.cases.filing import Material, Terms
from nodes.cases.papers import answered
from nodes.codec.answers import FieldWarning
from regions.identifiers import IdentityWarning

_NUMBERS: Final = {
    IdentityWarning.UPGRADED: (
        "按15位旧号码办理，已换算为18位。",
        "is an old number of 15 digits; it was upgraded to 18",
    ),
    IdentityWarning.AREA_RETIRED: (
        "号码首六位是已撤销的区划，号码仍有效。",
        "begins with a county that no longer exists; the number is valid all the same",
    ),
    IdentityWarning.AREA_UNKNOWN: (
        "号码首六位的区划未收录，请核对。",
        "begins with a county that is not on record; please check it",
    ),
}
MISSING: Final = "MATERIAL_MISSING"


def on_number(field: str, found: IdentityWarning) -> FieldWarning:
    """A remark on an identity number that is valid."""
    zh, en = _NUMBERS[found]
    return FieldWarning(field, found.value.upper(), zh, en)


def on_materials(terms: Terms, materials: Sequence[Material]) -> tuple[FieldWarning, ...]:
    """One for each paper that the list requires and that is neither handed in nor held here already."""
    return tuple(
        FieldWarning(
            f"filing.materials.{line.code}",
            MISSING,
            f"尚未提交：{line.name_zh}。请备好，办理机关将一次性告知补正。",
            f"is not handed in: {line.name_en}; have it ready, the authority will list it for correction",
        )
        for line in terms.materials
        if line.required and not answered(terms, line.code, materials)
    )
