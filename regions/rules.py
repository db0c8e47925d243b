"""Decision rules: pure functions from what is known of a filing to a verdict.

Knows the frozen FilingFacts and Verdict, the registry, and how other packages add rules.
Must not know cases or nodes: a node maps a filing to FilingFacts and acts on the verdict
as any officer would. A rule that is in doubt leaves the case to an officer.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from regions.wording import Reason


@dataclass(frozen=True, slots=True)
class FilingFacts:
    """What a rule may look at.

    matter, part, region, authority: of the case; applicant_name and id_no (normalised) of
    the applicant; birth: from the identity number, None for firms; by_agent; materials:
    codes that were received and found readable; answers: what the applicant wrote in the
    form; registers: what the authority's own registers say, by "register.field" (absent
    when a register was not or could not be asked); today: business date.
    """

    matter: str
    part: str | None
    region: str
    authority: str
    today: date
    applicant_name: str = field(repr=False)
    id_no: str = field(repr=False)
    birth: date | None = field(repr=False, default=None)
    by_agent: bool = False
    materials: frozenset[str] = frozenset()
    answers: Mapping[str, str] = field(default_factory=dict, repr=False)
    registers: Mapping[str, str] = field(default_factory=dict, repr=False)


class VerdictKind(StrEnum):
    """grant or deny at once, or leave the case to an officer."""

    GRANT = "grant"
    DENY = "deny"
    LEAVE = "leave"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rule says. A denial has at least one reason and a remedy; leaving has a reason
    for the officer; result: named values of what is granted (no personal data).
    """

    kind: VerdictKind
    reasons: tuple[Reason, ...]
    remedy_zh: str = ""
    remedy_en: str = ""
    result: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind is not VerdictKind.GRANT and not self.reasons:
            raise ValueError("a denial, or a case left to an officer, needs a reason")
        if self.kind is VerdictKind.DENY and not (self.remedy_zh and self.remedy_en):
            raise ValueError("a denial names the remedy")
