"""Filing from a file: per-line results, going on after a break, repeating nothing."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest

from nodes.cli.filing.table import read_table
from tests.integration.cli.conftest import Run
from tests.integration.cli.double import NodeDouble, refusal

HEAD = "matter,origin_area,applicant_name,applicant_id_no,applicant_phone,place_fund_centre\n"


def rows(count: int, area: str = "320509") -> str:
    return "".join(f"HF-003,{area},沈小雨,110101199003077571,+8613800000000,310000\n" for _ in range(count))


def write(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path


def results(path: Path) -> list[dict[str, Any]]:
    lines = (path.parent / f"{path.name}.results.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines[1:]]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write(tmp_path / "cases.csv", HEAD + rows(5))


def test_each_line_gets_its_result_and_a_number(run: Run, node: NodeDouble, source: Path) -> None:
    result = run("file", "--from", str(source), "--node", node.address)
    assert result.exit_code == 0, result.output
    assert sorted(found["line"] for found in results(source)) == [2, 3, 4, 5, 6]
    assert len({found["case_number"] for found in results(source)}) == 5
    assert "5 lines: 5 filed" in result.output
    digest = read_table(source).digest[:40]
    assert set(node.filings) == {f"{digest}-{line}" for line in range(2, 7)}


def test_a_second_run_repeats_nothing(run: Run, node: NodeDouble, source: Path) -> None:
    run("file", "--from", str(source), "--node", node.address)
    before = list(node.requests)
    again = run("file", "--from", str(source), "--node", node.address)
    assert again.exit_code == 0
    assert [type(r).__name__ for r in node.requests[len(before) :]].count("FileRequest") == 0
    assert "5 lines have a result" in again.stderr


def test_a_run_that_was_killed_goes_on(run: Run, node: NodeDouble, source: Path) -> None:
    run("file", "--from", str(source), "--node", node.address)
    journal = source.parent / "cases.csv.results.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:3]) + lines[3][:20])
    node.filings.clear()
    again = run("file", "--from", str(source), "--node", node.address)
    assert again.exit_code == 0
    assert sorted(found["line"] for found in results(source)) == [2, 3, 4, 5, 6]
    assert not node.filings, "the node knows the request ids: no case was filed twice"


def test_a_stream_that_breaks_is_taken_up_again(run: Run, node: NodeDouble, source: Path) -> None:
    node.stop_after = 2
    result = run("file", "--from", str(source), "--node", node.address)
    assert result.exit_code == 0, result.output
    assert sum(node.filings.values()) == 5
    assert max(node.filings.values()) == 1


def test_a_node_that_stays_away_leaves_the_rest_for_the_next_run(run: Run, source: Path) -> None:
    gone = run("file", "--from", str(source), "--node", "127.0.0.1:1", "--region", "32")
    assert gone.exit_code == 6
    assert "run the same command again" in gone.stderr
    assert results(source) == []


def test_bad_lines_are_told_and_the_others_are_filed(run: Run, node: NodeDouble, tmp_path: Path) -> None:
    wrong = "HF-003,32,x,1,,\nHF-003,320509\n"
    source = write(tmp_path / "cases.csv", HEAD + rows(1) + wrong + "HF-999,320509,y,1,=1+1,\n" + rows(1))
    node.refuse = lambda request: (
        (grpc.StatusCode.NOT_FOUND, refusal("UNKNOWN_MATTER", "filing.matter", "无此事项", "no such matter"))
        if getattr(getattr(request, "filing", None), "matter", "") == "HF-999"
        else None
    )
    result = run("file", "--from", str(source), "--node", node.address, columns=160)
    assert result.exit_code == 5
    outcomes = {found["line"]: (found["outcome"], found["code"]) for found in results(source)}
    assert outcomes == {
        2: ("filed", ""),
        3: ("invalid", "BAD_FILING"),
        4: ("invalid", "BAD_LINE"),
        5: ("refused", "UNKNOWN_MATTER"),
        6: ("filed", ""),
    }
    assert "line 3  invalid  origin_area: must be an area code" in result.output
    assert "line 5  refused  matter: no such matter" in result.output
    rejected = (tmp_path / "cases.rejected.csv").read_text("utf-8-sig").splitlines()
    assert rejected[0] == HEAD.strip()
    assert rejected[1:] == ["HF-003,32,x,1,,", "HF-999,320509,y,1,'=1+1,"]


def test_rejected_lines_once_corrected_are_filed_from_their_own_file(
    run: Run, node: NodeDouble, tmp_path: Path
) -> None:
    source = write(tmp_path / "cases.csv", HEAD + "HF-003,32,沈小雨,1,+8613800000000,310000\n")
    run("file", "--from", str(source), "--node", node.address)
    rejected = tmp_path / "cases.rejected.csv"
    text = rejected.read_text("utf-8-sig")
    assert "'+8613800000000" in text
    rejected.write_text(text.replace(",32,", ",320509,"), "utf-8-sig")
    assert run("file", "--from", str(rejected), "--node", node.address).exit_code == 0
    filed = next(r for r in node.requests if type(r).__name__ == "FileRequest")
    assert filed.filing.applicant.phone == "+8613800000000"


def test_a_refusal_that_passes_is_tried_again(run: Run, node: NodeDouble, source: Path) -> None:
    left = [2]

    def overloaded(request: Any) -> Any:
        if type(request).__name__ != "FileRequest" or not left[0]:
            return None
        left[0] -= 1
        return (grpc.StatusCode.RESOURCE_EXHAUSTED, refusal("OVERLOADED", "", "忙", "busy"))

    node.refuse = overloaded
    assert run("file", "--from", str(source), "--node", node.address).exit_code == 0
    assert {found["outcome"] for found in results(source)} == {"filed"}


def test_each_line_goes_to_the_node_of_its_province(
    run: Run, node: NodeDouble, running: Callable[..., None], tmp_path: Path
) -> None:
    source = write(tmp_path / "cases.csv", HEAD + rows(2) + rows(1, "310115") + rows(1, "330106"))
    with NodeDouble("31") as shanghai:
        running(node, shanghai)
        result = run("file", "--from", str(source))
        assert (sum(node.filings.values()), sum(shanghai.filings.values())) == (2, 1)
    assert result.exit_code == 6
    assert "no node of region 33" in result.stderr


def test_a_changed_file_is_not_taken_for_the_old_one(run: Run, node: NodeDouble, source: Path) -> None:
    run("file", "--from", str(source), "--node", node.address)
    write(source, HEAD + rows(6))
    changed = run("file", "--from", str(source), "--node", node.address)
    assert changed.exit_code == 3
    assert "before it was changed" in changed.stderr.replace("\n", " ").replace("  ", " ")
    other = run("file", "--from", str(source), "--results", str(source.parent / "r2"), "--node", node.address)
    assert other.exit_code == 0


def test_another_client_is_refused_since_its_ids_are_others(run: Run, node: NodeDouble, source: Path) -> None:
    run("file", "--from", str(source), "--node", node.address)
    result = run("file", "--from", str(source), "--client", "hall-7", "--node", node.address)
    assert (result.exit_code, "--client cli" in result.stderr) == (3, True)


def test_json_is_one_object_a_line_and_a_summary(run: Run, node: NodeDouble, source: Path) -> None:
    result = run("file", "--from", str(source), "--json", "--node", node.address)
    *lines, last = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["outcome"] for line in lines] == ["filed"] * 5
    assert last["summary"]["filed"] == 5


def test_materials_are_uploaded_once(run: Run, node: NodeDouble, tmp_path: Path) -> None:
    (tmp_path / "card.pdf").write_bytes(b"%PDF")
    lines = [
        {
            "matter": "HF-003",
            "origin_area": "320509",
            "applicant_name": "沈",
            "applicant_id_no": "1",
            "materials": {"id_card": "card.pdf"},
        }
    ] * 3
    source = write(tmp_path / "cases.jsonl", "\n".join(json.dumps(line) for line in lines))
    assert run("file", "--from", str(source), "--node", node.address).exit_code == 0
    assert [type(request).__name__ for request in node.requests].count("UploadHeader") == 1
    assert list(node.materials.values()) == [b"%PDF"]
