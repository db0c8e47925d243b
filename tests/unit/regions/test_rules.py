"""Decision rules: grant where the facts suffice, deny with a remedy, else leave."""

from dataclasses import replace
from datetime import date
from importlib.metadata import EntryPoint

import pytest
from typing_extensions import override

import regions.rules
from regions.catalog import catalogue
from regions.errors import DataError, FactError
from regions.rules import GROUP, FilingFacts, Verdict, VerdictKind, decision_rule, grant, rule, rules
from regions.wording import Reason

BASE = FilingFacts(
    matter="HF-005",
    part=None,
    region="32",
    authority="fund_centre-320500",
    today=date(2026, 11, 22),
    applicant_name="张三",
    id_no="11010519491231002X",
    birth=date(1949, 12, 31),
)


def judge(name: str, registers: dict[str, str], **changes: object) -> Verdict:
    facts = replace(BASE, registers=registers, **changes)  # type: ignore[arg-type]  # fields by name
    return rule(name)(facts)


FUND = {"fund.id_no": "110105491231002", "fund.name": "张三", "fund.accounts": "1"}
ARCHIVE = {"archives.record": "found", "archives.person": "applicant"}
YOUNG = date(1990, 1, 1)

CASES: list[tuple[str, dict[str, str], dict[str, object], VerdictKind, str]] = [
    ("identity_upgrade", FUND, {}, VerdictKind.GRANT, ""),
    ("identity_upgrade", {**FUND, "fund.name": "李四"}, {}, VerdictKind.LEAVE, "name_differs"),
    ("identity_upgrade", {**FUND, "fund.accounts": "2"}, {}, VerdictKind.LEAVE, "several_accounts"),
    ("identity_upgrade", {**FUND, "fund.id_no": "110105491231003"}, {}, VerdictKind.LEAVE, "numbers_differ"),
    (
        "identity_upgrade",
        {**FUND, "fund.id_no": "110105491231996"},
        {},
        VerdictKind.LEAVE,
        "register_unclear",
    ),
    ("identity_upgrade", {"fund.name": "张三"}, {}, VerdictKind.LEAVE, "register_silent"),
    ("loan_repaid", {"fund.loan": "repaid"}, {}, VerdictKind.GRANT, ""),
    ("loan_repaid", {"fund.loan": "open"}, {}, VerdictKind.DENY, "loan_open"),
    ("loan_repaid", {"fund.loan": "none"}, {}, VerdictKind.DENY, "no_loan_here"),
    ("loan_repaid", {"fund.loan": "frozen"}, {}, VerdictKind.LEAVE, "register_unclear"),
    (
        "household_certificate",
        {"police.household": "found"},
        {"answers": {"purpose": "kinship"}},
        VerdictKind.GRANT,
        "",
    ),
    (
        "household_certificate",
        {"police.household": "not_found"},
        {"answers": {"purpose": "cancelled"}},
        VerdictKind.DENY,
        "not_in_register",
    ),
    (
        "household_certificate",
        {"police.household": "found"},
        {"answers": {"purpose": "shown_by_document"}},
        VerdictKind.DENY,
        "provable_by_documents",
    ),
    (
        "household_certificate",
        {"police.household": "found"},
        {"answers": {"purpose": "other_body"}},
        VerdictKind.DENY,
        "other_body",
    ),
    ("household_certificate", {"police.household": "found"}, {}, VerdictKind.LEAVE, "purpose_open"),
    (
        "household_certificate",
        {"police.household": "found"},
        {"answers": {"purpose": "kinship"}, "by_agent": True},
        VerdictKind.LEAVE,
        "agent_acts",
    ),
    (
        "household_certificate",
        {"police.household": "conflict"},
        {"answers": {"purpose": "kinship"}},
        VerdictKind.LEAVE,
        "register_unclear",
    ),
    ("criminal_record", {"police.record": "none"}, {}, VerdictKind.GRANT, ""),
    ("criminal_record", {"police.record": "sealed"}, {}, VerdictKind.GRANT, ""),
    ("criminal_record", {"police.record": "found"}, {}, VerdictKind.DENY, "record_found"),
    ("criminal_record", {"police.record": "several_identities"}, {}, VerdictKind.LEAVE, "register_unclear"),
    ("criminal_record", {"police.record": "none"}, {"by_agent": True}, VerdictKind.LEAVE, "agent_acts"),
    ("unemployment", {"social.employment": "none"}, {"birth": YOUNG}, VerdictKind.GRANT, ""),
    ("unemployment", {"social.employment": "insured"}, {"birth": YOUNG}, VerdictKind.DENY, "still_insured"),
    (
        "unemployment",
        {"social.employment": "none"},
        {"birth": date(2010, 11, 23)},
        VerdictKind.DENY,
        "under_working_age",
    ),
    ("unemployment", {"social.employment": "none"}, {"birth": date(2010, 11, 22)}, VerdictKind.GRANT, ""),
    ("unemployment", {"social.employment": "none"}, {}, VerdictKind.LEAVE, "near_retirement"),
    ("unemployment", {"social.employment": "none"}, {"birth": None}, VerdictKind.LEAVE, "register_unclear"),
    (
        "unemployment",
        {"social.employment": "abroad"},
        {"birth": YOUNG},
        VerdictKind.LEAVE,
        "register_unclear",
    ),
    ("archive_extract", ARCHIVE, {}, VerdictKind.GRANT, ""),
    ("archive_extract", {**ARCHIVE, "archives.person": "other"}, {}, VerdictKind.DENY, "not_the_person"),
    ("archive_extract", {**ARCHIVE, "archives.record": "not_found"}, {}, VerdictKind.DENY, "no_record"),
    ("archive_extract", {**ARCHIVE, "archives.record": "damaged"}, {}, VerdictKind.LEAVE, "register_unclear"),
    ("archive_extract", ARCHIVE, {"by_agent": True}, VerdictKind.LEAVE, "agent_acts"),
    ("record_extract", {"query.record": "found"}, {}, VerdictKind.GRANT, ""),
    ("record_extract", {"query.record": "none"}, {}, VerdictKind.DENY, "no_record"),
    ("record_extract", {"query.record": "conflict"}, {}, VerdictKind.LEAVE, "register_unclear"),
    ("record_extract", {"query.record": "found"}, {"by_agent": True}, VerdictKind.LEAVE, "agent_acts"),
    ("tax_paid", {"tax.paid_in_period": "yes"}, {"answers": {"period": "2025"}}, VerdictKind.GRANT, ""),
    (
        "tax_paid",
        {"tax.paid_in_period": "no"},
        {"answers": {"period": "2025"}},
        VerdictKind.DENY,
        "nothing_paid",
    ),
    ("tax_paid", {"tax.paid_in_period": "yes"}, {}, VerdictKind.LEAVE, "period_open"),
]


@pytest.mark.parametrize(("name", "registers", "changes", "kind", "code"), CASES)
def test_what_a_rule_says(
    name: str, registers: dict[str, str], changes: dict[str, object], kind: VerdictKind, code: str
) -> None:
    verdict = judge(name, registers, **changes)
    assert verdict.kind is kind
    assert [item.code for item in verdict.reasons] == ([code] if code else [])
    if kind is VerdictKind.DENY:
        assert verdict.remedy_zh
        assert verdict.remedy_en


def test_every_rule_can_grant_and_can_leave_and_none_always_grants() -> None:
    seen = {name: {kind for rule_name, _, _, kind, _ in CASES if rule_name == name} for name in rules()}
    for name, kinds in seen.items():
        assert {VerdictKind.GRANT, VerdictKind.LEAVE} <= kinds, name


@pytest.mark.parametrize("name", sorted(rules()))
def test_without_its_registers_a_rule_leaves_the_case(name: str) -> None:
    assert judge(name, {}).kind is VerdictKind.LEAVE


def test_the_same_correction_again_changes_nothing() -> None:
    assert judge("identity_upgrade", FUND).result["changed"] == "yes"
    again = judge("identity_upgrade", {**FUND, "fund.id_no": "11010519491231002X"})
    assert (again.kind, again.result["changed"]) == (VerdictKind.GRANT, "no")


def test_the_catalogue_names_only_rules_that_exist_and_each_is_used() -> None:
    named = {m.where.rule for m in catalogue().enabled() if m.where.rule}
    assert named == set(rules())


def test_no_personal_data_in_the_repr_of_facts() -> None:
    text = repr(replace(BASE, registers=FUND, answers={"old_name": "张四"}))
    assert "张" not in text
    assert "1949" not in text


def test_a_denial_needs_reason_and_remedy() -> None:
    with pytest.raises(ValueError, match="reason"):
        Verdict(VerdictKind.DENY, ())
    with pytest.raises(ValueError, match="remedy"):
        Verdict(VerdictKind.DENY, (Reason("x", "x", "x"),))


def test_an_unknown_rule_is_refused() -> None:
    with pytest.raises(FactError):
        rule("always_grant")


@decision_rule("of_another_package")
def of_another_package(facts: FilingFacts) -> Verdict:
    return grant(region=facts.region)


@decision_rule("loan_repaid")
def takes_a_taken_name(facts: FilingFacts) -> Verdict:
    return grant(region=facts.region)


def publish(monkeypatch: pytest.MonkeyPatch, name: str, thing: object) -> None:
    class Point(EntryPoint):
        @override
        def load(self) -> object:
            return thing

    point = Point(name, "elsewhere:rule", GROUP)
    monkeypatch.setattr(regions.rules, "entry_points", lambda *, group: [point] if group == GROUP else [])
    rules.cache_clear()


@pytest.fixture(autouse=True)
def _fresh_rules() -> object:
    yield None
    rules.cache_clear()


def test_another_package_adds_a_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    publish(monkeypatch, "of_another_package", of_another_package)
    assert judge("of_another_package", {}).result == {"region": "32"}


@pytest.mark.parametrize(
    ("name", "thing"), [("loan_repaid", takes_a_taken_name), ("other", of_another_package), ("x", print)]
)
def test_a_bad_published_rule_is_named_at_start(
    monkeypatch: pytest.MonkeyPatch, name: str, thing: object
) -> None:
    publish(monkeypatch, name, thing)
    with pytest.raises(DataError) as caught:
        rules()
    assert (caught.value.file, caught.value.key) == (GROUP, name)
