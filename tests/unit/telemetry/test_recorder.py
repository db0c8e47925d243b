import pytest
from opentelemetry import trace as api
from opentelemetry.context import Context
from opentelemetry.trace import Link, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from nodes.telemetry import CaseTrace, HopSpan, HopTracer, SpanLink, SpanRow, new_case_trace
from nodes.telemetry.connected import unique

CASE = "3205002026093000010000123K"
OTHER = "3101002026093000010000001B"
GOOD = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


class Kept:
    def __init__(self) -> None:
        self.spans: list[HopSpan] = []
        self.tracer = HopTracer("32", self.spans.append)

    @property
    def rows(self) -> list[SpanRow]:
        return [span.row()[0] for span in self.spans]


@pytest.fixture
def kept() -> Kept:
    return Kept()


def remote(text: str = GOOD) -> Context:
    return TraceContextTextMapPropagator().extract({"traceparent": text}, Context())


def test_a_hop_hangs_under_its_parent(kept: Kept) -> None:
    case = new_case_trace(CASE)
    with kept.tracer.hop("file", case, attributes={"tongban.command": "file"}) as span:
        assert span.is_recording()
    (row,) = kept.rows
    assert row.trace_id == f"{case.trace_id:032x}"
    assert row.parent_span_id == f"{case.span_id:016x}"
    assert (row.case_number, row.region, row.kind, row.name) == (CASE, "32", "internal", "file")
    assert row.attributes == {
        "tongban.command": "file",
        "tongban.region": "32",
        "messaging.message.conversation_id": CASE,
    }
    assert row.end_ns >= row.start_ns


def test_a_span_ends_once(kept: Kept) -> None:
    span = kept.tracer.hop("file", new_case_trace(CASE))
    span.end()
    first = span.end_ns
    span.end()
    assert (len(kept.spans), span.end_ns) == (1, first)


def test_an_end_before_the_start_is_the_start(kept: Kept) -> None:
    span = kept.tracer.hop("file", new_case_trace(CASE), start_ns=2_000)
    span.end(1_000)
    assert (kept.rows[0].start_ns, kept.rows[0].end_ns) == (2_000, 2_000)


def test_the_reserved_id_is_the_spans(kept: Kept) -> None:
    case = new_case_trace(CASE)
    sent = case.reserve()
    kept.tracer.span_with_id("send tongban.inbox.31", sent, SpanKind.PRODUCER).end()
    (row,) = kept.rows
    assert f"00-{row.trace_id}-{row.span_id}-01" == sent.traceparent
    assert row.parent_span_id == f"{case.span_id:016x}"
    assert not row.recovered


def test_any_tracer_user_can_record_a_reserved_hop(kept: Kept) -> None:
    sent = new_case_trace(CASE).reserve()
    with kept.tracer.start_as_current_span(
        "send tongban.inbox.31", context=sent.reserved_context, kind=SpanKind.PRODUCER
    ):
        kept.tracer.start_span("inner").end()
    inner, outer = kept.rows
    assert (outer.span_id, outer.case_number) == (f"{sent.span_id:016x}", CASE)
    assert (inner.parent_span_id, inner.case_number) == (outer.span_id, CASE)


def test_a_lost_hop_is_rebuilt_from_its_row_with_the_same_id(kept: Kept) -> None:
    sent = new_case_trace(CASE).reserve()
    stored = CaseTrace.stored(CASE, sent.traceparent, sent.parent_hex)
    span = kept.tracer.span_with_id(
        "send tongban.inbox.31", stored, SpanKind.PRODUCER, start_ns=1_000, recovered=True
    )
    span.end(5_000)
    (row,) = kept.rows
    assert (row.span_id, row.parent_span_id) == (f"{sent.span_id:016x}", sent.parent_hex)
    assert (row.start_ns, row.end_ns) == (1_000, 5_000)
    assert row.recovered
    assert row.attributes["tongban.recovered"] is True


def test_a_callers_context_is_a_link_never_the_parent(kept: Kept) -> None:
    with kept.tracer.start_as_current_span(
        "tongban.v1.CaseService/File", context=remote(), kind=SpanKind.SERVER
    ):
        pass
    (row,) = kept.rows
    assert row.parent_span_id == ""
    assert row.trace_id != GOOD[3:35]
    assert row.links == (SpanLink(GOOD[3:35], GOOD[36:52], "caller"),)


def test_what_came_with_a_message_is_the_parent(kept: Kept) -> None:
    key = {"messaging.message.conversation_id": CASE}
    kept.tracer.start_span(
        "process tongban.inbox.31", context=remote(), kind=SpanKind.CONSUMER, attributes=key
    ).end()
    (row,) = kept.rows
    assert (row.trace_id, row.parent_span_id, row.case_number) == (GOOD[3:35], GOOD[36:52], CASE)


def test_a_message_with_a_forged_context_is_brought_back_into_the_cases_trace(kept: Kept) -> None:
    case = new_case_trace(CASE)
    key = {"messaging.message.conversation_id": CASE}
    span = kept.tracer.start_span(
        "process tongban.inbox.31", context=remote(), kind=SpanKind.CONSUMER, attributes=key
    )
    assert span.join_case(case).trace_id == case.trace_id
    span.end()
    (row,) = kept.rows
    assert (row.trace_id, row.parent_span_id) == (f"{case.trace_id:032x}", f"{case.span_id:016x}")
    assert row.links == (SpanLink(GOOD[3:35], GOOD[36:52], "peer"),)


def test_a_call_that_files_a_case_is_the_root_of_its_trace(kept: Kept) -> None:
    span = kept.tracer.start_span("tongban.v1.CaseService/File", context=remote(), kind=SpanKind.SERVER)
    kept.tracer.hop("file", span.begin_case(CASE)).end()
    span.end()
    filed, call = kept.rows
    assert (filed.parent_span_id, filed.trace_id) == (call.span_id, call.trace_id)
    assert {filed.case_number, call.case_number} == {CASE}
    assert call.parent_span_id == ""


def test_a_call_joins_the_case_it_turns_out_to_concern(kept: Kept) -> None:
    case = new_case_trace(CASE)
    span = kept.tracer.start_span("tongban.v1.CaseService/Act", kind=SpanKind.SERVER)
    parent = span.join_case(case)
    assert parent.span_id == span.span_id
    span.end()
    (row,) = kept.rows
    assert (row.trace_id, row.parent_span_id, row.case_number) == (
        f"{case.trace_id:032x}",
        f"{case.span_id:016x}",
        CASE,
    )


def test_a_call_that_concerns_two_cases_is_linked_to_the_second(kept: Kept) -> None:
    first, second = new_case_trace(CASE), new_case_trace(OTHER)
    span = kept.tracer.start_span("tongban.v1.CaseService/FileMany", kind=SpanKind.SERVER)
    span.join_case(first)
    assert span.join_case(second) == second
    span.end()
    (row,) = kept.rows
    assert row.case_number == CASE
    assert row.links == (SpanLink(f"{second.trace_id:032x}", f"{second.span_id:016x}", "case"),)


def test_a_call_whose_context_was_used_keeps_its_trace(kept: Kept) -> None:
    case = new_case_trace(CASE)
    span = kept.tracer.start_span("tongban.v1.CaseService/Act", kind=SpanKind.SERVER)
    used = span.get_span_context()
    assert span.join_case(case) == case
    span.end()
    assert kept.rows[0].trace_id == f"{used.trace_id:032x}"


def test_an_exception_leaves_its_class_name_alone(kept: Kept) -> None:
    with (
        pytest.raises(ValueError, match="Zhang"),
        kept.tracer.start_as_current_span("file", context=new_case_trace(CASE).context),
    ):
        raise ValueError("Zhang San, 13800138000")
    (row,) = kept.rows
    assert (row.status, row.attributes["error.type"]) == ("error", "ValueError")
    assert "Zhang" not in repr(row)


def test_status_words_are_opentelemetrys(kept: Kept) -> None:
    case = new_case_trace(CASE)
    for status in (Status(StatusCode.ERROR, "13800138000"), StatusCode.OK):
        span = kept.tracer.hop("file", case)
        span.set_status(status)
        span.set_status(StatusCode.ERROR)
        span.end()
    assert [row.status for row in kept.rows] == ["error", "ok"]


def test_links_of_the_api_are_kept(kept: Kept) -> None:
    foreign = api.get_current_span(remote()).get_span_context()
    kept.tracer.start_span("file", links=[Link(foreign, {"tongban.link.kind": "case"})]).end()
    assert kept.rows[0].links == (SpanLink(GOOD[3:35], GOOD[36:52], "case"),)


def test_the_broker_and_other_libraries_find_the_current_hop(kept: Kept) -> None:
    span = kept.tracer.hop("file", new_case_trace(CASE))
    carrier: dict[str, str] = {}
    with api.use_span(span, end_on_exit=True):
        TraceContextTextMapPropagator().inject(carrier)
    assert carrier["traceparent"] == span.here.traceparent


def test_a_row_of_a_span_under_way_is_as_if_it_ended_now(kept: Kept) -> None:
    span = kept.tracer.hop("file", new_case_trace(CASE))
    early, _ = span.row()
    span.end()
    (final,) = kept.rows
    assert early.key == final.key
    assert early.start_ns <= early.end_ns <= final.end_ns
    assert unique([final, early, final]) == [final]
