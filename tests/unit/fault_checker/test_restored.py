"""A region was put back to a backup: what it never sent may be gone and is counted, and nothing else may."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fault.checker.facts import Call, Restore
from tests.fault.checker.history import read_history
from tests.fault.checker.judge import Verdict, check
from tests.unit.fault_checker.damage import add_call, cause_of, edited, fetch, forgotten, sql
from tests.unit.fault_checker.healthy import Run, healthy_run

EVER = 2**62
Damage = Callable[[Run], None]


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return asyncio.run(healthy_run(tmp_path_factory.mktemp("healthy")))


def judged(run: Run, *restores: Restore) -> Verdict:
    return asyncio.run(check(replace(run.places, restores=restores)))


def names(verdict: Verdict) -> set[str]:
    return {v.name for v in verdict.violations}


def never_sent(run: Run) -> None:
    """A case that only its own region ever knew, with its answers and its hops."""
    number = run.cases["local"]
    requests = {c.request_id for c in read_history(run.history) if c.case_number == number}
    forgotten(run, "31", number)
    for request_id in requests:
        sql(run, "31", "DELETE FROM answer WHERE request_id = ?", request_id)
    sql(run, "31", "DELETE FROM span WHERE case_number = ?", number)


def test_a_restore_after_which_all_is_there_breaks_nothing(healthy: Run) -> None:
    verdict = judged(healthy, Restore("31", 0, EVER), Restore("32", 0, EVER))
    assert not verdict.violations
    assert verdict.counts["filings beyond recovery"] == 0


def test_what_was_never_sent_may_be_gone_and_is_counted(healthy: Run, tmp_path: Path) -> None:
    run = healthy.copy(tmp_path / "run")
    never_sent(run)
    verdict = judged(run, Restore("31", 0, EVER))
    assert not verdict.violations, "\n".join(map(str, verdict.violations[:20]))
    assert verdict.counts["filings beyond recovery"] == 1
    assert verdict.counts["acts beyond recovery"] > 3


def _filed_at(run: Run) -> int:
    calls = read_history(run.history)
    return min(c.end_ns for c in calls if c.case_number == run.cases["local"])


@pytest.mark.parametrize("where", ["another region", "acknowledged before the backup", "sent after the stop"])
def test_only_of_that_region_and_of_that_time(healthy: Run, tmp_path: Path, where: str) -> None:
    run = healthy.copy(tmp_path / "run")
    never_sent(run)
    at = _filed_at(run)
    restore = {
        "another region": Restore("32", 0, EVER),
        "acknowledged before the backup": Restore("31", at + 1, EVER),
        "sent after the stop": Restore("31", 0, min(c.start_ns for c in read_history(run.history)) - 1),
    }[where]
    assert "lost_case" in names(judged(run, restore))


def a_case_that_was_sent_is_gone(run: Run) -> None:
    forgotten(run, "32", run.cases["deemed"])


def an_act_that_was_sent_is_gone(run: Run) -> None:
    edited(run, "too late", "Accepted", lambda core: core.ClearField("caused_by"))


def a_document_that_was_sent_is_gone(run: Run) -> None:
    sql(run, "32", "DELETE FROM filing WHERE case_number = ?", run.cases["withdrawn"])


def an_ask_that_was_sent_is_gone(run: Run) -> None:
    sql(run, "32", "DELETE FROM ask WHERE state = 'refused'")


def an_answer_to_what_was_sent_is_gone(run: Run) -> None:
    sql(run, "32", "DELETE FROM answer WHERE request_id = 'again'")


def an_answer_names_another_case(run: Run) -> None:
    other = cause_of(run, "32", run.cases["deemed"], 1)
    ((raw,),) = fetch(run, "32", "SELECT answer FROM answer WHERE request_id = ?", other)
    sql(run, "32", "UPDATE answer SET answer = ? WHERE request_id = 'again'", raw)


def a_number_that_was_lost_is_given_again(run: Run) -> None:
    number = run.cases["deemed"]

    def first(call: Call) -> bool:
        return call.verb == "file" and call.case_number == number

    add_call(run, first, request_id="another", start_ns=EVER + 1, end_ns=EVER + 2)


def a_hop_of_another_region_is_gone(run: Run) -> None:
    text = (
        "DELETE FROM span WHERE span_id IN (SELECT parent_span_id FROM span WHERE parent_span_id <> '')"
        " AND parent_span_id <> '' AND case_number <> ''"
    )
    sql(run, "33", text)


@pytest.mark.parametrize(
    ("damage", "name"),
    [
        (a_case_that_was_sent_is_gone, "lost_case"),
        (a_case_that_was_sent_is_gone, "phantom_event"),
        (an_act_that_was_sent_is_gone, "phantom_act"),
        (a_document_that_was_sent_is_gone, "lost_case"),
        (an_ask_that_was_sent_is_gone, "lost_act"),
        (an_ask_that_was_sent_is_gone, "phantom_ask"),
        (an_answer_to_what_was_sent_is_gone, "forgotten_answer"),
        (an_answer_names_another_case, "changed_answer"),
        (a_number_that_was_lost_is_given_again, "number_given_twice"),
        (a_hop_of_another_region_is_gone, "orphan_span"),
    ],
)
def test_what_was_sent_is_still_missed(healthy: Run, tmp_path: Path, damage: Damage, name: str) -> None:
    run = healthy.copy(tmp_path / "run")
    damage(run)
    restores = (Restore("31", 0, EVER), Restore("32", 0, EVER))
    assert name in names(judged(run, *restores))
