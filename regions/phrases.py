"""Limits and materials in words.

Knows how a limit is said (never without its basis) and a material (never passing for
official where it is not). Must not know matters or places.
"""

from regions.guide import MaterialItem
from regions.limits import BasisKind, Limit, Unit
from regions.materials import terms
from regions.matter import Provenance
from regions.wording import Reason, reason

_UNITS = {
    Unit.WORKING_DAY: ("个工作日", "working days", "working day"),
    Unit.DAY: (
        "日(末日为休息日的顺延)",
        "days (an end on a day off rolls on)",
        "day (an end on a day off rolls on)",
    ),
    Unit.CALENDAR_DAY: ("个自然日", "calendar days", "calendar day"),
}
_BASES = {
    BasisKind.STATUTORY: ("法定", "statutory"),
    BasisKind.PROMISED: ("公布的承诺时限", "a published promise"),
    BasisKind.HANDLING_BODY: ("非法定", "not statutory"),
    BasisKind.FEDERATION_RULE: ("非法定", "not statutory"),
}

_STATUS = {
    Provenance.SOURCE: ("", ""),
    Provenance.DERIVED: ("（按惯例推定，非官方公布）", " (inferred from practice, not officially published)"),
    Provenance.PROPOSAL: ("（拟定，非官方公布）", " (proposed, not officially published)"),
}


def limit_words(limit: Limit) -> Reason:
    """A limit with its unit and basis, in words: never without the basis."""
    zh, many, one = _UNITS[limit.unit]
    kind_zh, kind_en = _BASES[limit.basis_kind]
    unit = one if limit.value == 1 else many
    return reason(
        f"limit_{limit.basis_kind.value}",
        f"{limit.value}{zh}，依据：{limit.basis_zh}（{kind_zh}）",
        f"{limit.value} {unit}, basis: {limit.basis_en} ({kind_en})",
    )


def material_words(item: MaterialItem) -> Reason:
    """One material with its alternatives, circumstance and whether the original is needed."""
    names, conditions = terms()
    zh, en = item.name_zh, item.name_en
    if item.alternatives:
        zh += f"（或者{'、'.join(names[code].name_zh for code in item.alternatives)}）"
        en += f" (or {', '.join(names[code].name_en for code in item.alternatives)})"
    if item.condition is not None:
        zh += f"，{conditions[item.condition].name_zh}"
        en += f", {conditions[item.condition].name_en}"
    for holds, more_zh, more_en in (
        (item.original_needed, "，需要原件", ", the original"),
        (item.lackable, "，可以容缺后补", ", may be supplied later"),
        (not item.required, "，可不提交", ", not required"),
    ):
        zh, en = (zh + more_zh, en + more_en) if holds else (zh, en)
    said_zh, said_en = _STATUS[item.provenance]
    zh, en = zh + said_zh, en + said_en
    return reason(f"material_{item.code}", f"{zh}。", f"{en}.")
