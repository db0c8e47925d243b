"""The words of explain."""

from datetime import datetime

import pytest

from regions.calendar import SHANGHAI
from regions.catalog import PlaceKind, catalogue
from regions.directory import ApplicantFacts, NeedsChoice
from regions.explain import Explanation, explain
from regions.wording import Language

NOW = datetime(2026, 9, 24, 10, tzinfo=SHANGHAI)
FULL = ApplicantFacts.of(
    dict.fromkeys([kind.value for kind in PlaceKind if kind is not PlaceKind.FILING], "330106")
)


def codes(explanation: Explanation, section: str) -> list[str]:
    return [item.code for part in explanation.sections if part.code == section for item in part.reasons]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_it_says_who_how_long_what_and_why(language: Language) -> None:
    told = explain("PS-001", ApplicantFacts(household="330106"), "310115", NOW)
    text = "\n".join(told.lines(language))
    assert [section.code for section in told.sections] == ["matter", "who", "how_long", "needed", "notes"]
    assert "police-330106" in text
    assert told.guides[""].version in text
    assert ("办理机关设定" if language == "zh" else "set by the handling body") in text
    assert ("联邦规则" if language == "zh" else "federation rule after art. 32") in text


def test_what_is_open_is_asked_before_anything_is_promised() -> None:
    told = explain("HF-002", ApplicantFacts(), "310115", NOW)
    assert isinstance(told.finding, NeedsChoice)
    assert [section.code for section in told.sections] == ["matter", "who"]
    assert codes(told, "who") == ["ask_fund_centre"]


def test_every_matter_is_explained_in_both_languages_with_a_basis_for_each_limit() -> None:
    seen = set()
    for matter in catalogue().enabled():
        told = explain(matter.code, FULL, "310115", NOW)
        zh, en = told.lines("zh"), told.lines("en")
        assert len(zh) == len(en)
        seen.add(zh)
        for section in told.sections:
            if section.code == "how_long":
                limits = [item for item in section.reasons if item.code != "decision_by"]
                assert all("依据：" in item.zh and "basis:" in item.en for item in limits)
    assert len(seen) == 126


def test_matters_with_a_money_flow_say_that_they_run_as_a_generic_case() -> None:
    for code in ("HI-002", "HF-006", "HF-014", "SS-001", "HI-004", "CA-007", "OT-001"):
        assert "flow_money" in codes(explain(code, FULL, "310115", NOW), "notes")
    for code in ("PS-003", "PS-009", "PS-010"):
        assert "flow_register" in codes(explain(code, FULL, "310115", NOW), "notes")
    assert codes(explain("PS-001", FULL, "310115", NOW), "notes")[0] != "flow_money"


def test_a_provisional_date_says_so() -> None:
    late = datetime(2026, 12, 30, 10, tzinfo=SHANGHAI)
    told = explain("LB-005", FULL, "310115", late)
    assert any("暂定" in line for line in told.lines("zh"))
    assert any("provisional" in line for line in told.lines("en"))
    assert not any("暂定" in line for line in explain("LB-005", FULL, "310115", NOW).lines("zh"))


def test_what_is_held_is_not_asked_for_again() -> None:
    told = explain("HF-002", FULL, "310115", NOW, held=frozenset({"e_id"}))
    assert codes(told, "needed")[0] == "held_already"


def test_circumstances_bring_their_materials() -> None:
    plain = explain("PS-002", FULL, "310115", NOW)
    agent = explain("PS-002", FULL, "310115", NOW, circumstances=frozenset({"agent"}))
    assert "material_mandate" not in codes(plain, "needed")
    assert "material_mandate" in codes(agent, "needed")


def test_a_joint_matter_lists_its_parts_rule_and_limits() -> None:
    facts = ApplicantFacts(birth="310115", household="330106", insured="320500")
    told = explain("OT-001", facts, "310115", NOW)
    who = codes(told, "who")
    assert who.count("joint_part") == 5
    assert who.count("joint_part_open") == 1
    assert codes(told, "how_long").count("part_decision") == 5


def test_a_wrong_authority_is_put_right() -> None:
    facts = ApplicantFacts(household="330106", authority="police-310115")
    assert codes(explain("PS-001", facts, "310115", NOW), "who")[:2] == ["other_region", "go_instead"]


def test_a_verified_list_is_named_and_no_other() -> None:
    assert "list" in codes(explain("PS-001", FULL, "310115", NOW), "matter")
    assert "list" not in codes(explain("HF-014", FULL, "310115", NOW), "matter")


def test_an_unofficial_material_never_passes_for_official() -> None:
    told = explain("JU-001", FULL, "310115", NOW)
    needed = next(section for section in told.sections if section.code == "needed")
    assert all("非官方公布" in item.zh for item in needed.reasons)
