"""From a guide to the terms of a case: what was promised when it was filed.

Knows both shapes. Must not know dates, places or which guide is in force.
"""

from __future__ import annotations

from nodes.cases.filing import RequiredMaterial, StepTerms, Terms
from regions.guide import Guide
from regions.limits import BasisKind, Limit, Unit, YellowKind


def terms_of(guide: Guide, circumstances: frozenset[str] = frozenset()) -> Terms:
    """The terms of a case filed under `guide` in these circumstances (codes; they choose the materials)."""
    share = guide.yellow.kind is YellowKind.SHARE
    return Terms(
        guide_version=guide.version,
        notice=guide.notice,
        decision=guide.decision,
        correction=guide.correction,
        lack=guide.lack,
        delivery=guide.delivery,
        procedure=guide.procedure,
        contact=guide.contact,
        grace=_grace(guide.grace_working_days),
        extension=guide.extension,
        steps=tuple(StepTerms(step.code.value, step.limit) for step in guide.steps),
        yellow_share=guide.yellow.value / 100 if share else 0.0,
        yellow_units=0 if share else guide.yellow.value,
        close_of_business=guide.close_of_business,
        deemed_withdrawal=guide.deemed_withdrawal,
        lack_allowed=guide.lack_allowed,
        materials=tuple(
            RequiredMaterial(
                code=m.code,
                name_zh=m.name_zh,
                name_en=m.name_en,
                required=m.required,
                lackable=m.lackable,
                original=m.original_needed,
                alternatives=m.alternatives,
            )
            for m in guide.materials
            if m.applies(circumstances)
        ),
        decision_rule=guide.rule or "",
    )


def _grace(working_days: int) -> Limit | None:
    if not working_days:
        return None
    return Limit(
        working_days,
        Unit.WORKING_DAY,
        BasisKind.FEDERATION_RULE,
        "联邦规则(对申请人不利的期限届满后的宽限)",
        "federation rule: grace before a timer that hurts the citizen",
        official=False,
    )
