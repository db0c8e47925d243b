import pytest

from nodes.telemetry import HopSpan, HopTracer, new_case_trace
from nodes.telemetry.allowed import ATTRIBUTES, UNNAMED, permitted, plain_name, sift

CASE = "3205002026093000010000123K"
MARKERS = [
    "张三",
    "Zhang San",
    "110101199003074258",
    "11010119900307425X",
    "13800138000",
    "+86 138-0013-8000",
    "上海市徐汇区漕溪北路1号",
    "91310000MA1FL5E85X",
    "someone@example.org",
]


@pytest.mark.parametrize("key", sorted(ATTRIBUTES))
@pytest.mark.parametrize("marker", MARKERS)
def test_no_key_takes_personal_data(key: str, marker: str) -> None:
    assert not permitted(key, marker)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("messaging.system", "kafka"),
        ("messaging.destination.name", "tongban.inbox.31"),
        ("messaging.message.id", "0199aaaa-bbbb-7ccc-8ddd-eeeeffff0000"),
        ("messaging.message.id", "32-4711"),
        ("messaging.message.conversation_id", CASE),
        ("messaging.consumer.group.name", "tongban.31"),
        ("messaging.kafka.offset", 7),
        ("messaging.destination.partition.id", "3"),
        ("rpc.method", "tongban.v1.CaseService/File"),
        ("rpc.response.status_code", "FAILED_PRECONDITION"),
        ("tongban.region", "32"),
        ("tongban.matter", "HF-001"),
        ("tongban.version", 4),
        ("tongban.effective_at", "2026-09-30T08:00:00+08:00"),
        ("error.type", "CaseError"),
    ],
)
def test_what_a_hop_says_is_kept(key: str, value: object) -> None:
    assert permitted(key, value)


def test_unknown_keys_and_wrong_types_are_dropped_and_counted() -> None:
    assert sift(
        {"tongban.region": "32", "applicant.name": "x", "tongban.version": "4", "tongban.lane": True}
    ) == (
        {"tongban.region": "32"},
        3,
    )


def test_a_planted_marker_leaves_no_trace_in_a_row() -> None:
    ended: list[HopSpan] = []
    tracer = HopTracer("32", ended.append)
    for marker in MARKERS:
        span = tracer.hop(
            f"file {marker}", new_case_trace(CASE), attributes=dict.fromkeys(ATTRIBUTES, marker)
        )
        span.set_attribute("applicant", marker)
        span.set_attribute(marker, "x")
        span.record_exception(KeyError(marker))
        span.add_event(marker, {"name": marker})
        span.end()
    for span, marker in zip(ended, MARKERS, strict=True):
        row, dropped = span.row()
        assert marker not in repr(row)
        assert dropped == len(ATTRIBUTES) + 1


def test_a_name_is_plain_words() -> None:
    assert plain_name("process tongban.inbox.31") == "process tongban.inbox.31"
    assert plain_name("tongban.v1.CaseService/File") == "tongban.v1.CaseService/File"
    assert plain_name("start_review") == "start_review"
    for marker in MARKERS:
        assert plain_name(marker) == plain_name(f"file {marker}") == UNNAMED
    assert plain_name("x" * 500) == UNNAMED
