"""Who is competent, and why."""

import pytest

from regions.catalog import PlaceKind, catalogue
from regions.directory import (
    ApplicantFacts,
    Competence,
    Finding,
    NeedsChoice,
    OutsideFederation,
    WrongAuthority,
    competent,
    competent_parts,
)
from regions.errors import FactError

SHANGHAI_WINDOW = "310115"


def settled(finding: Finding) -> Competence:
    assert isinstance(finding, Competence)
    return finding


def test_each_matter_is_decided_at_the_place_of_its_kind() -> None:
    facts = ApplicantFacts(household="330106", insured="320509", fund_centre="340100", immovable="320205")
    found = {
        code: settled(competent(code, facts, SHANGHAI_WINDOW)).authority.code
        for code in ("PS-001", "SS-012", "HF-002", "NR-001", "PS-002", "TV-001")
    }
    assert found == {
        "PS-001": "police-330106",
        "SS-012": "social_insurance-320500",
        "HF-002": "fund_centre-340100",
        "NR-001": "land_registry-320205",
        "PS-002": "police-310115",
        "TV-001": "vehicle_office-310000",
    }


def test_the_reasons_name_fact_place_level_side_and_authority() -> None:
    facts = ApplicantFacts(insured="320509", household="330106")
    found = settled(competent("SS-012", facts, SHANGHAI_WINDOW))
    assert [item.code for item in found.explanation] == [
        "fact_insured",
        "place_kind",
        "level_rolled_up",
        "household_does_not_decide",
        "filed_straight",
        "authority",
    ]
    zh = " ".join(item.zh for item in found.explanation)
    en = " ".join(item.en for item in found.explanation)
    for part in ("江苏省苏州市吴江区(320509)", "社会保险参保缴费记录查询", "320500", "上海市浦东新区"):
        assert part in zh
    assert "social_insurance-320500" in en
    assert found.region == "32"
    assert found.authority.name_derived


def test_two_matters_are_explained_differently() -> None:
    facts = ApplicantFacts(household="330106", fund_centre="340100")
    texts = {
        tuple(item.zh for item in settled(competent(code, facts, filing)).explanation)
        for code in ("PS-001", "HF-001", "HF-002", "HF-006", "PS-002")
        for filing in ("310115", "330106")
    }
    assert len(texts) == 10


def test_what_was_not_said_is_asked_and_never_inferred() -> None:
    for code, field in (("HF-001", "fund_centre"), ("HI-007", "insured"), ("PS-001", "household")):
        finding = competent(code, ApplicantFacts(), SHANGHAI_WINDOW)
        assert isinstance(finding, NeedsChoice)
        assert finding.field == field
        assert finding.question_zh
        assert finding.question_en


def test_there_is_no_way_to_hand_an_identity_number_to_competence() -> None:
    with pytest.raises(FactError) as caught:
        ApplicantFacts.of({"id_no": "11010519491231002X"})
    assert (caught.value.field, caught.value.reason) == ("id_no", "unknown_fact")
    question = competent("PS-001", ApplicantFacts(), SHANGHAI_WINDOW)
    assert isinstance(question, NeedsChoice)
    assert "身份证号码前六位不能说明户籍地" in question.question_zh


def test_a_city_is_not_enough_where_a_county_decides() -> None:
    finding = competent("PS-001", ApplicantFacts(household="320500"), SHANGHAI_WINDOW)
    assert isinstance(finding, NeedsChoice)
    assert "320509" in finding.options
    assert "苏州市" in finding.question_zh


def test_a_province_is_not_enough_where_a_city_decides() -> None:
    finding = competent("HF-001", ApplicantFacts(fund_centre="340000"), SHANGHAI_WINDOW)
    assert isinstance(finding, NeedsChoice)
    assert len(finding.options) == 16


def test_a_notary_is_chosen_among_the_places_of_the_law() -> None:
    facts = ApplicantFacts(household="330106", residence="310115")
    finding = competent("JU-001", facts, SHANGHAI_WINDOW)
    assert isinstance(finding, NeedsChoice)
    assert finding.options == ("330106", "310115")
    chosen = ApplicantFacts(household="330106", notary="330106")
    assert settled(competent("JU-001", chosen, SHANGHAI_WINDOW)).region == "33"


def test_a_place_outside_the_federation_says_so() -> None:
    finding = competent("PS-001", ApplicantFacts(household="110105"), SHANGHAI_WINDOW)
    assert isinstance(finding, OutsideFederation)
    assert finding.province_zh == "北京市"
    assert "北京市" in finding.explanation[0].zh


@pytest.mark.parametrize(
    ("named", "why"),
    [
        ("market_regulation-330106", "other_department"),
        ("police-310115", "other_region"),
        ("police-330000", "other_level"),
        ("police-330102", "other_area"),
    ],
)
def test_a_wrong_authority_is_told_where_to_go_instead(named: str, why: str) -> None:
    facts = ApplicantFacts(household="330106", authority=named)
    finding = competent("PS-001", facts, SHANGHAI_WINDOW)
    assert isinstance(finding, WrongAuthority)
    assert finding.instead.authority.code == "police-330106"
    assert [item.code for item in finding.explanation[:2]] == [why, "go_instead"]
    assert "police-330106" in finding.explanation[1].zh


def test_the_right_authority_is_simply_competent() -> None:
    facts = ApplicantFacts(household="330106", authority="police-330106")
    assert settled(competent("PS-001", facts, SHANGHAI_WINDOW)).region == "33"


@pytest.mark.parametrize("named", ["police", "witches-330106", "police-999999", "police-"])
def test_an_authority_that_does_not_exist_is_refused(named: str) -> None:
    with pytest.raises(FactError) as caught:
        competent("PS-001", ApplicantFacts(household="330106", authority=named), SHANGHAI_WINDOW)
    assert caught.value.field == "authority"


@pytest.mark.parametrize(("code", "reason"), [("330104", "retired_code"), ("33010", "malformed_code")])
def test_a_bad_place_names_the_fact(code: str, reason: str) -> None:
    with pytest.raises(FactError) as caught:
        competent("PS-001", ApplicantFacts(household=code), SHANGHAI_WINDOW)
    assert (caught.value.field, caught.value.reason) == ("household", reason)


def test_the_parts_of_a_joint_matter_lie_where_each_is_decided() -> None:
    facts = ApplicantFacts(birth="310115", household="330106", residence="340104", insured="320500")
    parts = competent_parts("OT-001", facts, SHANGHAI_WINDOW)
    regions = [settled(found).region for _, found in parts]
    assert regions == ["31", "33", "34", "32", "32", "32"]
    assert [settled(found).part for _, found in parts] == [part.code for part, _ in parts]


def test_a_part_that_is_still_open_asks_for_its_own_fact() -> None:
    parts = competent_parts("HF-006", ApplicantFacts(fund_centre="340100"), SHANGHAI_WINDOW)
    purchase = parts[0][1]
    assert isinstance(purchase, NeedsChoice)
    assert (purchase.field, purchase.part) == ("immovable", "purchase")
    assert competent_parts("PS-001", ApplicantFacts(), SHANGHAI_WINDOW) == ()


def test_a_bundle_is_led_where_it_is_filed() -> None:
    found = settled(competent("OT-001", ApplicantFacts(), SHANGHAI_WINDOW))
    assert found.authority.code == "one_stop-310000"
    assert [item.code for item in found.explanation] == ["fact_filing", "led_at_filing"]


def test_every_enabled_matter_is_decided_for_somebody_who_has_said_everything() -> None:
    kinds = [kind.value for kind in PlaceKind if kind is not PlaceKind.FILING]
    facts = ApplicantFacts.of(dict.fromkeys(kinds, "320509"))
    for matter in catalogue().enabled():
        found = settled(competent(matter.code, facts, "330106"))
        assert found.explanation
        for _, part in competent_parts(matter.code, facts, "330106"):
            settled(part)


def test_facts_survive_a_round_trip() -> None:
    facts = ApplicantFacts(household="330106", authority="police-330106")
    assert ApplicantFacts.of(facts.said()) == facts
    assert ApplicantFacts.of({"household": ""}) == ApplicantFacts()
