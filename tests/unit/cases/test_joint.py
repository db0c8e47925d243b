"""Joint cases: any number of parts, three rules, one plan that a joiner only carries out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nodes.cases import commands as c
from nodes.cases.case import CaseParty, CaseRole, Decision, JointRule, Role, State
from nodes.cases.errors import CaseError, Code
from nodes.cases.joint import FileNext, TellLead, TellPart, next_steps
from nodes.cases.legal import legal_commands
from tests.unit.cases.joint_world import REVIEWED, Joint
from tests.unit.cases.world import (
    COMPETENT,
    DENY,
    GRANT,
    ORIGIN,
    A,
    Desk,
    L,
    O,
    P,
    S,
    W,
    at,
    defect,
    filing,
    material,
    names,
)


def refused(desk: Desk, command: c.Command, role: Role) -> Code:
    with pytest.raises(CaseError) as error:
        desk.do(command, role)
    return error.value.code


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_all_or_none_delivers_only_when_all_are_granted(count: int) -> None:
    joint = Joint.of(JointRule.ALL_OR_NONE, count)
    assert joint.done == ["Accept", "StartReview", *[f"file {i}" for i in range(1, count + 1)]]
    for index in range(1, count + 1):
        waiting = joint.decide(index, GRANT).part(1)
        if index < count:
            assert not waiting.joined
            assert refused(joint.parts["part-1"], c.ConfirmDelivery("applicant"), S) is Code.NOT_JOINED
    assert all(desk.it.joined for desk in joint.parts.values())
    told = "; ".join(f"{i}=granted" for i in range(1, count + 1))
    assert joint.lead.it.decision == Decision(granted=True, reasons=told, remedy="")
    assert joint.lead.state() == "delivered"  # but it is not closed before its parts are
    assert joint.deliver().lead.state() == "closed"


def test_all_or_none_lapses_what_was_granted_when_another_is_not() -> None:
    joint = Joint.of(JointRule.ALL_OR_NONE)
    joint.decide(1, GRANT).decide(2, DENY)
    assert joint.part(1).state.value == "closed"
    assert joint.part(1).reason == "others_not_granted"
    assert joint.results() == ["lapsed", "denied", ""]
    assert joint.lead.state() == "in_review"  # pending until every part has answered
    joint.decide(3, GRANT)
    assert joint.results() == ["lapsed", "denied", "lapsed"]
    assert joint.lead.it.decision == Decision(False, "1=lapsed; 2=denied; 3=lapsed", "see_parts")


def test_a_denial_does_not_wait_for_the_others() -> None:
    joint = Joint.of(JointRule.ALL_OR_NONE)
    joint.decide(2, DENY)
    joint.parts["part-2"].do(c.ConfirmDelivery("applicant"), S)
    assert joint.part(2).state.value == "delivered"


def test_ordered_files_the_next_part_on_the_result_of_the_one_before() -> None:
    joint = Joint.of(JointRule.ORDERED)
    assert list(joint.parts) == ["part-1"]
    joint.lead.now = at("2026-03-09")
    joint.decide(1, GRANT)
    assert list(joint.parts) == ["part-1", "part-2"]
    assert joint.part(2).filing.filed_at == at("2026-03-09")  # its clock starts here
    joint.decide(2, GRANT).decide(3, GRANT)
    assert joint.lead.it.decision is not None
    assert joint.lead.it.decision.granted


def test_ordered_ends_where_a_part_is_denied() -> None:
    joint = Joint.of(JointRule.ORDERED)
    joint.decide(1, DENY)
    assert list(joint.parts) == ["part-1"]
    assert joint.results() == ["denied", "lapsed", "lapsed"]
    assert joint.lead.it.decision is not None
    assert not joint.lead.it.decision.granted


def test_ordered_goes_on_past_a_part_that_nobody_needs() -> None:
    joint = Joint.of(JointRule.ORDERED, 4, needs={2: (1,), 3: (1,), 4: (2,)}, principal=1)
    joint.decide(1, GRANT).decide(2, DENY)
    assert list(joint.parts) == ["part-1", "part-2", "part-3"]
    joint.decide(3, GRANT)
    assert joint.results() == ["granted", "denied", "granted", "lapsed"]
    assert joint.lead.it.decision is not None
    assert joint.lead.it.decision.granted  # the principal part settles the matter


def test_best_effort_lets_each_deliver_by_itself_and_sums_up_once() -> None:
    joint = Joint.of(JointRule.BEST_EFFORT)
    joint.decide(1, GRANT)
    joint.parts["part-1"].do(c.ConfirmDelivery("applicant"), S)
    assert joint.part(1).state.value == "delivered"
    joint.decide(2, DENY).decide(3, DENY)
    assert joint.lead.it.decision == Decision(True, "1=granted; 2=denied; 3=denied", "")


def test_a_lead_is_not_decided_before_every_part_has_answered() -> None:
    joint = Joint.of(JointRule.BEST_EFFORT)
    joint.decide(1, GRANT)
    assert refused(joint.lead, GRANT, S) is Code.PARTS_PENDING


def test_a_lead_cannot_be_withdrawn_once_a_part_is_decided() -> None:
    joint = Joint.of(JointRule.BEST_EFFORT)
    joint.decide(1, GRANT)
    assert refused(joint.lead, c.Withdraw("moved away"), A) is Code.PART_DECIDED


def test_the_withdrawal_of_a_lead_asks_the_parts_and_waits_for_them() -> None:
    joint = Joint.of(JointRule.ALL_OR_NONE)
    assert names(joint.lead.do(c.Withdraw("moved away"), A)) == ["WithdrawalAsked"]
    assert joint.lead.state() == "in_review"
    assert refused(joint.lead, c.Withdraw("moved away"), A) is Code.NOTHING_TO_DO
    joint.run()
    assert joint.results() == ["withdrawn"] * 3
    assert joint.lead.state() == "withdrawn"
    assert joint.lead.it.reason == "moved away"


def test_a_part_that_is_decided_first_keeps_the_lead_alive() -> None:
    joint = Joint.of(JointRule.BEST_EFFORT)
    joint.lead.do(c.Withdraw("moved away"), A)
    desk = joint.parts["part-2"]
    for command in (*REVIEWED, GRANT):
        desk.do(command, O)
    joint.run()
    assert joint.results() == ["", "granted", ""]
    assert joint.lead.state() == "in_review"
    assert not joint.lead.it.withdrawing


def test_a_lead_without_parts_out_is_withdrawn_at_once() -> None:
    desk = Desk(at("2026-03-02"))
    desk.file(filing(L, desk.now), W)
    assert names(desk.do(c.Withdraw("moved away"), A)) == ["Withdrawn"]


def test_an_operator_detaches_a_stuck_part_and_the_whole_goes_on() -> None:
    joint = Joint.of(JointRule.ALL_OR_NONE)
    joint.decide(1, GRANT).decide(2, GRANT)
    joint.lead.do(c.DetachPart(3, "silent for weeks"), P)
    joint.run()
    assert joint.part(1).joined
    assert joint.part(2).joined
    assert joint.lead.it.decision is not None
    assert joint.lead.it.decision.granted
    joint.decide(3, GRANT)
    assert joint.part(3).joined  # by itself
    assert joint.results() == ["granted", "granted", "detached"]


def test_a_refused_part_counts_as_an_answer() -> None:
    joint = Joint.of(JointRule.ALL_OR_NONE, 2)
    joint.decide(1, GRANT)
    joint.parts["part-2"].do(c.Refuse("not_eligible", "in writing"), O)
    joint.run()
    assert joint.results() == ["lapsed", "refused"]
    assert joint.lead.state() == "closed"


def test_a_part_reinstated_after_its_withdrawal_was_folded_is_pending_again() -> None:
    joint = Joint.of(JointRule.BEST_EFFORT, 2)
    desk = joint.parts["part-1"]
    desk.do(c.PreCheck(), O)
    desk.do(c.RequestCorrection((defect("booklet"),)), O)
    desk.wait(at("2026-05-01"))
    assert desk.state() == "withdrawn"
    assert joint.run().results() == ["withdrawn", ""]
    desk.do(c.Correct((material("booklet", "c"),)), A, submitted_at=at("2026-03-10"))
    assert joint.run().results() == ["", ""]


def test_a_lead_that_ends_otherwise_takes_its_parts_along() -> None:
    joint = Joint.of(JointRule.ALL_OR_NONE)
    joint.decide(1, GRANT)
    ended = replace(joint.lead.it, state=State.ACCEPTANCE_REVOKED, reason="lack_overdue")
    steps = next_steps(ended, {number: desk.it for number, desk in joint.parts.items()})
    assert steps == (
        TellPart("part-1", c.Join(lapse=True, reason="others_not_granted")),
        TellPart("part-2", c.Withdraw("lack_overdue")),
        TellPart("part-3", c.Withdraw("lack_overdue")),
    )


def test_folding_is_by_version_and_never_for_a_part_that_is_not_the_leads() -> None:
    joint = Joint.of(JointRule.BEST_EFFORT, 2)
    known = joint.lead.it.parts[0]
    fold = c.FoldPart(replace(known, version=7, result="granted"))
    joint.lead.do(fold, S)
    assert refused(joint.lead, fold, S) is Code.NOTHING_TO_DO
    stranger = c.FoldPart(replace(known, case_number="other", version=9, result="denied"))
    assert refused(joint.lead, stranger, S) is Code.NO_SUCH_PART
    assert refused(joint.lead, c.FilePart(9, "x"), S) is Code.NO_SUCH_PART
    assert refused(joint.lead, c.FilePart(1, "x"), S) is Code.NOTHING_TO_DO


def test_only_the_leads_node_joins_a_part() -> None:
    joint = Joint.of(JointRule.ALL_OR_NONE, 2)
    joint.decide(1, GRANT)
    with pytest.raises(CaseError) as error:
        joint.parts["part-1"].do(c.Join(), S, by=COMPETENT)
    assert error.value.code is Code.WRONG_REGION


def test_the_region_of_a_part_keeps_a_copy_of_the_lead_from_its_filing_on() -> None:
    joint = Joint.of(JointRule.ORDERED, 3)
    origin = CaseParty(ORIGIN, CaseRole.ORIGIN, 1)
    filed = joint.lead.it.version
    assert joint.lead.it.parties == (origin, CaseParty("31", CaseRole.PART, filed))
    joint.decide(1, GRANT)
    assert [p.region for p in joint.lead.it.parties] == [ORIGIN, "31", "33"]
    assert not any(legal_commands(joint.lead.it, role, "31") for role in Role)


def test_a_region_that_decides_two_parts_keeps_the_lead_once_and_its_own_never() -> None:
    joint = Joint.of(JointRule.BEST_EFFORT, 5)
    regions = [p.region for p in joint.lead.it.parts]
    assert (regions.count("31"), regions.count(ORIGIN)) == (2, 1)
    assert [p.region for p in joint.lead.it.parties] == [ORIGIN, "31", "33", "34"]


def test_a_part_that_the_lead_has_forgotten_is_noted_and_not_filed_again() -> None:
    joint = Joint.of(JointRule.ORDERED, 2)
    before = joint.lead.it
    joint.decide(1, GRANT)
    parts = {number: desk.it for number, desk in joint.parts.items()}
    folded = replace(before.parts[0], version=parts["part-1"].version, result="granted")
    forgotten = replace(before, parts=(folded, before.parts[1]))
    assert next_steps(forgotten, {"part-1": parts["part-1"]}) == (FileNext(2),)
    assert next_steps(forgotten, parts) == (TellLead(c.FilePart(2, "part-2")),)
