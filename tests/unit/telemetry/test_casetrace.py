import random

import pytest
from opentelemetry import trace as api

from nodes.telemetry import CaseTrace, foreign_link, new_case_trace
from nodes.telemetry.casetrace import BadTraceparent, read_traceparent

CASE = "3205002026093000010000123K"
PART = "3301002026093000010000007A"
GOOD = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_what_is_stored_comes_back() -> None:
    case = new_case_trace(CASE)
    assert CaseTrace.stored(CASE, case.traceparent) == case
    child = case.reserve()
    assert CaseTrace.stored(CASE, child.traceparent, child.parent_hex) == child
    assert child.parent_span_id == case.span_id
    assert child.trace_id == case.trace_id
    assert case.parent_hex == ""


@pytest.mark.parametrize("text", ["", "nonsense", GOOD[:-3], GOOD.replace("4bf", "4BF"), "x" * 5000])
def test_a_bad_stored_context_is_named(text: str) -> None:
    with pytest.raises(BadTraceparent) as caught:
        CaseTrace.stored(CASE, text)
    assert caught.value.field == "traceparent"
    assert "x" * 20 not in str(caught.value)


def test_a_bad_stored_parent_is_named() -> None:
    with pytest.raises(BadTraceparent) as caught:
        CaseTrace.stored(CASE, GOOD, "not hex")
    assert caught.value.field == "parent_hex"


@pytest.mark.parametrize(
    "text",
    [
        None,
        "ff" + GOOD[2:],
        GOOD + "-more",
        "00-" + "0" * 32 + GOOD[35:],
        GOOD[:36] + "0" * 16 + "-01",
        GOOD + "\n",
        "01" + GOOD[2:] + "-" + "a" * 200,
    ],
)
def test_a_forged_context_is_as_good_as_none(text: str | None) -> None:
    assert read_traceparent(text) is None
    assert foreign_link(text) == ()


def test_a_later_version_may_say_more() -> None:
    assert read_traceparent("01" + GOOD[2:] + "-more") == read_traceparent(GOOD)


def test_a_callers_context_is_a_link() -> None:
    (link,) = foreign_link(GOOD)
    assert (link.trace_id, link.span_id, link.kind) == (GOOD[3:35], GOOD[36:52], "caller")


def test_a_message_within_the_trace_is_the_parent_and_one_without_is_a_link() -> None:
    case = new_case_trace(CASE)
    sent = case.reserve()
    parent, links = case.after_message(sent.traceparent)
    assert (parent.span_id, links) == (sent.span_id, ())
    parent, links = case.after_message(GOOD)
    assert parent == case
    assert [link.kind for link in links] == ["peer"]


def test_a_joint_part_lives_in_its_leads_trace() -> None:
    lead = new_case_trace(CASE)
    part = lead.part(PART)
    assert (part.case_number, part.trace_id, part.span_id) == (PART, lead.trace_id, lead.span_id)


def test_the_context_is_opentelemetrys() -> None:
    case = new_case_trace(CASE)
    found = api.get_current_span(case.context).get_span_context()
    assert (found.trace_id, found.span_id, found.trace_flags.sampled) == (case.trace_id, case.span_id, True)


def test_ids_do_not_follow_the_shared_generators_seed() -> None:
    random.seed(1)
    first = new_case_trace(CASE)
    random.seed(1)
    assert new_case_trace(CASE).trace_id != first.trace_id
