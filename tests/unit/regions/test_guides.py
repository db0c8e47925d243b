"""Guides: complete everywhere, strict, and honest about their basis."""

import time

import pytest

from regions.calendar import load_calendar
from regions.catalog import HandlingMode, catalogue
from regions.errors import FactError
from regions.guide import Guide
from regions.guidebook import guide, guidebook, load_guidebook
from regions.limits import BasisKind, Limit, Unit
from regions.matter import Provenance
from regions.region import Level, atlas

LICENSING_LAW = "行政许可法"


def limits_of(made: Guide) -> list[Limit]:
    optional = [limit for limit in (made.extension, made.lack) if limit]
    always = [made.notice, made.decision, made.procedure, made.correction, made.delivery, made.contact]
    return [*always, *optional, *(step.limit for step in made.steps), *(r.limit for r in made.relays)]


def area_in(city: str, level: Level) -> str:
    county = atlas().counties_of(city)[0].code
    return county if level is Level.COUNTY else city


@pytest.mark.parametrize("city", sorted(atlas().cities))
def test_every_enabled_matter_has_a_complete_guide_at_every_city(city: str) -> None:
    book = guidebook()
    for matter in catalogue().enabled():
        plan = catalogue().plan(matter.code)
        lead = city if plan else area_in(city, matter.where.level)
        made = [book.build(matter.code, lead)]
        made += [book.build(matter.code, area_in(city, p.level), p.code) for p in plan.parts] if plan else []
        for one in made:
            assert one.region == city[:2]
            assert one.materials, matter.code
            assert all(item.name_zh and item.name_en.isascii() for item in one.materials)
            assert one.version.startswith("2026-")
            assert len(one.steps) == 3
            for limit in limits_of(one):
                assert limit.value >= 1
                assert limit.basis_zh
                assert limit.basis_en


def test_the_licensing_law_is_printed_only_where_it_binds() -> None:
    bound = 0
    for short, county in (("31", "310115"), ("32", "320509"), ("33", "330106"), ("34", "340104")):
        for matter in catalogue().enabled():
            made = guide(matter.code, county)
            assert made.region == short
            quoted = [
                limit for limit in limits_of(made) if LICENSING_LAW in limit.basis_zh and limit.official
            ]
            assert bool(quoted) == made.licensing, matter.code
            bound += made.licensing
    assert bound == 4 * 8


def test_elsewhere_notice_and_delivery_are_the_federations_rule() -> None:
    made = guide("PS-001", "320509")
    assert made.notice.basis_kind is BasisKind.FEDERATION_RULE
    assert made.notice.basis_en.startswith("federation rule after art. 32")
    assert (made.notice.value, made.notice.unit, made.notice.official) == (5, Unit.WORKING_DAY, False)


def test_without_a_published_limit_it_is_set_by_the_handling_body() -> None:
    made = guide("HF-001", "320100")
    assert made.decision.basis_kind is BasisKind.HANDLING_BODY
    assert made.decision.basis_en == "set by the handling body"
    assert not made.decision.official


def test_what_a_body_sets_differs_by_province_and_by_city() -> None:
    assert guide("PS-001", "320104").decision.value == 2
    assert guide("PS-001", "320509").decision.value == 1
    assert guide("PS-001", "340104").close_of_business != guide("PS-001", "330106").close_of_business


@pytest.mark.parametrize(
    ("code", "area", "part", "value", "unit", "official"),
    [
        ("HF-003", "320500", None, 3, Unit.DAY, True),
        ("HF-006", "310000", "decide", 3, Unit.DAY, True),  # 3 days are stricter than Shanghai's 3 wd
        ("PS-002", "320509", None, 3, Unit.WORKING_DAY, True),
        ("PS-003", "330106", "move_out", 1, Unit.WORKING_DAY, True),  # the Delta's, not the nation's 5
        ("PS-006", "330106", "move_out", 5, Unit.WORKING_DAY, True),
        ("PS-010", "320509", None, 15, Unit.WORKING_DAY, True),  # published in Jiangsu only
        ("PS-010", "340104", None, 60, Unit.DAY, True),
        ("PS-011", "310115", None, 60, Unit.DAY, True),
        ("SS-001", "310000", "consent", 15, Unit.WORKING_DAY, True),
        ("HI-004", "320500", "out", 10, Unit.WORKING_DAY, True),
        ("HI-004", "310000", "in", 5, Unit.WORKING_DAY, True),
        ("TV-009", "340100", "out", 3, Unit.WORKING_DAY, True),
        ("MR-001", "310115", None, 1, Unit.WORKING_DAY, True),  # Shanghai's promise
        ("MR-001", "320509", None, 3, Unit.WORKING_DAY, True),
        ("EE-001", "330100", None, 20, Unit.WORKING_DAY, True),
        ("CA-009", "330106", None, 10, Unit.WORKING_DAY, True),
        ("CA-007", "330106", None, 30, Unit.WORKING_DAY, False),  # 36 of two sides, split
    ],
)
def test_the_strictest_limit_that_applies(
    code: str, area: str, part: str | None, value: int, unit: Unit, official: bool
) -> None:
    made = guide(code, area, part)
    assert (made.decision.value, made.decision.unit, made.decision.official) == (value, unit, official)


@pytest.mark.parametrize(("code", "total"), [("SS-001", 45), ("HI-004", 15), ("TV-009", 6), ("PS-005", 2)])
def test_a_total_of_two_sides_is_nobodys_limit(code: str, total: int) -> None:
    plan = catalogue().plan(code)
    assert plan is not None
    lead = guide(code, "320500")
    assert lead.decision.basis_kind is BasisKind.HANDLING_BODY
    for part in plan.parts:
        made = guide(code, area_in("330100", part.level), part.code)
        assert not (made.decision.value == total and made.decision.official)


def test_a_window_has_its_own_published_limits_outside_the_decision() -> None:
    made = guide("CA-007", "340104")
    assert [(relay.kind.value, relay.limit.value) for relay in made.relays] == [("push", 3), ("inform", 3)]
    assert [step.limit.value for step in made.steps if step.limit.official] == [15, 15]


def test_an_extension_exists_only_where_something_gives_it() -> None:
    archive, permit, certificate = (
        guide("CA-004", "330106"),
        guide("EE-001", "330100"),
        guide("PS-001", "330106"),
    )
    assert archive.extension
    assert archive.extension.value == 2
    assert permit.extension
    assert permit.extension.value == 10
    assert certificate.extension is None


def test_a_lack_and_a_deemed_withdrawal_only_where_the_province_has_the_rule() -> None:
    for short, county in (("31", "310115"), ("32", "320509"), ("33", "330106"), ("34", "340104")):
        made = guide("HF-006", county, "decide")
        item = made.item("purchase_invoice")
        assert item
        assert made.lack_allowed == made.deemed_withdrawal == item.lackable == (short == "33")
        assert (made.lack is not None) == (short == "33")


def test_the_lists_of_two_places_differ_and_each_guide_has_its_own() -> None:
    shanghai, jiangsu = guide("DP-001", "310115"), guide("DP-001", "320509")
    assert shanghai.item("household_booklet") is None
    assert jiangsu.item("household_booklet") is not None
    assert shanghai.version != jiangsu.version
    held = frozenset(item.code for item in shanghai.required())
    assert [item.code for item in jiangsu.missing(held)] == ["household_booklet"]
    assert shanghai.missing(held) == ()


def test_a_catch_all_is_not_on_a_list_of_shanghai() -> None:
    assert guide("MR-001", "310115").item("other_by_law") is None
    assert guide("MR-001", "340104").item("other_by_law") is not None


def test_alternatives_and_circumstances_decide_what_is_missing() -> None:
    made = guide("PS-002", "320509")
    assert [m.code for m in made.missing(frozenset({"passport", "query_form"}))] == []
    away = frozenset({"not_household_place", "agent"})
    missing = [m.code for m in made.missing(frozenset({"id_card", "query_form"}), away)]
    assert missing == ["residence_permit", "mandate", "agent_id"]


def test_only_what_a_source_names_is_marked_so() -> None:
    book = guidebook()
    for matter in catalogue().enabled():
        for item in book.lists.lists.get(matter.code, ()):
            if item.provenance is Provenance.SOURCE:
                assert not matter.materials_inferred, (matter.code, item.code)


def test_the_lead_asks_once_for_what_its_parts_need() -> None:
    for plan in catalogue().plans.values():
        lead = guide(plan.matter, "330100")
        held = frozenset(item.code for item in lead.required())
        assert lead.joint == plan
        for part in plan.parts:
            for item in guidebook().lists.lists.get(part.matter, ()):
                supplied = item.is_met_by(frozenset(part.supplied))
                if item.required and item.condition is None and not supplied:
                    assert item.is_met_by(held), (plan.matter, part.code, item.code)


def test_a_part_is_not_asked_for_what_an_earlier_part_brings() -> None:
    alone, part = guide("PS-009", "330106"), guide("OT-001", "330106", "household")
    assert (part.matter, part.of, part.part) == ("PS-009", "OT-001", "household")
    assert alone.item("birth_certificate") in alone.required()
    assert "birth_certificate" not in [item.code for item in part.required()]


def test_a_version_changes_with_the_content_and_only_with_it() -> None:
    book = guidebook()
    again = book.build("PS-001", "330106")
    assert again.version == guide("PS-001", "330106").version
    assert again.guide_version == again.version
    assert book.build("PS-001", "320104").version != book.build("PS-001", "320509").version


def test_a_finer_area_stands_for_the_authority_above_it() -> None:
    assert guide("HF-001", "320509").area == "320500"
    assert guide("ED-001", "320509").authority == "education-320000"
    with pytest.raises(FactError) as caught:
        guide("PS-001", "320500")
    assert (caught.value.field, caught.value.reason) == ("area", "not_precise_enough")


def test_only_joint_matters_have_parts() -> None:
    assert guide("HF-006", "310115").mode is HandlingMode.JOINT
    with pytest.raises(FactError) as caught:
        guide("PS-001", "320509", "household")
    assert (caught.value.field, caught.value.reason) == ("part", "unknown_part")


def test_money_and_registers_run_as_a_generic_case_and_the_guide_says_so() -> None:
    for code in ("HI-002", "HF-006", "HF-014", "SS-001", "HI-004", "CA-007", "OT-001"):
        assert "generic case" in guide(code, "330106").notes_en[0]
    for code in ("PS-003", "PS-005", "PS-009", "PS-010"):
        assert "register" in guide(code, "330106").notes_en[0]
    assert guide("PS-001", "330106").notes_en == ()


def test_all_facts_are_read_in_less_than_300_ms_of_processor_time() -> None:
    started = time.process_time()
    load_guidebook()
    load_calendar()
    assert time.process_time() - started < 0.3


def test_what_is_loaded_is_kept() -> None:
    assert guidebook() is guidebook()
    assert guide("PS-001", "320509") is guide("PS-001", "320509")
