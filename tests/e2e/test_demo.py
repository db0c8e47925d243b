"""`tongban demo`: the whole shipped input through four nodes, on files; some of it on servers.

What came of it is said by the command, and then read from the four databases and the bus by the checker,
which takes no node's word.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nodes.demo.lines import SHIPPED
from tests.fault.checker.judge import Places, check
from tests.integration.servers.clearing import cleared
from tests.servers.kafka import Kafka
from tests.servers.postgres import Postgres

REGIONS = ("31", "32", "33", "34")
WITHIN_S = 540.0
"""On a machine that others use too; by itself the rehearsal takes a tenth of it."""


def demo(*arguments: str, width: int = 80, lang: str = "en") -> subprocess.CompletedProcess[str]:
    """The command, to its end."""
    own = {"COLUMNS": str(width), "TONGBAN_LANG": lang, "NO_COLOR": "1"}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TONGBAN_")}
    return subprocess.run(
        [sys.executable, "-m", "nodes", "demo", *arguments],
        env={**kept, **own}, capture_output=True, text=True, timeout=WITHIN_S, check=False,
    )  # fmt: skip


def some_lines() -> Iterator[dict[str, Any]]:
    """Two that are granted, one that is refused."""
    wanted = {"filed": 2, "refused": 1}
    for row in SHIPPED.read_text("utf-8").splitlines():
        line: dict[str, Any] = json.loads(row)
        outcome = line["expect"]["outcome"]
        if wanted.get(outcome) and not line.get("again") and "parts" not in line["expect"]:
            wanted[outcome] -= 1
            yield line


def written(folder: Path, lines: list[dict[str, Any]]) -> Path:
    """Those lines as an input of its own, with the answers of the registers beside it."""
    folder.mkdir()
    (folder / "registers.json").write_bytes(SHIPPED.with_name("registers.json").read_bytes())
    file = folder / "filings.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    return file


@pytest.mark.timeout(WITHIN_S + 60)
def test_the_shipped_input_comes_to_what_it_should(tmp_path: Path) -> None:
    place = tmp_path / "demo"
    ended = demo("--json", "--dir", str(place))
    assert ended.returncode == 0, ended.stdout[-2000:] + ended.stderr[-2000:]
    said = json.loads(ended.stdout)
    assert said["ok"]
    assert said["differences"] == []
    assert said["trace_problems"] == []
    assert said["lines"] == len(SHIPPED.read_text("utf-8").splitlines()) >= 300
    assert said["cases"] + said["refused"] <= said["lines"]
    pairs = {(pair["origin"], pair["competent"]) for pair in said["pairs"]}
    assert pairs == {(origin, competent) for origin in REGIONS for competent in REGIONS}
    assert {"holder", "light", "due", "state"} <= said["story"]["steps"][0].keys()
    urls = {region: f"sqlite:///{place / region}.db" for region in REGIONS}
    verdict = asyncio.run(check(Places(databases=urls, bus=f"sqlite:///{place / 'bus.db'}")))
    assert not verdict.violations
    assert verdict.counts["cases"] >= said["cases"]


@pytest.mark.timeout(WITHIN_S + 60)
def test_a_wrong_expectation_ends_the_command_with_9_and_the_name_of_its_line(tmp_path: Path) -> None:
    first, second, third = some_lines()
    second["expect"]["decision_due"] = "2026-12-31T17:30+08:00"
    third["expect"]["refusal"]["code"] = "ANOTHER"
    source = written(tmp_path / "input", [first, second, third])
    asked = ("--input", str(source), "--day-s", "0.01", "--case", first["request_id"])
    ended = demo(*asked, "--dir", str(tmp_path / "demo"), width=60, lang="zh")
    assert ended.returncode == 9, ended.stdout + ended.stderr
    told = ended.stdout.replace("\n", " ")
    assert f"{second['request_id']} decision_due" in told
    assert f"{third['request_id']} refusal.code" in told
    assert f"{first['request_id']} " not in told.partition("与预期不符")[2]
    assert "已办结" in told  # the case that is told
    assert "make up" in told


@pytest.mark.timeout(WITHIN_S + 60)
def test_it_runs_on_kafka_and_postgresql_and_only_on_empty_ones(
    kafka: Kafka, postgres: Postgres, tmp_path: Path
) -> None:
    asyncio.run(cleared(kafka.bootstrap))
    for region in REGIONS:
        postgres.execute(f"drop database if exists tongban_{region} with (force)")
    source = written(tmp_path / "input", list(some_lines()))
    asked = ("--input", str(source), "--day-s", "0.01", "--bus", kafka.url, "--database", postgres.base_url)
    ended = demo(*asked, "--json", "--dir", str(tmp_path / "demo"))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert json.loads(ended.stdout)["cases"] == 2
    again = demo(*asked, "--dir", str(tmp_path / "demo"))
    assert again.returncode == 10
    assert "has cases" in again.stderr


def test_a_bad_input_ends_the_command_before_anything_starts(tmp_path: Path) -> None:
    first, *_ = some_lines()
    source = written(tmp_path / "input", [first, {**first, "node": "35"}])
    ended = demo("--input", str(source), "--dir", str(tmp_path / "demo"))
    assert ended.returncode == 3
    assert "filings.jsonl:2: node" in ended.stderr
    assert not (tmp_path / "demo").exists()


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "diary").write_text("mine")
    ended = demo("--dir", str(tmp_path))
    assert ended.returncode == 10
    assert str(tmp_path) in ended.stderr.replace("\n", "")
    assert [file.name for file in tmp_path.iterdir()] == ["diary"]
