"""Harm in files of filings, in what lies beside them, and on the command line: what is given, and what is told."""

# ruff: noqa: E501  # a row of the table is a line, so that it can be read as one

from __future__ import annotations

import json
from dataclasses import dataclass

from tests.hostile.texts import BIDI, OVERLONG, SQL, SURROGATE, TRAVERSAL
from tests.integration.cli import canned

HEAD = "matter,origin_area,applicant_name,applicant_id_no,materials\n"
NUMBER = "32050020260930000100001231"
REFUSED, USAGE, LINES = 3, 2, 5


@dataclass(frozen=True, slots=True)
class Given:
    """`end`: exit code; `says`: a column, a line or words that name the fault; `beside`: another file and its content."""

    name: str
    file: str
    content: bytes
    end: int
    says: str
    hostile: str = ""
    beside: tuple[str, bytes] | None = None


@dataclass(frozen=True, slots=True)
class Typed:
    """`words`: of the command."""

    name: str
    words: tuple[str, ...]
    end: int
    says: str
    hostile: str = ""


def rows(*lines: str) -> bytes:
    return (HEAD + "".join(f"{line}\n" for line in lines)).encode()


def one(**said: object) -> bytes:
    return json.dumps({"matter": "HF-003", "origin_area": "320509", **said}).encode()


FILES: list[Given] = [
    Given("JSON a hundred thousand deep", "a.jsonl", b"[" * 100_000, LINES, "too deep"),
    Given("JSON with a key twice", "a.jsonl", b'{"matter": "a", "matter": "b"}', LINES, "matter"),
    Given("JSON with a nested key twice", "a.jsonl", b'{"facts": {"a": "1", "a": "2"}}', LINES, "a"),
    Given("JSON that is no object", "a.jsonl", b'["a"]', LINES, "not an object"),
    Given("JSON that is no number", "a.jsonl", b'{"matter": NaN}', LINES, "matter"),
    Given("JSON with a number of a million digits", "a.jsonl", b'{"matter": ' + b"9" * 900_000 + b"}", LINES, "line 1"),
    Given("JSON of a million characters", "a.jsonl", one(matter="x" * 1_000_001), LINES, "line 1"),
    Given("JSON with half a character", "a.jsonl", b'{"matter": "\\ud800", "origin_area": "320509", "applicant_name": "x", "applicant_id_no": "1"}', LINES, "matter"),
    Given("NUL in a cell", "a.csv", rows("HF-003,320509,a\0b,1,"), LINES, "applicant_name"),
    Given("a terminal's commands in a cell", "a.csv", rows("HF-003,320509,a\x1b[2Jb,1,"), LINES, "applicant_name"),
    Given("bytes of no encoding", "a.csv", HEAD.encode() + b"\xff\xff\xff", REFUSED, "encoding"),
    Given("overlong UTF-8 in a file", "a.csv", HEAD.encode() + OVERLONG + b"\xff", REFUSED, "encoding"),
    Given("half a character in a file", "a.csv", HEAD.encode() + SURROGATE + b"\xff", REFUSED, "encoding"),
    Given("a column twice", "a.csv", b"matter,matter\nx,y\n", REFUSED, "matter"),
    Given("a column of SQL", "a.csv", f'{HEAD.strip()},"{SQL}"\n'.encode(), REFUSED, "column"),
    Given("a quote that never ends", "a.csv", rows('"HF-003,320509,a,1,'), LINES, "line 2"),
    Given("a cell larger than any", "a.csv", rows(f"HF-003,320509,{'x' * 5_000},1,"), LINES, "applicant_name"),
    Given("a field of a megabyte", "a.csv", rows(f"HF-003,320509,{'x' * 1_000_000},1,"), LINES, "line 2"),
    Given("more cells than columns", "a.csv", rows("HF-003,320509,a,1,,,,,,"), LINES, "line 2"),
    Given("an area in full-width digits", "a.csv", rows("HF-003,３２０５０９,a,1,"), LINES, "origin_area"),
    Given("a material that is a device", "a.csv", rows("HF-003,320509,a,1,id_card=/dev/zero"), LINES, "materials"),
    Given("a material that is a directory", "a.csv", rows("HF-003,320509,a,1,id_card=/"), LINES, "materials"),
    Given("a material by a path that is not there", "a.csv", rows(f"HF-003,320509,a,1,id_card={TRAVERSAL}.none"), LINES, "materials"),
    Given("a material by NUL", "a.jsonl", one(applicant_name="a", applicant_id_no="1", materials={"id_card": "a\x00b"}), LINES, "materials"),
    Given("a spreadsheet of another kind", "a.xlsx", b"PK\x03\x04", USAGE, ".csv or .jsonl"),
    Given("results of another file", "a.csv", rows("HF-003,320509,a,1,"), REFUSED, "results", beside=("a.csv.results.jsonl", b'{"input_sha256": "0", "client": "cli"}\n')),
    Given("results that are no JSON", "a.csv", rows("HF-003,320509,a,1,"), REFUSED, "results", beside=("a.csv.results.jsonl", b"\xff\xfe\n")),
    Given("results a hundred thousand deep", "a.csv", rows("HF-003,320509,a,1,"), REFUSED, "results", beside=("a.csv.results.jsonl", b"[" * 100_000 + b"\n")),
    Given("results that are a list", "a.csv", rows("HF-003,320509,a,1,"), REFUSED, "results", beside=("a.csv.results.jsonl", b"[]\n")),
]  # fmt: skip

FLAGS: list[Typed] = [
    Typed("SQL as a case number on the command line", ("track", SQL), USAGE, "26 digits", SQL),
    Typed("a path as a case number", ("track", TRAVERSAL), USAGE, "26 digits", TRAVERSAL),
    Typed("a case number with a wrong check character", ("track", f"{NUMBER[:-1]}0"), USAGE, "check character"),
    Typed("bidi in a name that is typed", ("file", "--matter", "HF-003", "--origin", "320509", "--name", BIDI, "--id", "1"), REFUSED, "--name", BIDI),
    Typed("an area that is SQL", ("file", "--matter", "HF-003", "--origin", SQL, "--name", "x", "--id", "1"), REFUSED, "--origin", SQL),
    Typed("a page of a million", ("cases", "--limit", "1000000"), USAGE, "--limit"),
    Typed("a page of less than nothing", ("cases", "--limit", "-1"), USAGE, "--limit"),
    Typed("a time that there is not", ("act", "return-original", canned.NUMBER, "--item", "a", "--at", "2026-02-30"), USAGE, "--at"),
]  # fmt: skip

FORMULAS = ("=1+1", "+86", "-2", "@SUM(A1)", "＝1+1", "＋1", "－1", "＠x")
"""What a spreadsheet takes for a formula, in any language."""
