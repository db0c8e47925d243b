"""Material lists: what each matter asks for, by code.

Knows the codes (materials.csv), circumstances (conditions.csv) and lists
(matter_materials.csv) before any province changes them. Must not know provinces: `guidebook`
applies what a province waives or adds. Codes are the same everywhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from regions.datafiles import DATA, Record, read_records
from regions.guide import MaterialItem
from regions.matter import Matter, Provenance


@dataclass(frozen=True, slots=True)
class Term:
    """A code with its names."""

    code: str
    name_zh: str
    name_en: str


@dataclass(frozen=True, slots=True)
class MaterialLists:
    """The lists of all enabled matters.

    terms: material codes; conditions: circumstance codes; lists: the rows of each matter, in
    order, `lackable` as if every region had 容缺.
    """

    terms: Mapping[str, Term]
    conditions: Mapping[str, Term]
    lists: Mapping[str, tuple[MaterialItem, ...]]

    def added(self, code: str) -> MaterialItem:
        """The row of a material that a province asks for of its own."""
        term = self.terms[code]
        names = (term.name_zh, term.name_en)
        return MaterialItem(code, *names, (), None, True, False, False, Provenance.PROPOSAL)


def load_materials(matters: Mapping[str, Matter], directory: Path = DATA) -> MaterialLists:
    """Read the three files. Every text of matters.json must have a row. Raises DataError."""
    terms = _terms(directory, "materials.csv")
    conditions = _terms(directory, "conditions.csv")
    lists: dict[str, list[MaterialItem]] = {}
    texts: dict[str, set[str]] = {}
    rows = read_records(directory, "matter_materials.csv")
    for row in rows:
        code = row.text("matter")
        matter = matters.get(code)
        if matter is None or not matter.enabled:
            raise row.error("matter", f"{code} is not an enabled matter")
        item = _item(row, matter, terms, conditions)
        items = lists.setdefault(code, [])
        if any(known.code == item.code for known in items):
            raise row.error("code", f"{item.code} appears twice for {code}")
        items.append(item)
        texts.setdefault(code, set()).add(row.optional("source_zh") or "")
    for matter in matters.values():
        if (
            matter.enabled
            and not lists.get(matter.code)
            and not matter.parts
            and matter.domain != "one_thing"
        ):
            raise rows[0].error(f"matter={matter.code}", "an enabled matter needs a material")
        missing = set(matter.materials_zh) - texts.get(matter.code, set())
        if matter.enabled and missing:
            raise rows[0].error(f"matter={matter.code}", f"no row for the text {min(missing)}")
    return MaterialLists(terms, conditions, {code: tuple(items) for code, items in lists.items()})


def _terms(directory: Path, name: str) -> dict[str, Term]:
    rows = read_records(directory, name, key="code")
    return {row.key: Term(row.key, row.text("name_zh"), row.text("name_en")) for row in rows}


def _item(
    row: Record, matter: Matter, terms: Mapping[str, Term], conditions: Mapping[str, Term]
) -> MaterialItem:
    row.only(
        *("matter", "code", "source_zh", "alternatives", "condition"),
        *("required", "lackable", "original", "status"),
    )
    code, text = row.text("code"), row.optional("source_zh")
    for named in (code, *row.words("alternatives")):
        if named not in terms:
            raise row.error("code", f"{named} is not in materials.csv")
    condition = row.optional("condition")
    if condition is not None and condition not in conditions:
        raise row.error("condition", f"{condition} is not in conditions.csv")
    status = row.choice("status", Provenance)
    if text is not None and text not in matter.materials_zh:
        raise row.error("source_zh", f"matters.json has no such text for {matter.code}")
    if status is Provenance.SOURCE and (text is None or matter.materials_inferred):
        raise row.error("status", "no source names this material")
    return MaterialItem(
        code,
        terms[code].name_zh,
        terms[code].name_en,
        row.words("alternatives"),
        condition,
        row.flag("required"),
        row.flag("lackable"),
        row.flag("original"),
        status,
    )


@cache
def terms() -> tuple[Mapping[str, Term], Mapping[str, Term]]:
    """The shipped names of materials and of circumstances, for screens."""
    return _terms(DATA, "materials.csv"), _terms(DATA, "conditions.csv")
