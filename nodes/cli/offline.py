"""The catalogue without a node: the same answers, from the facts shipped with this program.

Knows regions' facts and the messages of CatalogueService. Must not know screens.
"""

from datetime import datetime

from nodes.cli.exits import Exit
from nodes.cli.failures import Problem, failure
from nodes.cli.words import both
from regions import explain as explaining
from regions.catalog import Matter as Entry
from regions.catalog import catalogue
from regions.directory import ApplicantFacts, Competence, Finding, NeedsChoice, WrongAuthority
from regions.errors import FactError
from regions.joint import JointRule as Rule
from tongban.v1 import case_pb2 as pb
from tongban.v1 import catalogue_service_pb2 as answers

_MODES = {
    "full_online": pb.HANDLING_MODE_FULL_ONLINE,
    "collect_on_behalf": pb.HANDLING_MODE_COLLECT_ON_BEHALF,
    "joint": pb.HANDLING_MODE_JOINT,
}
_RULES = {
    Rule.ALL_OR_NONE: pb.JOINT_RULE_ALL_OR_NONE,
    Rule.BEST_EFFORT: pb.JOINT_RULE_BEST_EFFORT,
    Rule.ORDERED: pb.JOINT_RULE_ORDERED,
}


def list_matters(request: answers.ListMattersRequest) -> answers.ListMattersResponse:
    """The matters that fit the filter, by code."""
    text = request.text.lower()
    found = [
        entry
        for _, entry in sorted(catalogue().matters.items())
        if (entry.enabled or request.with_disabled)
        and (not request.domain or entry.domain == request.domain)
        and (not request.mode or _MODES[entry.mode.value] == request.mode)
        and text in f"{entry.code} {entry.name_zh} {entry.name_en}".lower()
    ]
    return answers.ListMattersResponse(matters=[_matter(entry) for entry in found])


def explain(request: answers.ExplainRequest, now: datetime) -> answers.ExplainResponse:
    """Who decides, how long, what is needed. Raises Failure that names the flag at fault."""
    said = {field.name: value for field, value in request.places.ListFields()}
    try:
        found = explaining.explain(request.matter, ApplicantFacts.of(said), request.origin_area, now)
    except FactError as error:
        raise _refused(error) from None
    answer = answers.ExplainResponse(
        matter=_matter(found.matter),
        text_zh=found.lines("zh"),
        text_en=found.lines("en"),
    )
    plan = catalogue().plan(found.matter.code)
    if plan is not None:
        answer.joint_rule = _RULES[plan.rule]
    _add(answer, 0, found.matter.code, found.finding)
    for index, (part, finding) in enumerate(found.parts, 1):
        _add(answer, index, part.matter, finding)
    return answer


def _add(answer: answers.ExplainResponse, index: int, matter: str, finding: Finding) -> None:
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


def _matter(entry: Entry) -> answers.Matter:
    return answers.Matter(
        code=entry.code,
        name_zh=entry.name_zh,
        name_en=entry.name_en,
        department_zh=entry.department_zh,
        department_en=entry.department_en,
        domain=entry.domain,
        applicant=entry.applicant.value,
        mode=_MODES[entry.mode.value],
        enabled=entry.enabled,
        evidence=entry.name_verification,
        source=entry.printable_source or "",
    )


def _refused(error: FactError) -> Exception:
    flag = {"matter": "MATTER", "filing": "--origin"}.get(error.field, f"--place {error.field}")
    end = Exit.NOT_FOUND if error.reason == "unknown_matter" else Exit.REFUSED
    key = f"wrong.{error.reason}"
    problem = Problem(flag, error.reason.upper(), both(key))
    return failure(end, "bad_fact", problems=[problem])
