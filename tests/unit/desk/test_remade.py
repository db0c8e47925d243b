"""The first answer to a filing is made again from its events as another region has them, or not pretended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
import uuid_utils

from nodes.cases import machine
from nodes.cases.case import Actor, ClockKind, Filing, Material, Party, Role
from nodes.cases.commands import File
from nodes.cases.events import Event, Filed
from nodes.cases.filing import Delivery, Kind
from nodes.codec.answers import FiledFacts, filed_answer
from nodes.codec.record import decode_record, encode_event
from nodes.codec.requests import PLACES, NewFiling
from nodes.desk.intake import Standing, stand
from nodes.desk.remade import remade_answer
from nodes.desk.remarks import on_materials
from regions.calendar import work_calendar
from regions.catalog import HandlingMode, PlaceKind, catalogue
from tongban.v1.case_service_pb2 import FileResponse

NOW = datetime(2026, 9, 24, 10, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
NUMBER = "3201002026092400000001X"
PEOPLE = {
    "person": Party("person", "测试甲", "identity_card", "110105491231002"),
    "enterprise": Party("enterprise", "测试公司", "credit_code", "91350100M000100Y43"),
}
SINGLE = sorted(
    code for code, m in catalogue().matters.items() if m.enabled and m.mode is not HandlingMode.JOINT
)
JOINT = sorted(code for code, m in catalogue().matters.items() if m.enabled and m.mode is HandlingMode.JOINT)


def stated(matter: str, at: str = "310101") -> NewFiling:
    """Filed in Nanjing through an agent, by somebody whose every place is in `at`."""
    entry = catalogue().matter(matter)
    return NewFiling(
        matter=matter,
        origin_area="320106",
        channel="online" if entry.mode is HandlingMode.FULL_ONLINE else "window",
        applicant=PEOPLE[entry.applicant.value],
        agent=PEOPLE["person"],
        mandate="mandate-1",
        consent="consent-1",
        places=tuple((name, at) for name in PLACES),
        facts=(("circumstance.lost", "yes"),),
        delivery=Delivery("courier", "某路1号"),
    )


def filed(new: NewFiling) -> tuple[Standing, Filing, list[Event]]:
    """What the desk makes of it, and its events as they come back over the bus. One paper is held already."""
    standing = stand(new, "32", NOW, "test")
    papers = [m.code for m in standing.filing.terms.materials][:1]
    held = [Material(code, "a" * 64, 10, "application/pdf", held_by="32", reused=True) for code in papers]
    filing = standing.numbered(NUMBER, held)
    actor = Actor(Role.WINDOW if new.channel == "window" else Role.APPLICANT, "32", "a1")
    events = machine.decide(
        None, File(filing, "h1"), actor, NOW, work_calendar(), region="32", caused_by="request-1"
    )
    return standing, filing, brought_back(events)


def brought_back(events: Sequence[Event]) -> list[Event]:
    """Written, sent and read."""
    last = b""
    found = []
    for event in events:
        name = uuid_utils.uuid7().bytes
        record = encode_event(
            event, NUMBER, event_id=name, prev_hash=last, recipients=("31", "32"), salt=b"s" * 16
        )
        last = record.hash
        found.append(decode_record(record.core, record.private).event)
    return found


def first_answer(standing: Standing, filing: Filing, events: Sequence[Event]) -> bytes:
    """As the desk told it."""
    notice = next(c for c in events[-1].after.clocks if c.kind is ClockKind.NOTICE)
    return filed_answer(
        FiledFacts(
            NUMBER, NUMBER, filing.competent, filing.authority, events[-1].version, notice.due_at,
            filing.guide_version, standing.reasons_zh, standing.reasons_en,
            tuple(sorted(m.code for m in filing.materials)),
            (*standing.warnings, *on_materials(filing.terms, filing.materials)),
        )
    )  # fmt: skip


@pytest.mark.parametrize("matter", SINGLE + JOINT)
def test_it_is_the_first_answer_byte_for_byte(matter: str) -> None:
    standing, filing, events = filed(stated(matter))
    first = first_answer(standing, filing, events)
    assert remade_answer(events, "32") == ("test", "request-1", first)
    assert FileResponse.FromString(first).reasons_en
    assert "filing.agent.id_no" in {w.field for w in FileResponse.FromString(first).warnings}


def test_what_was_filed_by_an_older_guide_has_no_reasons() -> None:
    _, filing, events = filed(stated("HF-003"))
    older = replace(filing, guide_version="older")
    made = remade_answer([replace(events[0], body=Filed(older)), *events[1:]], "32")
    assert made is not None
    told = FileResponse.FromString(made[2])
    assert (told.case_number, told.version, told.guide_version) == (NUMBER, events[-1].version, "older")
    assert [*told.reasons_en, *told.reasons_zh, *told.warnings] == []


def chosen(matter: str) -> tuple[tuple[int, str], ...]:
    """Another place for every part of which there is a choice."""
    plan = catalogue().plan(matter)
    assert plan is not None
    return tuple((n, "340104") for n, p in enumerate(plan.parts, 1) if p.place is not PlaceKind.FILING)


@pytest.mark.parametrize("matter", JOINT)
def test_of_a_joint_case_it_knows_where_a_part_was_chosen(matter: str) -> None:
    elsewhere = chosen(matter)
    _, plain, _ = filed(stated(matter))
    standing, filing, events = filed(replace(stated(matter), part_areas=elsewhere))
    assert filing.kind is Kind.LEAD
    assert (filing.parts != plain.parts) == bool(elsewhere)
    first = first_answer(standing, filing, events)
    assert remade_answer(events, "32") == ("test", "request-1", first)
    assert len(FileResponse.FromString(first).reasons_en) >= len(filing.parts)


@pytest.mark.parametrize("matter", [matter for matter in JOINT if chosen(matter)])
def test_of_a_choice_that_was_not_written_down_the_reasons_are_gone(matter: str) -> None:
    _, filing, events = filed(replace(stated(matter), part_areas=chosen(matter)))
    older = replace(filing, facts=tuple(f for f in filing.facts if not f[0].startswith("part_area.")))
    made = remade_answer([replace(events[0], body=Filed(older)), *events[1:]], "32")
    assert made is not None
    assert not FileResponse.FromString(made[2]).reasons_en


def test_a_fact_that_is_no_place_of_a_part_takes_the_reasons_alone() -> None:
    _, filing, events = filed(stated(JOINT[0]))
    odd = replace(filing, facts=(*filing.facts, ("part_area.one", "340104")))
    made = remade_answer([replace(events[0], body=Filed(odd)), *events[1:]], "32")
    assert made is not None
    assert FileResponse.FromString(made[2]).case_number == NUMBER
    assert not FileResponse.FromString(made[2]).reasons_en


def test_what_other_regions_filed_and_what_nobody_asked_for_has_none() -> None:
    _, _, events = filed(stated("HF-003"))
    assert remade_answer(events, "31") is None
    assert remade_answer([replace(events[0], caused_by="")], "32") is None
    assert remade_answer(events[1:], "32") is None
    assert remade_answer([], "32") is None
