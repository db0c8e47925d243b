from collections.abc import Iterable
from dataclasses import replace

from nodes.telemetry import HopSpan, HopTracer, SpanRow, check_connected, new_case_trace
from nodes.telemetry.connected import unique

CASE = "3205002026093000010000123K"


def chain(length: int = 4) -> list[SpanRow]:
    """A root and its line of descendants, one region after the other."""
    ended: list[HopSpan] = []
    here = new_case_trace(CASE)
    for at in range(length):
        span = HopTracer(("32", "31")[at % 2], ended.append).span_with_id("hop", here, start_ns=1000 * at + 1)
        span.end(1000 * at + 500)
        here = here.reserve()
    return [span.row()[0] for span in ended]


def kinds(rows: Iterable[SpanRow]) -> list[str]:
    return [problem.kind for problem in check_connected(rows)]


def test_a_whole_trace_has_no_problems() -> None:
    assert check_connected(chain()) == []
    assert check_connected(reversed(chain())) == []


def test_no_spans_at_all_is_a_problem() -> None:
    assert kinds([]) == ["no_spans"]


def test_a_missing_parent_is_named_so_that_it_can_be_rebuilt() -> None:
    rows = chain()
    (problem,) = check_connected(rows[:1] + rows[2:])
    assert (problem.kind, problem.span_id) == ("parent_missing", rows[2].span_id)
    assert problem.missing_span_id == rows[1].span_id


def test_a_missing_root_is_both() -> None:
    assert kinds(chain()[1:]) == ["no_root", "parent_missing"]


def test_two_roots_and_two_traces() -> None:
    assert kinds(chain() + chain()) == ["several_traces", "several_roots"]


def test_a_cycle_is_found() -> None:
    rows = chain()
    rows[1] = replace(rows[1], parent_span_id=rows[3].span_id)
    assert kinds(rows) == ["cycle", "cycle", "cycle"]


def test_one_id_for_two_hops_is_a_conflict() -> None:
    rows = chain()
    assert kinds([*rows, replace(rows[1], name="another")]) == ["conflict"]


def test_the_recovered_yields_to_the_real_one() -> None:
    rows = chain()
    rebuilt = replace(rows[1], recovered=True)
    assert check_connected([rebuilt, *rows]) == []
    assert [row.recovered for row in unique([rebuilt, *rows])] == [False] * 4


def test_a_parent_comes_before_its_children_even_at_one_instant() -> None:
    rows = [replace(row, start_ns=7, end_ns=7) for row in chain(9)]
    assert unique(reversed(rows)) == rows
