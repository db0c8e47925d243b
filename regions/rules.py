"""Decision rules: pure functions from what is known of a filing to a verdict.

Knows the frozen FilingFacts and Verdict, the registry, and how other packages add rules.
Must not know cases or nodes: a node maps a filing to FilingFacts and acts on the verdict
as any officer would. A rule that is in doubt leaves the case to an officer.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cache
from importlib.metadata import entry_points

from regions.errors import DataError, FactError
from regions.wording import Reason, reason

GROUP = "tongban.rules"


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


@dataclass(frozen=True, slots=True)
class DecisionRule:
    """A rule by name. needs: register values without which it cannot say anything.

    The body sees only facts; it raises nothing and reads no clock. Call the rule itself, not
    the body: with a register silent it leaves the case, and says which one.
    """

    name: str
    needs: tuple[str, ...]
    body: Callable[[FilingFacts], Verdict]

    def __call__(self, facts: FilingFacts) -> Verdict:
        """The verdict on a filing."""
        silent = [key for key in self.needs if not facts.registers.get(key)]
        if silent:
            named = ", ".join(silent)
            return leave(
                reason(
                    "register_silent", f"登记信息未取得：{named}。", f"No answer from a register: {named}."
                )
            )
        return self.body(facts)


def decision_rule(
    name: str, needs: tuple[str, ...] = ()
) -> Callable[[Callable[[FilingFacts], Verdict]], DecisionRule]:
    """Make a pure function a rule of that name. Publish it under `tongban.rules` to add it."""

    def wrap(body: Callable[[FilingFacts], Verdict]) -> DecisionRule:
        return DecisionRule(name, needs, body)

    return wrap


def grant(**result: str) -> Verdict:
    """Granted; result: named values of what is granted."""
    return Verdict(VerdictKind.GRANT, (), result=result)


def deny(why: Reason, remedy_zh: str, remedy_en: str) -> Verdict:
    """Denied for that reason, with what can be done about it."""
    return Verdict(VerdictKind.DENY, (why,), remedy_zh, remedy_en)


def leave(why: Reason) -> Verdict:
    """Left to an officer, who is told why."""
    return Verdict(VerdictKind.LEAVE, (why,))


@cache
def rules() -> Mapping[str, DecisionRule]:
    """All rules by name: the shipped ones and those other packages publish.

    Raises DataError when a published object is no DecisionRule, or takes a name that is taken.
    """
    from regions.shipped_rules import SHIPPED

    found = {rule.name: rule for rule in SHIPPED}
    for point in entry_points(group=GROUP):
        rule = point.load()
        if not isinstance(rule, DecisionRule):
            raise DataError(GROUP, point.name, f"{point.value} is not a DecisionRule")
        if rule.name in found or rule.name != point.name:
            raise DataError(GROUP, point.name, "the name is taken, or differs from the rule's own")
        found[rule.name] = rule
    return found


def rule(name: str) -> DecisionRule:
    """The rule of that name; FactError(rule, unknown_rule)."""
    known = rules().get(name)
    if known is None:
        raise FactError("rule", "unknown_rule")
    return known
