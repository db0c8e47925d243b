"""The input: what cannot be used is refused by file, line and field before anything is filed."""

import json
from pathlib import Path
from typing import Any

import pytest

from nodes.demo.lines import SHIPPED, InputError, read_lines

GOOD: dict[str, Any] = json.loads(SHIPPED.read_text("utf-8").splitlines()[0])


def written(tmp_path: Path, *rows: Any) -> Path:
    file = tmp_path / "some.jsonl"
    file.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows), "utf-8")
    return file


def test_the_shipped_input_can_be_read() -> None:
    lines = read_lines()
    assert len(lines) >= 300
    assert [line.number for line in lines] == list(range(1, len(lines) + 1))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"at": "tomorrow"}, "at"),
        ({"at": "2026-09-14T09:30"}, "at"),
        ({"request_id": None}, "request_id"),
        ({"node": "35"}, "node"),
        ({"by": "officer"}, "by"),
        ({"filing": {"mater": "HF-001"}}, "filing"),
        ({"filing": {"matter": 7}}, "filing"),
        ({"filing": {"matter": "HF-001", "materials": [{}]}}, "filing.materials"),
        ({"acts": [{}]}, "acts.0.do"),
        ({"acts": ["accept"]}, "acts.0"),
        ({"acts": [{"at": "2026-09-14T11:00+08:00", "who": "judge", "do": "accept"}]}, "acts.0.who"),
        ({"acts": [{"at": "2026-09-14T11:00+08:00", "who": "officer", "do": "win"}]}, "acts.0.do"),
        ({"acts": [{"at": "2026-09-14T11:00+08:00", "do": "accept"}]}, "acts.0.who"),
        (
            {"acts": [{"at": "2026-09-14T11:00+08:00", "who": "officer", "do": "refuse", "with": {"a": 1}}]},
            "acts.0.with",
        ),
        ({"expect": {"outcome": "perhaps"}}, "expect.outcome"),
        ({"expect": {"outcome": "filed"}}, "expect.competent"),
        ({"expect": {"outcome": "refused"}}, "expect.refusal"),
        (
            {"expect": {"outcome": "refused", "refusal": {"code": "X", "fields": [1]}}},
            "expect.refusal.fields",
        ),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, change: dict[str, Any], field: str) -> None:
    with pytest.raises(InputError) as refused:
        read_lines(written(tmp_path, GOOD, {**GOOD, **change}))
    assert (refused.value.file, refused.value.line, refused.value.field) == ("some.jsonl", 2, field)


@pytest.mark.parametrize("text", ["{", "[]", '"line"', ""])
def test_what_is_no_object_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError):
        read_lines(written(tmp_path, text))


def test_the_reason_never_shows_a_value(tmp_path: Path) -> None:
    filing = {**GOOD["filing"], "applicant": {"id_no": ["110101199003077571"]}}
    with pytest.raises(InputError) as refused:
        read_lines(written(tmp_path, {**GOOD, "filing": filing}))
    assert "110101" not in str(refused.value)
