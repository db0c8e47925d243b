"""Who is competent: from the applicant's own statements to an authority, with reasons.

Knows kinds of authorities and the place kind and level of each matter. Must not know
identity numbers: no fact is ever read off one. What the applicant did not say is asked for.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from regions.errors import FactError
from regions.matter import PlaceKind
from regions.region import Level, Place


@dataclass(frozen=True, slots=True)
class Authority:
    """The body that decides. code: department kind and area code ("police-320509"); its
    name is derived from both (no official register of authorities is at hand).
    """

    code: str
    department: str
    name_zh: str
    name_en: str
    region: str
    area: str
    level: Level
    name_derived: bool = True


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
class Reason:
    """One step of an explanation. code: stable; zh, en: a sentence each."""

    code: str
    zh: str
    en: str


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
