"""A lead and its parts as desks of their own; only the plan of `joint` is carried out between them."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

from nodes.cases import commands as c
from nodes.cases.case import Case, JointPart, JointRule
from nodes.cases.joint import FileNext, TellLead, TellPart, next_steps
from tests.unit.cases.world import ORIGIN, Desk, L, O, S, U, W, at, filing

REVIEWED: tuple[c.Command, ...] = (c.PreCheck(), c.Accept(), c.StartReview(), *[c.FinishStep("passed")] * 3)
REGIONS = ("31", "33", "34", "32", "31")


def plan(count: int, needs: dict[int, tuple[int, ...]] | None = None) -> tuple[JointPart, ...]:
    wanted = needs or {}
    return tuple(
        JointPart(i, f"PS-00{i}", region, f"body-{i}", "310115", needs=wanted.get(i, ()))
        for i, region in zip(range(1, count + 1), cycle(REGIONS), strict=False)
    )


@dataclass
class Joint:
    """A lead and its parts, every one a desk of its own; `run` carries out the plan until nothing is left."""

    lead: Desk
    parts: dict[str, Desk] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, rule: JointRule, count: int = 3, *, needs: Any = None, **changes: Any) -> Joint:
        desk = Desk(at("2026-03-02"))
        desk.file(filing(L, desk.now, joint_rule=rule, parts=plan(count, needs), **changes), W)
        desk.do(c.PreCheck(), W)
        return cls(desk).run()

    def run(self) -> Joint:
        for _ in range(50):
            steps = next_steps(self.lead.it, {number: desk.it for number, desk in self.parts.items()})
            if not steps:
                return self
            self.carry_out(steps[0])
        raise AssertionError(self.done)

    def carry_out(self, step: FileNext | TellLead | TellPart) -> None:
        match step:
            case FileNext(index):
                self.done.append(f"file {index}")
                self._file(index)
            case TellLead(command):
                self.done.append(type(command).__name__)
                self.lead.do(command, S)
            case TellPart(number, command):
                self.done.append(f"{type(command).__name__} {number}")
                self.parts[number].do(command, S, by=ORIGIN)

    def _file(self, index: int) -> None:
        known, lead = self.lead.it.parts[index - 1], self.lead.it.filing
        number = f"part-{index}"
        filed = filing(
            U,
            self.lead.now,
            case_number=number,
            competent=known.region,
            authority=known.authority,
            lead=lead.case_number,
            lead_region=ORIGIN,
            part_index=index,
            joint_rule=lead.joint_rule,
        )
        self.parts[number] = Desk(self.lead.now).file(filed, S)
        self.lead.do(c.FilePart(index, number), S)

    def decide(self, index: int, decision: c.Decide) -> Joint:
        desk = self.parts[f"part-{index}"]
        for command in (*REVIEWED, decision):
            desk.do(command, O)
        return self.run()

    def deliver(self) -> Joint:
        for desk in self.parts.values():
            if desk.state() == "decided":
                desk.do(c.ConfirmDelivery("applicant"), S)
                desk.do(c.Close(), S)
        return self.run()

    def part(self, index: int) -> Case:
        return self.parts[f"part-{index}"].it

    def results(self) -> list[str]:
        return [p.result for p in self.lead.it.parts]
