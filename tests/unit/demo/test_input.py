"""The shipped input: what the script makes, wide enough, and worked out without the service's own code."""

import ast
import json
from collections import Counter
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pytest

from regions.guide import Guide
from regions.guidebook import guide
from tools.filings import competence, days, facts, limits, people
from tools.filings.days import Limit
from tools.filings.plan import tell
from tools.make_input import OUT, files

ROOT = Path(__file__).resolve().parents[3]
FAULTS = {
    *("missing_material", "fifteen_digits", "wrong_authority", "race", "lack", "lack_overdue", "refusal"),
    *("bad_firm_code", "extension", "special", "special_overdue", "passed_up", "originals", "late_notice"),
    *("rule_grant", "rule_deny", "rule_leave", "bad_rating", "duplicate_request", "correction_overdue"),
    *(
        "joint_ordered",
        "joint_all_or_none",
        "joint_best_effort",
        "second_list",
        "already_held",
        "lost_parcel",
    ),
}


@pytest.fixture(scope="module")
def lines() -> list[dict[str, Any]]:
    return [json.loads(row) for row in (OUT / "filings.jsonl").read_text("utf-8").splitlines()]


def test_the_committed_files_are_what_the_script_makes() -> None:
    for name, content in files(tell()).items():
        assert (OUT / name).read_text("utf-8") == content, f"{name}: run python -m tools.make_input"


def test_all_cities_modes_matters_and_faults_are_there(lines: list[dict[str, Any]]) -> None:
    assert len(lines) >= 300
    origins = {facts.city_of()[line["filing"]["origin_area"]] for line in lines}
    assert origins == set(facts.cities())
    assert len(origins) == 41
    used = {line["filing"]["matter"] for line in lines} & facts.matters().keys()
    assert len(used) >= 60
    assert {facts.matters()[code]["handling_mode"] for code in used} == {
        "full_online", "collect_on_behalf", "joint",
    }  # fmt: skip
    assert {facts.matters()[code]["applicant"] for code in used} == {"person", "enterprise"}
    assert set(Counter(fault for line in lines for fault in line["faults"])) >= FAULTS


def test_joint_cases_have_up_to_six_parts_and_one_lapses(lines: list[dict[str, Any]]) -> None:
    joint = [line["expect"]["parts"] for line in lines if "parts" in line["expect"]]
    assert {len(parts) for parts in joint} >= {2, 3, 4, 6}
    assert any({p["result"] for p in parts} == {"lapsed", "denied"} for parts in joint)


def test_every_line_says_what_must_come_of_it(lines: list[dict[str, Any]]) -> None:
    for line in lines:
        expect = line["expect"]
        if expect["outcome"] == "refused":
            assert expect["refusal"]["code"]
        elif expect["outcome"] == "filed":
            assert expect["state"]
            assert expect["authority"]
            assert expect["light"] in ("green", "yellow", "red")
            assert expect["lights"]
            if expect["state"] in ("closed", "rated", "acceptance_revoked"):
                assert datetime.fromisoformat(expect["decision_due"]).tzinfo


def test_request_ids_are_unique_but_for_the_repeated_ones(lines: list[dict[str, Any]]) -> None:
    first = [line["request_id"] for line in lines if "again" not in line]
    assert len(first) == len(set(first))
    assert {line["request_id"] for line in lines if "again" in line} <= set(first)


def test_the_generator_imports_nothing_of_the_service() -> None:
    for path in [ROOT / "tools" / "make_input.py", *(ROOT / "tools" / "filings").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {name.split(".")[0] for name in names} & {"regions", "nodes", "broker", "tongban"}


def test_published_examples_of_working_days() -> None:
    three = Limit(3, "working_day")
    assert days.last_day(date(2026, 9, 30), three) == date(2026, 10, 10)
    assert days.last_day(date(2026, 9, 30), Limit(3, "day")) == date(2026, 10, 8)
    assert days.last_day(date(2026, 2, 13), Limit(3, "day")) == date(2026, 2, 24)
    assert days.last_day(date(2026, 9, 24), Limit(5, "working_day")) == date(2026, 10, 9)
    assert days.due_at(date(2026, 10, 9), time(17)).hour == 17


def test_published_examples_of_check_characters() -> None:
    assert people.upgraded("110105491231002") == "11010519491231002X"
    assert people.check_31("91310000775785552") == "L"
    assert people.check_31("11100000000013338") == "W"


def _limit(limit: Any) -> tuple[int, str] | None:
    return None if limit is None else (limit.value, str(limit.unit))


def _of_guide(found: Guide) -> list[Any]:
    steps = tuple(_limit(step.limit) for step in found.steps)
    named = (found.notice, found.decision, found.extension, found.procedure, found.correction, found.lack)
    more = (found.delivery, found.contact)
    rules = (found.close_of_business, found.deemed_withdrawal, found.yellow.units(found.decision))
    return [found.region, found.authority, *map(_limit, (*named, *more)), *rules, found.rule or "", steps]


def _of_terms(body: competence.Body, found: limits.Terms) -> list[Any]:
    steps = tuple(map(_limit, found.steps))
    named = (found.notice, found.decision, found.extension, found.procedure, found.correction, found.lack)
    more = (found.delivery, found.contact)
    rules = (found.close, found.deemed_withdrawal, found.yellow_units(found.decision))
    return [body.region, body.authority, *map(_limit, (*named, *more)), *rules, found.rule, steps]


@pytest.mark.parametrize("county", ["310115", "320509", "320205", "330106", "340803"])
def test_two_readings_of_the_facts_agree(county: str) -> None:
    """The generator's reading of every matter and part against the service's guides."""
    for code in facts.matters():
        places = dict.fromkeys(competence.kinds_of_places(code), county)
        plan = facts.plans().get(code)
        jobs = [("", competence.decides(code, county, places))]
        jobs += [(p["code"], competence.body(p, county, places)) for p in (plan or {"parts": []})["parts"]]
        for part, body in jobs:
            theirs, mine = guide(code, body.area, part or None), limits.terms(code, body.area, part)
            known, found = _of_guide(theirs), _of_terms(body, mine)
            if plan and not part:
                known, found = known[:-1], found[:-1]  # a lead has parts in the place of steps
            assert known == found, (code, part)
            if not part:
                rows = limits.wanted(code, county[:2]) if plan else limits.required(code, county[:2])
                assert {row["code"] for row in rows} == {m.code for m in theirs.required()}, code
