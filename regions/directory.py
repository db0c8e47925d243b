"""Who is competent: from the applicant's own statements to an authority, with reasons.

Knows kinds of authorities and the place kind and level of each matter. Must not know
identity numbers: no fact is ever read off one. What the applicant did not say is asked for.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from regions.authorities import Authority, authority, authority_of
from regions.catalog import Catalogue, Matter, PlaceKind, catalogue
from regions.errors import FactError
from regions.grounds import Ground, explain_ground, explain_wrong, outside
from regions.joint import JointPart
from regions.placekinds import place_terms
from regions.region import Atlas, Place, atlas
from regions.wording import Reason

__all__ = [
    "ApplicantFacts",
    "Authority",
    "Competence",
    "Finding",
    "NeedsChoice",
    "OutsideFederation",
    "Reason",
    "WrongAuthority",
    "competent",
    "competent_parts",
]


@dataclass(frozen=True, slots=True)
class ApplicantFacts:
    """What the applicant says, each an area code (6 digits) or None for not said.

    The names are those of `PlaceKind`; authority: code of the authority the applicant
    believes competent. A county code where the level is county; a city's code is enough
    where the city decides.
    """

    household: str | None = None
    residence: str | None = None
    work: str | None = None
    fund_centre: str | None = None
    insured: str | None = None
    treatment: str | None = None
    transfer_in: str | None = None
    transfer_out: str | None = None
    move_in: str | None = None
    registry: str | None = None
    site: str | None = None
    immovable: str | None = None
    issuing: str | None = None
    notary: str | None = None
    birth: str | None = None
    authority: str | None = None

    @classmethod
    def of(cls, said: Mapping[str, str]) -> "ApplicantFacts":
        """From names and codes; empty values mean not said. FactError(name, unknown_fact)."""
        known = {item.name for item in fields(cls)}
        for name in said:
            if name not in known:
                raise FactError(name, "unknown_fact")
        return cls(**{name: value for name, value in said.items() if value})

    def said(self) -> dict[str, str]:
        """Only what was said, by name; the inverse of `of`."""
        found = {item.name: getattr(self, item.name) for item in fields(self)}
        return {name: value for name, value in found.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Competence:
    """The answer: region (short code) and authority, the place that settled it, and why."""

    region: str
    authority: Authority
    place: Place
    place_kind: PlaceKind
    part: str | None
    explanation: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class NeedsChoice:
    """The applicant must say something first. field: name of the fact; options: area codes
    to choose from, empty when any place may be named.
    """

    field: str
    part: str | None
    question_zh: str
    question_en: str
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WrongAuthority:
    """The applicant named an authority that is not competent; instead: where to go."""

    named: str
    instead: Competence
    explanation: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class OutsideFederation:
    """The place that decides lies in a province that is not part of the federation."""

    field: str
    province_zh: str
    explanation: tuple[Reason, ...]


Finding = Competence | NeedsChoice | WrongAuthority | OutsideFederation


def competent(
    matter: str,
    facts: ApplicantFacts,
    filing: str,
    part: str | None = None,
    known: Catalogue | None = None,
) -> Finding:
    """Who decides `matter` (of a joint one: its principal part, or the named `part`).

    filing: area code of the place where it is filed. A bundle without `part` is led by the
    service centre of the filing city. Raises FactError(matter, part, filing, a fact's name
    or authority).
    """
    book = known or catalogue()
    entry = book.matter(matter)
    plan, found = book.plan(matter), None
    if part is not None:
        found = plan.part(part) if plan else None
        if found is None:
            raise FactError("part", "unknown_part")
    finding = _find(_where(entry, found), facts, filing)
    if isinstance(finding, Competence) and facts.authority and part is None:
        return _checked(finding, facts.authority)
    return finding


def competent_parts(
    matter: str, facts: ApplicantFacts, filing: str, known: Catalogue | None = None
) -> tuple[tuple[JointPart, Finding], ...]:
    """Each part of a joint matter with who decides it, in order; empty for other matters."""
    plan = (known or catalogue()).plan(matter)
    if plan is None:
        return ()
    return tuple((part, competent(matter, facts, filing, part.code, known)) for part in plan.parts)


def _where(matter: Matter, part: JointPart | None) -> Ground:
    if part is not None:
        return Ground(matter, part, part.department, part.place, part.level)
    at = matter.where
    return Ground(matter, None, at.department, at.place, at.level)


def _find(where: Ground, facts: ApplicantFacts, filing: str) -> Finding:
    places = atlas()
    filed_at = places.place(filing, "filing")
    field = where.kind.value
    code = filing if where.kind is PlaceKind.FILING else facts.said().get(field)
    part = where.part.code if where.part else None
    if code is None:
        options = _offers(where.kind, facts)
        term = place_terms()[where.kind]
        return NeedsChoice(field, part, term.question_zh, term.question_en, options)
    try:
        place = places.place(code, field)
    except FactError as error:
        if error.reason != "outside_federation":
            raise
        name = places.provinces[code[:2]]
        return OutsideFederation(field, name, (outside(where, name),))
    area = place.at(where.level)
    if area is None:
        return _narrow(where, place, places)
    body = authority(where.department, area)
    told = explain_ground(where, facts.household, place, filed_at, body)
    return Competence(body.region, body, place, where.kind, part, told)


def _offers(kind: PlaceKind, facts: ApplicantFacts) -> tuple[str, ...]:
    # 公证法 art. 25: the domicile or the habitual residence, so what was said is offered.
    if kind is not PlaceKind.NOTARY:
        return ()
    said = [code for code in (facts.household, facts.residence) if code]
    return tuple(dict.fromkeys(said))


def _narrow(where: Ground, place: Place, places: Atlas) -> NeedsChoice:
    term = place_terms()[where.kind]
    part = where.part.code if where.part else None
    if place.city is None:
        options = tuple(city.code for city in places.cities_of(place.region))
        what_zh, what_en = "哪个市", "which city"
    else:
        options = tuple(county.code for county in places.counties_of(place.city))
        what_zh, what_en = "哪个县(市、区)", "which county-level unit"
    return NeedsChoice(
        where.kind.value,
        part,
        f"{term.name_zh}在{place.name_zh}的{what_zh}？本事项由更具体一级的机构办理。",
        f"In {what_en} of {place.name_en} is {term.name_en}? A body of a lower level decides this.",
        options,
    )


def _checked(right: Competence, named: str) -> Competence | WrongAuthority:
    body = authority_of(named)
    if body.code == right.authority.code:
        return right
    return WrongAuthority(named, right, (*explain_wrong(body, right.authority), *right.explanation))
