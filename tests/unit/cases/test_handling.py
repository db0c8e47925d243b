"""The three modes: who owns when, what goes into one commit, what the node does next, what faces offer."""

from __future__ import annotations

import pytest

from nodes.cases import commands as c
from nodes.cases import machine
from nodes.cases.case import Actor, CaseParty, CaseRole, Kind, Rating
from nodes.cases.errors import CaseError
from nodes.cases.events import Event, HandedOver, Unknown
from nodes.cases.evolve import evolve
from nodes.cases.table import verb
from regions.calendar import work_calendar
from regions.catalog import catalogue
from regions.guidebook import guidebook
from tests.unit.cases.sayings import VERBS, actor, say
from tests.unit.cases.standing import KINDS, ROLES, STANDING, prepared, standing
from tests.unit.cases.world import (
    COMPETENT,
    LEAD_REGION,
    ORIGIN,
    A,
    C,
    Desk,
    F,
    L,
    O,
    S,
    U,
    W,
    at,
    defect,
    filing,
    names,
)

CALENDAR = work_calendar()
OF_ANOTHER_NODE = {"join", "withdraw", "reinstate"}


def refusal(desk: Desk, command: c.Command, who: Actor) -> str | None:
    try:
        machine.decide(desk.it, command, who, desk.now, CALENDAR, region=desk.it.owner)
    except CaseError as error:
        return error.code
    return None


def test_full_online_is_handed_over_with_the_filing() -> None:
    desk = Desk(at("2026-03-02"))
    events = desk.do(c.File(filing(F, desk.now), "h1"), A)
    assert names(events) == ["Filed", "HandedOver"]
    assert events[1].body == HandedOver(COMPETENT, "police-310115", "h1")
    assert (desk.it.owner, desk.it.epoch, desk.it.awaiting_receipt) == (COMPETENT, 2, True)
    assert desk.it.parties == (
        CaseParty(ORIGIN, CaseRole.ORIGIN, 1),
        CaseParty(COMPETENT, CaseRole.COMPETENT, 2),
    )
    desk.do(c.Receive(), S)
    assert (desk.it.version, desk.it.awaiting_receipt) == (3, False)


def test_a_part_has_the_region_of_its_lead_as_a_party() -> None:
    desk = Desk(at("2026-03-02"))
    desk.do(c.File(filing(U, desk.now), "h1"), S)
    assert CaseParty(LEAD_REGION, CaseRole.LEAD, 1) in desk.it.parties


def test_collected_on_behalf_is_the_origins_until_it_is_pre_checked() -> None:
    desk = Desk(at("2026-03-02"))
    assert names(desk.do(c.File(filing(C, desk.now), "h1"), W)) == ["Filed"]
    assert (desk.it.owner, desk.it.competent) == (ORIGIN, "")
    notice = desk.it.clocks[0]
    events = desk.do(c.PreCheck("h2"), W)
    assert names(events) == ["PreChecked", "HandedOver"]
    assert desk.it.handover_id == "h2"
    assert (notice.region, desk.it.clocks[0].region) == (ORIGIN, COMPETENT)


def test_a_handover_without_an_id_is_named_after_its_epoch() -> None:
    desk = Desk(at("2026-03-02"))
    desk.do(c.File(filing(C, desk.now), "h1"), W)
    desk.do(c.PreCheck(), W)
    assert desk.it.handover_id == f"{desk.it.number}.2"


def test_collected_where_it_is_decided_never_leaves() -> None:
    desk = Desk(at("2026-03-02"))
    desk.do(c.File(filing(C, desk.now, competent=ORIGIN), "h1"), W)
    assert names(desk.do(c.PreCheck(), W)) == ["PreChecked", "HandedOver", "Received"]
    desk.do(c.Accept(), O)
    assert (desk.it.owner, desk.state()) == (ORIGIN, "accepted")


def test_a_lead_is_the_origins_always() -> None:
    desk = Desk(at("2026-03-02"))
    assert names(desk.do(c.File(filing(L, desk.now), "h1"), A)) == ["Filed"]
    desk.do(c.PreCheck(), W)
    desk.do(c.Accept(), S)
    assert (desk.it.owner, desk.it.epoch, desk.it.competent) == (ORIGIN, 1, ORIGIN)


def test_an_overdue_correction_of_the_window_may_still_reach_the_authority() -> None:
    desk = Desk(at("2026-03-02"))
    desk.do(c.File(filing(C, desk.now), "h1"), W)
    desk.do(c.RequestCorrection((defect("booklet"),)), W)
    desk.wait(at("2026-03-24T12:00"))
    desk.do(c.HandOver(COMPETENT, "police-310115", "h2"), S)
    desk.do(c.Receive(), S)
    desk.do(c.Refuse("not_corrected", "in writing"), O)
    assert desk.state() == "refused"


def test_what_the_node_does_next_by_itself() -> None:
    desk = Desk(at("2026-03-02"))
    desk.do(c.File(filing(F, desk.now), "h1"), A)
    assert machine.node_next(desk.it, COMPETENT) == c.Receive()
    assert machine.node_next(desk.it, ORIGIN) is None
    desk.do(c.Receive(), S)
    assert machine.node_next(desk.it, COMPETENT) is None
    decided = standing("decided", F).it
    assert machine.node_next(decided, COMPETENT) == c.ConfirmDelivery("applicant")
    waiting = prepared("decided", "join", "S", U).it
    assert machine.node_next(waiting, COMPETENT) is None
    assert machine.node_next(standing("delivered", F).it, COMPETENT) == c.Close()
    held = prepared("delivered", "return_original", "W", F).it
    assert machine.node_next(held, COMPETENT) is None


def test_an_unknown_body_keeps_state_owner_and_clocks() -> None:
    before = standing("pre_checked", F).it
    events = machine.decide(
        before,
        c.Accept(),
        actor("accept", "O", before),
        standing("pre_checked", F).now,
        CALENDAR,
        region=COMPETENT,
    )
    stranger = Event(
        **{name: getattr(events[0], name) for name in Event.__slots__ if name != "body"},
        body=Unknown("AcceptedTwice"),
    )
    seen, mirrored = evolve(before, events[0]), evolve(before, stranger)
    for name in ("state", "owner", "epoch", "clocks", "parties", "authority", "step", "lacks", "version"):
        assert getattr(seen, name) == getattr(mirrored, name)


def test_a_history_without_its_filing_is_no_case() -> None:
    events = Desk(at("2026-03-02")).do(c.File(filing(F, at("2026-03-02")), "h1"), A)
    with pytest.raises(CaseError):
        evolve(None, events[1])


@pytest.mark.parametrize("kind", list(KINDS.values()))
@pytest.mark.parametrize("state", list(STANDING))
def test_what_a_face_offers_is_what_the_machine_takes(state: str, kind: Kind) -> None:
    """Offered: never outside the table. Not offered at the owner: always refused."""
    desk = standing(state, kind)
    for letter, role in ROLES.items():
        who = actor("", letter, desk.it)
        offered = set(machine.legal_commands(desk.it, role, who.region))
        for name in VERBS:
            command = say(name, desk, letter)
            code = refusal(desk, command, actor(name, letter, desk.it))
            if code is None:
                assert name in offered or (name in OF_ANOTHER_NODE and letter == "S"), (letter, name)
            else:
                assert name not in offered or code != "NOT_IN_TABLE", (letter, name)


def test_elsewhere_only_asks_are_offered() -> None:
    mirror = standing("correction", F).it
    assert machine.legal_commands(mirror, A, ORIGIN) == ["correct", "withdraw"]
    assert "correct" in machine.legal_commands(mirror, W, ORIGIN)
    assert machine.legal_commands(mirror, O, ORIGIN) == []
    assert machine.legal_commands(mirror, A, "34") == []


def test_rating_both_sides_one_after_the_other() -> None:
    desk = Desk(standing("closed", F).now, case=standing("closed", F).it)
    desk.do(c.Rate(Rating("origin", 4)), A)
    desk.do(c.Rate(Rating("competent", 5)), A)
    assert [r.target for r in desk.it.ratings] == ["origin", "competent"]
    assert desk.state() == "rated"


def test_verbs_are_words_with_underscores() -> None:
    assert verb(c.RequestCorrection) == "request_correction"
    assert verb(c.File) == "file"


@pytest.mark.parametrize("area", ["310115", "330106"])
def test_terms_are_what_the_guide_says(area: str) -> None:
    guide = guidebook().build("PS-001", area)
    terms = machine.terms_of(guide)
    assert (terms.guide_version, terms.notice, terms.decision) == (
        guide.version,
        guide.notice,
        guide.decision,
    )
    assert terms.yellow == guide.yellow
    assert [s.name for s in terms.steps] == [s.code.value for s in guide.steps]
    assert {m.code for m in terms.materials} == {m.code for m in guide.materials if m.applies(frozenset())}
    assert terms.lack_allowed == (area == "330106")
    assert terms.grace is not None
    assert terms.grace.value == guide.grace_working_days


def test_every_matter_that_can_be_filed_gives_terms() -> None:
    book = guidebook()
    for matter in catalogue().enabled():
        terms = machine.terms_of(book.build(matter.code, "330106"))
        assert terms.decision.value >= 1
        assert (terms.yellow_share or terms.yellow_units) > 0


@pytest.mark.parametrize("area", ["310115", "320505", "330106", "340102"])
def test_every_limit_of_every_guide_names_what_it_rests_on(area: str) -> None:
    book = guidebook()
    for matter in catalogue().enabled():
        terms = machine.terms_of(book.build(matter.code, area))
        steps = [step.limit for step in terms.steps]
        for limit in (
            *(terms.notice, terms.decision, terms.correction, terms.lack, terms.delivery, terms.procedure),
            *(terms.contact, terms.grace, terms.extension, *steps),
        ):
            assert limit is None or (limit.basis_zh and limit.basis_en), (matter.code, limit)
