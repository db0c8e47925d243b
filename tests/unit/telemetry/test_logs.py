import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from opentelemetry import trace as api
from opentelemetry.trace import SpanKind

from nodes.cases.errors import CaseError, Code
from nodes.telemetry import HopTracer, new_case_trace
from nodes.telemetry.logs import Form, _LibraryHandler, configure_logs, node_log
from nodes.telemetry.personal import MASK, is_personal, mask_text, mask_value

CASE = "3205002026093000010000123K"
MARKERS = [
    "张三",
    "欧阳·娜娜",
    "110101199003074258",
    "11010119900307425X",
    "110101900307425",
    "13800138000",
    "+86 138-0013-8000",
    "上海市徐汇区漕溪北路1号301室",
    "91310000MA1FL5E85X",
    "someone@example.org",
    "6222021001116245702",
]

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    out = io.StringIO()
    root = logging.getLogger()
    level = root.level
    yield out
    structlog.reset_defaults()
    root.setLevel(level)
    for handler in [held for held in root.handlers if isinstance(held, _LibraryHandler)]:
        root.removeHandler(handler)


@pytest.fixture
def lines(stream: io.StringIO) -> Lines:
    configure_logs("json", "info", stream)
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_says_when_what_and_who_speaks(lines: Lines) -> None:
    node_log("32", "outbox").info("bus_away", waiting=7)
    (line,) = lines()
    assert line.pop("ts").endswith("Z")
    assert line == {"event": "bus_away", "level": "info", "region": "32", "room": "outbox", "waiting": 7}


def test_a_line_within_a_hop_carries_its_ids(lines: Lines) -> None:
    span = HopTracer("31", lambda _: None).hop("accept", new_case_trace(CASE))
    with api.use_span(span):
        structlog.get_logger().info("accepted")
    (line,) = lines()
    assert (line["trace_id"], line["span_id"]) == (f"{span.trace_id:032x}", f"{span.span_id:016x}")
    assert (line["case_number"], line["region"]) == (CASE, "31")


def test_a_line_may_carry_a_hop_that_is_not_the_current_one(lines: Lines) -> None:
    case = new_case_trace(CASE)
    node_log("32", "outbox").info("sent", **case.log_fields)
    (line,) = lines()
    assert (line["case_number"], line["trace_id"]) == (CASE, f"{case.trace_id:032x}")


def test_a_call_that_has_no_case_yet_can_still_find_it_after_a_log_line(lines: Lines) -> None:
    span = HopTracer("31", lambda _: None).start_span("tongban.v1.CaseService/Act", kind=SpanKind.SERVER)
    with api.use_span(span):
        structlog.get_logger().info("called")
    assert "trace_id" not in lines()[0]
    case = new_case_trace(CASE)
    assert span.join_case(case).trace_id == case.trace_id


@pytest.mark.parametrize("form", ["json", "console"])
@pytest.mark.parametrize("marker", MARKERS)
def test_planted_markers_are_in_no_line(form: Form, marker: str, stream: io.StringIO) -> None:
    configure_logs(form, "debug", stream)
    log = node_log("32", "desk")
    words = f"filed by {marker}"
    log.info(words)
    log.info("filed", note=marker, code=marker, nested={"applicant": marker, "list": [{"x": f"<{marker}>"}]})
    log.info("filed", **{f"x {marker}": 1, "names": [marker], "what": object(), "at": (marker,)})
    log.info("filed", code=marker.encode(), error=ValueError(marker))
    try:
        raise ValueError(marker) from KeyError(marker)
    except ValueError:
        log.exception("failed")
        logging.getLogger("some.library").exception("broke on %s", marker)
    logging.getLogger("some.library").warning("saw %s", marker, extra={"phone": marker})
    if marker.isdigit():
        log.info("filed", number=int(marker))
    said = stream.getvalue()
    assert said.count("\n") >= 6
    assert marker not in said


def test_what_is_not_personal_is_left_alone(lines: Lines) -> None:
    fields = {
        "case_number": CASE,
        "case_printed": "320500-20260930-0001-0000123-K",
        "event_id": "0199aaaa-bbbb-7ccc-8ddd-eeeeffff0000",
        "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "topic": "tongban.inbox.31",
        "listen_address": "127.0.0.1:7031",
        "took_ms": 12.5,
        "start_ns": 1790730000000000000,
        "offset": 13800138000,
        "matter": "HF-001",
        "ok": True,
        "nothing": None,
        "versions": [1, 2],
    }
    node_log("32", "desk").info("filed", **fields)
    (line,) = lines()
    assert {key: line[key] for key in fields} == fields


def test_an_exception_says_its_type_and_place_and_ours_their_words(lines: Lines) -> None:
    log = node_log("32", "desk")
    for error in (
        CaseError(Code.NOT_OWNER, "case_number"),
        RuntimeError("secret"),
        FileNotFoundError(2, "No such"),
    ):
        try:
            raise error
        except type(error):
            log.exception("failed")
    ours, theirs, system = lines()
    assert (ours["error_type"], ours["error"]) == ("CaseError", "NOT_OWNER at case_number")
    assert theirs["error_type"] == "RuntimeError"
    assert "error" not in theirs
    assert system["error"] == "No such"
    assert ours["error_at"][-1].startswith("test_logs.py:")
    assert ours["level"] == "error"


def test_libraries_speak_from_warning_on_and_are_named(lines: Lines) -> None:
    library = logging.getLogger("some.library")
    library.info("chatter")
    library.warning("careful: %d", 3)
    (line,) = lines()
    assert (line["event"], line["room"], line["level"]) == ("careful: 3", "some.library", "warning")


def test_the_least_level_holds(stream: io.StringIO) -> None:
    configure_logs("json", "warning", stream)
    node_log("32", "desk").info("filed")
    node_log("32", "desk").warning("late")
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["late"]


def test_configuring_again_does_not_double_lines(stream: io.StringIO) -> None:
    for _ in range(3):
        configure_logs("json", "info", stream)
    logging.getLogger("some.library").warning("once")
    assert len(stream.getvalue().splitlines()) == 1


def test_no_line_can_be_forged_nor_the_terminal_steered(stream: io.StringIO) -> None:
    configure_logs("console", "info", stream)
    node_log("32", "desk").info("filed", code="a\x1b[2J\r\u202eb")
    assert not {"\x1b", "\r", "\u202e"} & set(stream.getvalue())


def test_the_form_for_people_reads_as_a_line(stream: io.StringIO) -> None:
    configure_logs("console", "info", stream)
    node_log("32", "outbox").info("bus_away", waiting=7)
    (line,) = stream.getvalue().splitlines()
    assert "bus_away" in line
    assert "waiting=7" in line
    assert "region=32" in line


def test_the_form_follows_the_stream_when_none_is_asked_for(stream: io.StringIO) -> None:
    configure_logs(stream=stream)
    node_log("32", "desk").info("filed")
    assert json.loads(stream.getvalue())["event"] == "filed"


@pytest.mark.parametrize(
    "field", ["name", "applicant_name", "id_number", "Phone", "agent.mobile", "bank-account"]
)
def test_personal_fields_are_known_by_name(field: str) -> None:
    assert is_personal(field)


@pytest.mark.parametrize("field", ["region", "case_number", "topic_name", "event", "lane", "holder", "error"])
def test_others_are_not(field: str) -> None:
    assert not is_personal(field)


def test_what_is_deep_or_endless_is_cut() -> None:
    deep: object = "x"
    for _ in range(9):
        deep = [deep]
    assert "<list>" in repr(mask_value(deep))
    assert len(mask_text("x" * 10_000)) == 2_000
    assert mask_text("张三 in 32") == f"{MASK} in 32"
