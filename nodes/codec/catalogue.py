"""The facts of the regions as messages of CatalogueService (catalogue_service.proto).

Knows both sides field by field. Must not know who asks.
"""

from __future__ import annotations

from typing import Final

from nodes.cases.terms import terms_of
from nodes.codec.kinds import Fill, Kind
from nodes.codec.values import JOINT_RULE, MODE, TERMS
from regions.catalog import Matter, catalogue
from regions.directory import Competence, Finding, NeedsChoice, WrongAuthority
from regions.explain import Explanation
from tongban.v1 import catalogue_service_pb2 as pb


def matter_view(matter: Matter) -> pb.Matter:
    """A matter. Its source is named only where its place on that list is verified."""
    view = pb.Matter(
        code=matter.code,
        name_zh=matter.name_zh,
        name_en=matter.name_en,
        department_zh=matter.department_zh,
        department_en=matter.department_en,
        domain=matter.domain,
        applicant=matter.applicant.value,
        enabled=matter.enabled,
        evidence=matter.name_verification,
        source=matter.printable_source or "",
    )
    _fill_mode(view, matter.mode)
    return view


def matters_view(wanted: pb.CatalogueServiceListRequest) -> pb.CatalogueServiceListResponse:
    """The matters that fit the filter, by code."""
    text = wanted.text.strip().lower()
    found = (
        matter_view(matter)
        for _, matter in sorted(catalogue().matters.items())
        if (matter.enabled or wanted.with_disabled)
        and wanted.domain in ("", matter.domain)
        and text in f"{matter.code} {matter.name_zh} {matter.name_en}".lower()
    )
    return pb.CatalogueServiceListResponse(matters=[m for m in found if wanted.mode in (0, m.mode)])


def explanation_view(found: Explanation) -> pb.ExplainResponse:
    """Who decides, how long, what is needed and why; or what must be asked first."""
    answer = pb.ExplainResponse(
        matter=matter_view(found.matter), text_zh=found.lines("zh"), text_en=found.lines("en")
    )
    plan = catalogue().plan(found.matter.code)
    if plan is not None:
        _fill_rule(answer, plan.rule)
    if (guide := found.guides.get("")) is not None:
        TERMS.fill(answer.terms, terms_of(guide))
    _add(answer, 0, found.matter.code, found.finding)
    for index, (part, finding) in enumerate(found.parts, 1):
        _add(answer, index, part.matter, finding)
    return answer


def _add(answer: pb.ExplainResponse, index: int, matter: str, finding: Finding) -> None:
    if isinstance(finding, NeedsChoice):
        if all(choice.field != finding.field for choice in answer.choices):
            answer.choices.add(
                field=finding.field, question_zh=finding.question_zh, question_en=finding.question_en
            )
        return
    if isinstance(finding, WrongAuthority):
        finding = finding.instead
    if isinstance(finding, Competence):
        answer.competences.add(
            part=index,
            matter=matter,
            region=finding.region,
            authority=finding.authority.code,
            authority_name_zh=finding.authority.name_zh,
            area=finding.authority.area,
            reasons_zh=[reason.zh for reason in finding.explanation],
            reasons_en=[reason.en for reason in finding.explanation],
        )


def _filler(kind: Kind, name: str) -> Fill:
    assert kind.fill is not None
    return kind.fill(name)


_fill_mode: Final = _filler(MODE, "mode")
_fill_rule: Final = _filler(JOINT_RULE, "joint_rule")
