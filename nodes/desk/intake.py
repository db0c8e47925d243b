"""From a filing as stated to a filing that stands, or to a refusal that names every field that is wrong.

Knows the checks before a case exists: the matter, the numbers, the guide of the *competent* place, who
decides and of what the applicant must choose. Must not know the database. Competence follows from what the
applicant says, never from an identity number.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from nodes.cases.case import Case, Delivery, Filing, JointPart, Kind, Material, Party
from nodes.cases.frozen import replace
from nodes.cases.terms import terms_of
from nodes.codec.answers import FieldWarning
from nodes.codec.requests import NewFiling
from nodes.desk.remarks import on_number
from nodes.desk.work import Problem, Refused
from regions.catalog import HandlingMode, Matter, PlaceKind, catalogue
from regions.directory import (
    ApplicantFacts,
    Competence,
    Finding,
    NeedsChoice,
    OutsideFederation,
    WrongAuthority,
    competent,
)
from regions.errors import FieldError
from regions.guide import Guide
from regions.guidebook import guide
from regions.identifiers import document, parse_identity
from regions.joint import JointPart as PlannedPart
from regions.region import place


@dataclass(frozen=True, slots=True)
class Standing:
    """A filing that stands but for its number: see `number_it`. `plan`: of a joint case, each part's code."""

    filing: Filing
    reasons_zh: tuple[str, ...]
    reasons_en: tuple[str, ...]
    warnings: tuple[FieldWarning, ...]
    plan: tuple[str, ...] = ()

    def numbered(self, case_number: str, materials: Sequence[Material]) -> Filing:
        """The filing with its number and materials."""
        return replace(self.filing, case_number=case_number, materials=tuple(materials))


@dataclass(slots=True)
class _Check:
    """Problems are gathered, so that the applicant is told once."""

    today: date
    problems: list[Problem] = field(default_factory=list)
    warnings: list[FieldWarning] = field(default_factory=list)

    def wrong(self, where: str, code: str, detail: str = "") -> None:
        self.problems.append(Problem(where, code.upper(), detail))

    def party(self, party: Party, where: str) -> Party:
        """With its number normalised; the old form is kept beside it."""
        if not party.name.strip():
            self.wrong(f"{where}.name", "missing")
        if party.kind not in ("person", "enterprise"):
            self.wrong(f"{where}.kind", "unknown_kind")
        try:
            if party.id_type == "identity_card":
                number = parse_identity(party.id_no, self.today, f"{where}.id_no")
                self.warnings += [on_number(f"{where}.id_no", found) for found in number.warnings]
                normal = number.normalised
            else:
                normal = document(party.id_type, party.id_no, self.today, f"{where}.id_no").normalised
        except FieldError as error:
            of_kind = error.reason == "kind_unknown"
            self.wrong(f"{where}.id_type" if of_kind else error.field, error.reason)
            return party
        given = party.id_no.strip() if party.id_no.strip() != normal else ""
        return replace(party, id_no=normal, id_given=given)


_STATED_APART = {
    "filing.places.filing": "filing.origin_area",
    "filing.places.authority": "filing.authority",
}
"""Facts for the competent place that the applicant states in a field of their own."""


def stand(new: NewFiling, region: str, now: datetime, client: str) -> Standing:
    """The filing if it stands. Raises Refused with every field that is wrong or to be chosen."""
    check = _Check(now.date())
    try:
        matter = catalogue().matter(new.matter)
    except FieldError as error:
        raise Refused("MATTER_UNKNOWN", (Problem("filing.matter", error.reason.upper()),)) from None
    applicant = check.party(new.applicant, "filing.applicant")
    agent = check.party(new.agent, "filing.agent") if new.agent else None
    if new.applicant.kind != matter.applicant.value:
        check.wrong("filing.applicant.kind", "not_for_this_applicant", f"only for {matter.applicant.value}")
    if agent is not None and not new.mandate:
        check.wrong("filing.mandate", "missing", "an agent needs the reference of a mandate")
    if not new.consent:
        check.wrong("filing.consent", "missing", "the applicant's signed consent")
    if new.channel not in ("online", "window", "batch"):
        check.wrong("filing.channel", "unknown_channel")
    if matter.mode is HandlingMode.COLLECT_ON_BEHALF and new.channel == "online":
        check.wrong("filing.channel", "window_only", "this matter is collected at a window")
    if new.delivery.way not in ("electronic", "courier", "pickup"):
        check.wrong("filing.delivery.way", "unknown_way")
    elif new.delivery.way == "courier" and not new.delivery.address:
        check.wrong("filing.delivery.address", "missing")
    facts, finding = _finding(new, matter, region, check)
    if check.problems or facts is None or finding is None:
        raise Refused(
            check.problems[0].code if len(check.problems) == 1 else "FILING_REFUSED", tuple(check.problems)
        )
    if matter.mode is HandlingMode.JOINT:
        return _joint(new, matter, facts, region, now, client, applicant, agent, check)
    return _single(new, finding, region, now, client, applicant, agent, check)


def _finding(
    new: NewFiling, matter: Matter, region: str, check: _Check
) -> tuple[ApplicantFacts | None, Competence | None]:
    try:
        origin = place(new.origin_area, "filing.origin_area")
        if origin.region != region:
            check.wrong("filing.origin_area", "other_region", f"is in {origin.region}; file with its node")
        facts = ApplicantFacts.of(
            {**dict(new.places), **({"authority": new.authority} if new.authority else {})}
        )
        if matter.mode is HandlingMode.JOINT:
            return facts, _settled_lead(matter, facts, new, check)
        if new.part_areas:
            check.wrong("filing.part_areas", "not_joint", "only a joint matter has parts")
        return facts, settled(competent(matter.code, facts, new.origin_area), check.problems)
    except FieldError as error:
        where = error.field if error.field.startswith("filing.") else f"filing.places.{error.field}"
        check.wrong(_STATED_APART.get(where, where), error.reason, error.detail)
        return None, None


def _settled_lead(matter: Matter, facts: ApplicantFacts, new: NewFiling, check: _Check) -> Competence | None:
    first: Competence | None = None
    for position, (_, finding) in _parts(matter, facts, new, check).items():
        chosen = f"filing.part_areas.{position}" if position in dict(new.part_areas) else ""
        found = settled(finding, check.problems, chosen)
        first = first or found
    return first


def _parts(
    matter: Matter, facts: ApplicantFacts, new: NewFiling, check: _Check
) -> dict[int, tuple[PlannedPart, Finding]]:
    """Each part of a joint matter by its position, counted from 1, and who decides it: where the applicant
    chose for this part, else where the facts say.
    """
    plan = catalogue().plan(matter.code)
    assert plan is not None
    chosen = dict(new.part_areas)
    found: dict[int, tuple[PlannedPart, Finding]] = {}
    for position, part in enumerate(plan.parts, 1):
        where, area = f"filing.part_areas.{position}", chosen.pop(position, "")
        if area and part.place is PlaceKind.FILING:
            check.wrong(where, "not_a_choice", "this part is decided where it is filed")
            area = ""
        own = replace(facts, **{part.place.value: area}) if area else facts
        try:
            found[position] = part, competent(matter.code, own, new.origin_area, part.code)
        except FieldError as error:
            if not area:
                raise
            check.wrong(where, error.reason, error.detail)
    for position in chosen:
        check.wrong(f"filing.part_areas.{position}", "no_such_part", f"there are {len(plan.parts)} parts")
    return found


def settled(finding: Finding, problems: list[Problem], chosen: str = "") -> Competence | None:
    """The competence, or None and what stands in its way. `chosen`: the field in which the place was chosen,
    when it is none of the places.
    """
    match finding:
        case Competence():
            return finding
        case NeedsChoice():
            where = chosen or f"filing.places.{finding.field}"
            problems.append(Problem(where, "NEEDS_CHOICE", finding.question_en, finding.question_zh))
        case WrongAuthority():
            instead = finding.instead.authority
            problems.append(
                Problem(
                    "filing.authority", "WRONG_AUTHORITY", f"go to {instead.code} ({instead.name_en})",
                    f"应由{instead.name_zh}（{instead.code}）办理",
                )
            )  # fmt: skip
        case OutsideFederation():
            where = chosen or f"filing.places.{finding.field}"
            problems.append(Problem(where, "OUTSIDE_FEDERATION", "", finding.province_zh))
    return None


def _single(
    new: NewFiling, found: Competence, region: str, now: datetime, client: str, applicant: Party, agent: Party
    | None, check: _Check,
) -> Standing:  # fmt: skip
    theirs = guide(new.matter, found.authority.area)
    kind = Kind.FULL_ONLINE if theirs.mode is HandlingMode.FULL_ONLINE else Kind.COLLECT_ON_BEHALF
    filing = _filing(new, theirs, kind, region, now, client, applicant, agent)
    return Standing(
        filing,
        tuple(r.zh for r in found.explanation),
        tuple(r.en for r in found.explanation),
        tuple(check.warnings),
    )


def _joint(
    new: NewFiling, matter: Matter, facts: ApplicantFacts, region: str, now: datetime, client: str, applicant:
    Party, agent: Party | None, check: _Check,
) -> Standing:  # fmt: skip
    lead = guide(matter.code, new.origin_area)
    assert lead.joint is not None
    parts: list[JointPart] = []
    zh: list[str] = []
    en: list[str] = []
    found = _parts(matter, facts, new, check)
    index = {part.code: position for position, (part, _) in found.items()}
    for part, finding in found.values():
        assert isinstance(finding, Competence)
        parts.append(_planned(part, finding, index))
        zh += [r.zh for r in finding.explanation]
        en += [r.en for r in finding.explanation]
    filing = replace(
        _filing(new, lead, Kind.LEAD, region, now, client, applicant, agent),
        joint_rule=lead.joint.rule,
        principal=index.get(lead.joint.principal, 0),
        parts=tuple(parts),
    )
    return Standing(filing, tuple(zh), tuple(en), tuple(check.warnings), tuple(index))


def _planned(part: PlannedPart, found: Competence, index: Mapping[str, int]) -> JointPart:
    return JointPart(
        index=index[part.code],
        matter=part.matter,
        region=found.region,
        authority=found.authority.code,
        area=found.authority.area,
        needs=tuple(index[code] for code in part.needs),
    )


def _filing(
    new: NewFiling, theirs: Guide, kind: Kind, region: str, now: datetime, client: str, applicant: Party,
    agent: Party | None,
) -> Filing:  # fmt: skip
    if new.guide_version and new.guide_version != theirs.version:
        raise Refused(
            "GUIDE_CHANGED", (Problem("filing.guide_version", "GUIDE_CHANGED"),), guide_version=theirs.version
        )
    return Filing(
        case_number="",
        kind=kind,
        mode=theirs.mode,
        matter=new.matter,
        guide_version=theirs.version,
        origin=region,
        origin_area=new.origin_area,
        competent=region if kind is Kind.LEAD else theirs.region,
        authority=theirs.authority,
        authority_area=theirs.area,
        channel=new.channel,
        filed_at=now,
        consent=new.consent,
        applicant=applicant,
        terms=terms_of(theirs, circumstances(new.facts)),
        agent=agent,
        mandate=new.mandate,
        delivery=Delivery(new.delivery.way, new.delivery.address),
        facts=_facts(new),
        client=client,
    )


PLACE = "place."
"""What the names of a filing's facts begin with that say where something is."""
PART_AREA = "part_area."
"""And where the applicant chose that a part (by its position, from 1) is decided."""


def _facts(new: NewFiling) -> tuple[tuple[str, str], ...]:
    """What the applicant stated, by name."""
    places = {f"{PLACE}{name}": area for name, area in new.places if area}
    chosen = {f"{PART_AREA}{position}": area for position, area in new.part_areas if area}
    return tuple(sorted({**places, **chosen, **dict(new.facts)}.items()))


CIRCUMSTANCE = "circumstance."


def circumstances(facts: Iterable[tuple[str, str]]) -> frozenset[str]:
    """The codes of circumstances that the applicant says hold; they choose the materials."""
    return frozenset(
        name.removeprefix(CIRCUMSTANCE)
        for name, value in facts
        if name.startswith(CIRCUMSTANCE) and value == "yes"
    )


def part_filing(case: Case, part: JointPart, case_number: str, now: datetime) -> Filing:
    """The filing of one part of a joint case: the same applicant and materials, the part's own guide."""
    lead = case.filing
    plan = guide(lead.matter, lead.origin_area).joint
    assert plan is not None
    code = plan.parts[part.index - 1].code
    theirs = guide(lead.matter, part.area, code)
    return replace(
        lead,
        case_number=case_number,
        kind=Kind.PART,
        matter=part.matter,
        guide_version=theirs.version,
        competent=part.region,
        authority=part.authority,
        authority_area=part.area,
        channel="node",
        filed_at=now,
        materials=case.materials,
        terms=terms_of(theirs, circumstances(lead.facts)),
        lead=lead.case_number,
        lead_region=lead.origin,
        part_index=part.index,
        parts=(),
    )
