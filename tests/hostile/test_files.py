"""Every harm of the table in a file of filings, beside it, or on the command line: told by column or flag."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest
from typer.testing import Result

from nodes.cli.filing.table import guarded, plain
from tests.hostile.over_files import FILES, FLAGS, FORMULAS, Given, Typed
from tests.hostile.world import assert_clean
from tests.integration.cli.conftest import Run, defaults, node, quiet_forks, run
from tests.integration.cli.double import NodeDouble, requests_of
from tests.integration.rpc.faces import IDENTITY

__all__ = ["defaults", "node", "quiet_forks", "run"]
CHANGING = ("FileRequest", "ActRequest", "UploadHeader", "ReplayDeadRequest", "DropDeadRequest")


def assert_told(result: Result, node: NodeDouble, end: int, says: str, hostile: str) -> None:
    said = f"{result.output}{result.stderr}"
    assert result.exit_code == end, said
    assert says in said, said
    assert_clean(said, *filter(None, [hostile]))
    assert "\x1b" not in said
    for kind in CHANGING:
        assert not requests_of(node, kind), kind


@pytest.mark.parametrize("case", FILES, ids=lambda case: case.name)
def test_harm_in_a_file_is_told_and_nothing_is_filed(
    run: Run, node: NodeDouble, tmp_path: Path, case: Given
) -> None:
    file = tmp_path / case.file
    file.write_bytes(case.content)
    if case.beside is not None:
        (tmp_path / case.beside[0]).write_bytes(case.beside[1])
    before = {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    result = run("file", "--from", str(file), "--node", node.address, columns=300)
    assert_told(result, node, case.end, case.says, case.hostile)
    assert all(path.read_bytes() == content for path, content in before.items())


@pytest.mark.parametrize("case", FLAGS, ids=lambda case: case.name)
def test_harm_on_the_command_line_is_told_and_nothing_is_done(
    run: Run, node: NodeDouble, case: Typed
) -> None:
    result = run(*case.words, "--node", node.address, columns=300)
    assert_told(result, node, case.end, case.says, case.hostile)


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_rejected_line_is_no_formula_in_any_spreadsheet(
    run: Run, node: NodeDouble, tmp_path: Path, formula: str
) -> None:
    file = tmp_path / "cases.csv"
    with file.open("w", encoding="utf-8", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(["matter", "origin_area", "applicant_name", "applicant_id_no"])
        rows.writerow(["HF-003", "32", formula, IDENTITY])
    assert run("file", "--from", str(file), "--node", node.address).exit_code == 5
    (_, row) = csv.reader((tmp_path / "cases.rejected.csv").read_text("utf-8-sig").splitlines())
    assert row[2] == guarded(formula)
    assert row[2].startswith("'")
    assert plain(row[2]) == formula


def test_a_materials_name_from_outside_is_no_path(run: Run, node: NodeDouble, tmp_path: Path) -> None:
    """A path that the one who files names himself is read; its last part alone is told to anybody."""
    outside = tmp_path / "else" / "secret.pdf"
    outside.parent.mkdir()
    outside.write_bytes(b"%PDF-1.4 x")
    name = os.path.relpath(outside, Path.cwd())
    words = ("file", "--matter", "HF-003", "--origin", "320509", "--name", "x", "--id", "110101199003077571")
    run(*words, "--material", f"id_card={name}", "--consent", "c", "--node", node.address)
    (asked,) = requests_of(node, "FileRequest")
    assert [m.file_name for m in asked.filing.materials] == ["secret.pdf"]
