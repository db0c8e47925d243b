"""Files of filings: encodings, separators, broken lines, and what spreadsheets would do."""

import json
from pathlib import Path

import pytest

from nodes.cli.exits import Exit
from nodes.cli.failures import Failure
from nodes.cli.filing import form
from nodes.cli.filing.table import Line, guarded, plain, read_table

HEAD = "matter,origin_area,applicant_name,applicant_id_no"
ROW = "HF-003,320509,沈小雨,110101199003077571"


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_every_usual_encoding_is_read(tmp_path: Path, encoding: str) -> None:
    table = read_table(write(tmp_path / "a.csv", f"{HEAD}\r\n{ROW}\r\n", encoding))
    assert [line.columns["applicant_name"] for line in table.lines] == ["沈小雨"]
    assert table.columns[0] == "matter"


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_every_usual_separator_is_read(tmp_path: Path, separator: str) -> None:
    text = f"{HEAD}\n{ROW}\n".replace(",", separator)
    assert read_table(write(tmp_path / "a.csv", text)).lines[0].columns["origin_area"] == "320509"


def test_a_quoted_field_may_hold_separators_quotes_and_lines(tmp_path: Path) -> None:
    text = f'{HEAD},applicant_address\n{ROW},"a, ""b""\nc"\n\n{ROW},d\n'
    first, second = read_table(write(tmp_path / "a.csv", text)).lines
    assert first.columns["applicant_address"] == 'a, "b"\nc'
    assert (first.number, second.number) == (2, 5)


def test_broken_lines_say_where_and_the_others_go_on(tmp_path: Path) -> None:
    text = f'{HEAD}\n{ROW}\n"x"y,1,2,3\n{ROW},more\n{ROW}\n'
    lines = read_table(write(tmp_path / "a.csv", text)).lines
    assert [(line.number, line.problem.code if line.problem else "") for line in lines] == [
        (2, ""),
        (3, "CSV"),
        (4, "CELLS"),
        (5, ""),
    ]


def test_an_unknown_column_stops_the_whole_file_and_is_guessed_at(tmp_path: Path) -> None:
    with pytest.raises(Failure) as refused:
        read_table(write(tmp_path / "a.csv", f"{HEAD},applicant_nam,matter\n{ROW},x,y\n"))
    assert refused.value.end is Exit.REFUSED
    assert [(problem.field, problem.code) for problem in refused.value.problems] == [
        ("matter", "COLUMN_TWICE"),
        ("applicant_nam", "COLUMN_UNKNOWN"),
    ]
    assert "applicant_name" in refused.value.problems[1].said[1]


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.csv", b"", "FILE_EMPTY"),
        ("a.csv", b"matter\nx\n", "FILE_COLUMNS"),
        ("a.csv", b"\xff\xfe\x00", "FILE_ENCODING"),
        ("a.csv", b"matter\n\xff\xff\xff", "FILE_ENCODING"),
        ("a.xlsx", b"PK", "FILE_KIND"),
    ],
)
def test_files_that_cannot_be_used_are_refused(tmp_path: Path, name: str, content: bytes, code: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(Failure) as refused:
        read_table(tmp_path / name)
    assert refused.value.code == code


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Failure) as refused:
        read_table(tmp_path / "none.csv")
    assert refused.value.code == "FILE_OPEN"


def test_json_lines_may_nest_and_broken_ones_are_named(tmp_path: Path) -> None:
    good = {
        "matter": "HF-003",
        "origin_area": "320509",
        "places": {"fund_centre": "310000"},
        "facts": {"children": 2},
        "materials": {"id_card": "a.pdf"},
        "reuse_held": True,
    }
    bad = ["[1]", "{", '{"matter": 1.5}', '{"matter": "a", "matter": "b"}', "[" * 100_000]
    text = "\n".join([json.dumps(good), *bad, json.dumps({"matter": "x"})])
    lines = read_table(write(tmp_path / "a.jsonl", text)).lines
    assert lines[0].columns == {
        "matter": "HF-003",
        "origin_area": "320509",
        "place_fund_centre": "310000",
        "fact_children": "2",
        "materials": "id_card=a.pdf",
        "reuse_held": "yes",
    }
    codes = [line.problem.code for line in lines if line.problem]
    assert codes == ["JSON", "JSON", "TEXT", "COLUMN_TWICE", "JSON"]
    assert lines[-1] == Line(7, {"matter": "x"})


@pytest.mark.parametrize("cell", ["=1+1", "+8613800000000", "-2", "@cmd", "\tx", "'quoted", "plain", "", "'"])
def test_a_guarded_cell_is_no_formula_and_comes_back_as_it_was(cell: str) -> None:
    assert not guarded(cell).startswith(("=", "+", "-", "@", "\t", "\r"))
    assert plain(guarded(cell)) == cell


def filing(**columns: str) -> form.Form:
    given = dict(zip(HEAD.split(","), ROW.split(","), strict=True))
    return form.read({**given, **columns}, Path(), channel="batch")


def test_columns_become_a_filing() -> None:
    found = filing(
        place_insured="330106", fact_children="2", part_area_2="310115", agent_name="吴", mandate="M-1"
    )
    assert found.filing.places.insured == "330106"
    assert dict(found.filing.facts) == {"children": "2"}
    assert dict(found.filing.part_areas) == {2: "310115"}
    assert found.filing.agent.name == "吴"
    assert found.filing.applicant.kind == "person"
    assert found.filing.applicant.id_type == "identity_card"
    assert filing(applicant_kind="enterprise").filing.applicant.id_type == "credit_code"
    assert filing(applicant_id_type="credit_code").filing.applicant.kind == "enterprise"
    assert filing(filed_by="window").filing.channel == "window"


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("matter", " ", "MISSING"),
        ("origin_area", "3205", "MALFORMED_CODE"),
        ("origin_area", "３２０５０９", "MALFORMED_CODE"),
        ("place_household", "x", "MALFORMED_CODE"),
        ("place_nowhere", "320509", "COLUMN_UNKNOWN"),
        ("applicant_name", "a\x00b", "CONTROL_CHARACTER"),
        ("applicant_name", "a\x1b[31m", "CONTROL_CHARACTER"),
        ("applicant_address", "x" * 5000, "TOO_LONG"),
        ("applicant_kind", "cat", "ONE_OF"),
        ("reuse_held", "perhaps", "ONE_OF"),
        ("materials", "id_card", "MATERIAL_FORM"),
        ("materials", "id_card=../no/such.pdf", "MATERIAL_FILE"),
        ("materials", "id_card=a\x00", "CONTROL_CHARACTER"),
        ("agent_id_no", "1", "MISSING"),
    ],
)
def test_a_bad_column_is_named(name: str, text: str, code: str) -> None:
    with pytest.raises(Failure) as refused:
        filing(**{name: text})
    assert [problem.code for problem in refused.value.problems] == [code]


def test_content_that_a_node_has_already_is_named_by_digest() -> None:
    found = filing(materials=f"id_card=sha256:{'ab' * 32}:120:application/pdf").papers[0]
    assert (found.path, found.sha256, found.size) == (None, b"\xab" * 32, 120)
