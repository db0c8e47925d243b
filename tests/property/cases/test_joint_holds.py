"""Joint cases of any number of parts, whose answers come late and in any order, against three plain rules."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nodes.cases import commands as c
from nodes.cases.case import Case, JointRule
from nodes.cases.errors import CaseError
from nodes.cases.joint import FileNext, Step, next_steps
from tests.unit.cases.joint_world import REVIEWED, Joint
from tests.unit.cases.world import DENY, GRANT, A, O, P

OUTCOMES = ("granted", "granted", "granted", "denied", "refused", "withdrawn", "detached")
SAID: dict[str, tuple[c.Command, ...]] = {
    "granted": (*REVIEWED, GRANT),
    "denied": (*REVIEWED, DENY),
    "refused": (c.Refuse("not_eligible", "in writing"),),
    "withdrawn": (c.Withdraw("not needed"),),
}


@dataclass(frozen=True)
class Plan:
    """What each authority will answer, and which parts each one needs."""

    outcomes: tuple[str, ...]
    needs: dict[int, tuple[int, ...]]


@st.composite
def plans(draw: st.DrawFn, with_needs: bool) -> Plan:
    outcomes = tuple(draw(st.lists(st.sampled_from(OUTCOMES), min_size=1, max_size=6)))
    needs = {}
    for index in range(2, len(outcomes) + 1) if with_needs else ():
        before = st.lists(st.integers(1, index - 1), unique=True, max_size=2)
        needs[index] = tuple(sorted(draw(before)))
    return Plan(outcomes, needs)


def naive(rule: JointRule, plan: Plan) -> tuple[list[str], bool]:
    """How every part ends, and whether the whole is granted: the three rules, as one would tell them."""
    ends: list[str] = []
    for index, outcome in enumerate(plan.outcomes, 1):
        needed, enough = plan.needs.get(index, ()), {"granted"}
        if not needed and rule is JointRule.ORDERED and index > 1:
            needed, enough = (index - 1,), {"granted", "detached"}
        ends.append(outcome if all(ends[n - 1] in enough for n in needed) else "lapsed")
    counted = [end for end in ends if end != "detached"]
    if rule is JointRule.BEST_EFFORT:
        return ends, "granted" in counted
    whole = bool(counted) and all(end == "granted" for end in counted)
    if rule is JointRule.ALL_OR_NONE and not whole:
        ends = ["lapsed" if end == "granted" else end for end in ends]
    return ends, whole


class Joiner:
    """Sees each part as it was when news of it last came, and carries its steps out in any order."""

    def __init__(self, rule: JointRule, plan: Plan, data: st.DataObject) -> None:
        self.plan, self.data = plan, data
        self.joint = Joint.of(rule, len(plan.outcomes), needs=plan.needs)
        self.seen: dict[str, Case] = {}
        self.old: list[Step] = []

    def news(self, everything: bool = False) -> None:
        for number, desk in self.joint.parts.items():
            if everything or number not in self.seen or self.data.draw(st.booleans()):
                self.seen[number] = desk.it

    def work(self) -> None:
        """Steps in any order, some once more much later; what is refused is planned again."""
        planned = next_steps(self.joint.lead.it, dict(self.seen))
        steps = [*planned, *self.old[:2]]
        for step in self.data.draw(st.permutations(steps)) if steps else ():
            with suppress(CaseError):
                self.joint.carry_out(step)
        told = [step for step in planned if not isinstance(step, FileNext)]  # a filing has a request id
        if told:
            self.old.append(self.data.draw(st.sampled_from(told)))
        parts = self.joint.lead.it.parts
        if self.joint.lead.it.filing.joint_rule is JointRule.ORDERED:
            assert sum(bool(part.case_number) and not part.result for part in parts) <= 1

    def open(self) -> list[int]:
        """The filed parts to which nobody has answered."""
        answered = {"decided", "closed", "refused", "withdrawn", "delivered"}
        return [
            part.index
            for part in self.joint.lead.it.parts
            if part.case_number
            and part.result != "detached"
            and self.joint.part(part.index).state.value not in answered
        ]

    def answer(self, index: int) -> None:
        outcome = self.plan.outcomes[index - 1]
        if outcome == "detached":
            self.joint.lead.do(c.DetachPart(index, "silent"), P)
            return
        desk = self.joint.parts[f"part-{index}"]
        for command in SAID[outcome]:
            desk.do(command, A if isinstance(command, c.Withdraw) else O)

    def run(self) -> None:
        for _ in range(200):
            self.news()
            self.work()
            waiting = self.open()
            if waiting:
                self.answer(self.data.draw(st.sampled_from(waiting)))
            elif self.quiet():
                return
        raise AssertionError("it never comes to an end")

    def quiet(self) -> bool:
        self.news(everything=True)
        return not next_steps(self.joint.lead.it, dict(self.seen))


@pytest.mark.parametrize("rule", list(JointRule))
def test_every_part_ends_as_the_rule_says_however_late_the_news(rule: JointRule) -> None:
    @settings(max_examples=60)
    @given(plans(rule is not JointRule.ALL_OR_NONE), st.data())
    def ends(plan: Plan, data: st.DataObject) -> None:
        joiner = Joiner(rule, plan, data)
        joiner.run()
        expected, whole = naive(rule, plan)
        lead = joiner.joint.lead.it
        assert [part.result for part in lead.parts] == expected
        assert lead.decision is not None
        assert lead.decision.granted == whole
        for part in lead.parts:
            if part.case_number and part.result in {"granted", "lapsed"}:
                case = joiner.joint.part(part.index)
                assert case.joined == (rule is JointRule.ALL_OR_NONE and whole)
                assert (case.state.value == "closed") == (part.result == "lapsed")

    ends()
