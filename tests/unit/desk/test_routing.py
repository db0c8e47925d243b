"""Whoever is handed a case by the shared facts takes it by the same facts: every matter, wherever filed."""

from __future__ import annotations

from datetime import datetime
from functools import cache, reduce
from zoneinfo import ZoneInfo

import pytest

from nodes.cases import machine
from nodes.cases.case import Actor, Case, Party, Role
from nodes.cases.commands import File
from nodes.cases.filing import Delivery, Kind
from nodes.codec.requests import PLACES, NewFiling
from nodes.desk.intake import part_filing, stand
from nodes.desk.routing import NOT_COMPETENT, refusal_of, route
from regions.calendar import work_calendar
from regions.catalog import HandlingMode, catalogue
from regions.region import atlas

NOW = datetime(2026, 9, 24, 10, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
PEOPLE = {
    "person": Party("person", "测试甲", "identity_card", "11010519491231002X"),
    "enterprise": Party("enterprise", "测试公司", "credit_code", "91350100M000100Y43"),
}
MATTERS = sorted(code for code, matter in catalogue().matters.items() if matter.enabled)


@cache
def counties() -> tuple[str, ...]:
    """A county-level unit of each of a few cities, over all provinces."""
    places = atlas()
    cities = [city.code for region in ("31", "32", "33", "34") for city in places.cities_of(region)][::7]
    return tuple(places.counties_of(city)[0].code for city in cities)


def filed(matter: str, origin: str, at: str) -> Case:
    """A case of the matter, filed in one place by somebody whose every place is another."""
    mode = catalogue().matter(matter).mode
    new = NewFiling(
        matter=matter,
        origin_area=origin,
        channel="online" if mode is HandlingMode.FULL_ONLINE else "window",
        applicant=PEOPLE[catalogue().matter(matter).applicant.value],
        consent="consent-1",
        places=tuple((name, at) for name in PLACES),
        delivery=Delivery("pickup"),
    )
    region = origin[:2]
    filing = stand(new, region, NOW, "test").numbered("3201002026092400000001X", ())
    actor = Actor(Role.WINDOW if new.channel == "window" else Role.APPLICANT, region, "a1")
    events = machine.decide(None, File(filing, "h1"), actor, NOW, work_calendar(), region=region)
    none: Case | None = None
    case = reduce(machine.evolve, events, none)
    assert case is not None
    return case


@pytest.mark.parametrize("matter", MATTERS)
def test_what_the_facts_hand_over_is_taken(matter: str) -> None:
    for origin, at in zip(counties(), reversed(counties()), strict=True):
        case = filed(matter, origin, at)
        if case.filing.kind is Kind.LEAD:
            for part in case.filing.parts:
                filing = part_filing(case, part, "3201002026092400000002X", NOW)
                own = machine.decide(
                    None, File(filing, "h2"), Actor(Role.NODE, origin[:2], "joiner"), NOW, work_calendar(),
                    region=origin[:2],
                )  # fmt: skip
                none: Case | None = None
                handed = reduce(machine.evolve, own, none)
                assert handed is not None
                assert refusal_of(part.region)(handed) == ""
            continue
        assert refusal_of(case.filing.competent)(case) == ""
        assert route(case.filing) == (case.filing.competent, case.filing.authority)
        elsewhere = next(r for r in ("31", "32", "33", "34") if r != case.filing.competent)
        assert refusal_of(elsewhere)(case) == NOT_COMPETENT
