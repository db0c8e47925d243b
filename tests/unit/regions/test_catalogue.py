"""The catalogue and the plans of joint matters."""

from collections import Counter

import pytest

from regions.catalog import HandlingMode, PlaceKind, catalogue
from regions.errors import FactError
from regions.joint import JointRule


def test_the_verified_and_attested_are_on_and_the_recalled_are_off() -> None:
    known = catalogue()
    assert len(known.matters) == 164
    assert len(known.enabled()) == 126
    assert {m.name_verification for m in known.enabled()} == {"verified", "attested"}
    assert {m.name_verification for m in known.matters.values() if not m.enabled} == {"recalled"}


def test_a_disabled_matter_is_known_but_cannot_be_filed() -> None:
    assert catalogue().known("HF-009").name_zh == "住房公积金汇缴"
    with pytest.raises(FactError) as caught:
        catalogue().matter("HF-009")
    assert caught.value.reason == "matter_disabled"
    with pytest.raises(FactError) as caught:
        catalogue().matter("XX-999")
    assert caught.value.reason == "unknown_matter"


def test_every_enabled_matter_has_names_in_both_languages_and_a_place() -> None:
    for matter in catalogue().enabled():
        assert matter.name_zh
        assert matter.name_en.isascii()
        assert matter.where.department
        assert matter.where.place in PlaceKind


def test_a_source_is_printed_only_where_the_list_was_verified() -> None:
    printed = [m for m in catalogue().matters.values() if m.printable_source]
    assert len(printed) == 47
    assert catalogue().known("HF-014").printable_source is None


def test_what_is_decided_where_it_is_filed_has_the_filing_place() -> None:
    for matter in catalogue().enabled():
        filing = matter.where.place is PlaceKind.FILING
        assert filing == (matter.decides_at == "filing" or matter.domain == "one_thing"), matter.code


def test_every_joint_matter_has_a_plan_and_nothing_else_has() -> None:
    joint = {m.code for m in catalogue().enabled() if m.mode is HandlingMode.JOINT}
    assert set(catalogue().plans) == joint
    assert len(joint) == 29


def test_all_three_rules_are_used_and_plans_have_any_number_of_parts() -> None:
    plans = catalogue().plans.values()
    assert {plan.rule for plan in plans} == set(JointRule)
    sizes = Counter(len(plan.parts) for plan in plans)
    assert max(sizes) == 6
    for rule in JointRule:
        assert any(plan.rule is rule and len(plan.parts) >= 3 for plan in plans), rule


def test_several_plans_reach_three_different_places() -> None:
    wide = [p.matter for p in catalogue().plans.values() if len({part.place for part in p.parts}) >= 3]
    assert {"OT-001", "OT-008", "SS-025"} <= set(wide)


def test_a_bundle_holds_the_matters_of_its_source() -> None:
    for code in ("OT-001", "OT-002", "OT-003"):
        plan = catalogue().plan(code)
        assert plan is not None
        assert set(catalogue().matter(code).parts) <= {part.matter for part in plan.parts}


def test_household_moves_ask_consent_before_they_cancel() -> None:
    for code in ("PS-003", "PS-004", "PS-005", "PS-006", "PS-007"):
        plan = catalogue().plan(code)
        assert plan is not None
        assert [(part.code, part.place.value) for part in plan.parts] == [
            ("consent", "move_in"),
            ("move_out", "household"),
            ("settle", "move_in"),
        ]
        assert plan.rule is JointRule.ORDERED
