"""Registers of a rehearsal: they answer for whom the file names, and say nothing of anybody else."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from nodes.cases.filing import Filing
from nodes.demo.registers import read_registers, rehearsal

ANSWERS = {"fund.accounts": "1"}


def filing(matter: str, id_no: str) -> Filing:
    return cast("Filing", SimpleNamespace(matter=matter, applicant=SimpleNamespace(id_no=id_no)))


def test_it_answers_by_matter_and_number(tmp_path: Path) -> None:
    file = tmp_path / "registers.json"
    file.write_text(json.dumps({"HF-005": {"A1": ANSWERS}}))
    asked = read_registers(file)
    assert asked(filing("HF-005", "A1")) == ANSWERS
    assert asked(filing("HF-005", "B2")) == asked(filing("HF-006", "A1")) == {}


def test_without_the_file_nobody_is_known(tmp_path: Path) -> None:
    assert read_registers(tmp_path / "none.json")(filing("HF-005", "A1")) == {}


@pytest.mark.parametrize(
    ("text", "reason"), [("{", "is not JSON"), ("[]", "must be"), ('{"a": 1}', "must be")]
)
def test_a_file_that_is_no_table_is_refused_by_name(tmp_path: Path, text: str, reason: str) -> None:
    file = tmp_path / "registers.json"
    file.write_text(text)
    with pytest.raises(ValueError, match=f"registers.json: {reason}"):
        read_registers(file)


def test_nodes_of_their_own_processes_have_the_shipped_answers() -> None:
    shipped: Any = json.loads((Path(__file__).parents[3] / "nodes/demo/data/registers.json").read_text())
    matter, numbers = next(iter(shipped.items()))
    number, answers = next(iter(numbers.items()))
    assert rehearsal()(filing(matter, number)) == answers
