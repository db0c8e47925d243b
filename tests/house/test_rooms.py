"""Who may import whom, and what no room may use: the rules of docs/house.md that a machine can hold."""

import ast
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.project import ROOT, imports, modules, tree

MOST_LINES = 400
MEDIAN_LINES = 150

IMPURE = frozenset(
    {
        "asyncio",
        "concurrent",
        "logging",
        "multiprocessing",
        "os",
        "pathlib",
        "queue",
        "random",
        "secrets",
        "selectors",
        "signal",
        "socket",
        "sqlite3",
        "subprocess",
        "tempfile",
        "threading",
        "time",
        "urllib",
        "uuid",
    }
)
"""Modules of the standard library that wait, read a clock, draw a number or touch the machine."""

IMPURE_CALLS = {("datetime", "now"), ("datetime", "today"), ("datetime", "utcnow"), ("date", "today")}

READS_THE_ENVIRONMENT = "nodes/settings.py"


def line_counts() -> dict[str, int]:
    return {name: len((ROOT / name).read_text(encoding="utf-8").splitlines()) for name in modules()}


def test_the_import_contracts_are_kept() -> None:
    contracts = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(contracts, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_module_is_longer_than_the_house_allows() -> None:
    long = {name: lines for name, lines in line_counts().items() if lines > MOST_LINES}
    assert not long, f"over {MOST_LINES} lines, each may be hiding a room: {long}"


def test_the_median_module_is_short() -> None:
    counts = [lines for name, lines in line_counts().items() if lines and not name.startswith("tests/")]
    assert not counts or statistics.median(counts) < MEDIAN_LINES


def test_the_pure_machine_uses_the_standard_library_and_the_facts_alone() -> None:
    allowed = (sys.stdlib_module_names - IMPURE) | {"regions"}
    strange = {
        f"{name}: {imported}"
        for name in modules("nodes/cases")
        for imported in imports(name)
        if imported.split(".")[0] not in allowed and not f"{imported}.".startswith("nodes.cases.")
    }
    assert not strange


def test_the_pure_machine_neither_waits_nor_reads_a_clock() -> None:
    impure = []
    for name in modules("nodes/cases"):
        for node in ast.walk(tree(name)):
            if isinstance(node, ast.AsyncFunctionDef | ast.Await):
                impure.append(f"{name}:{node.lineno} waits")
            if isinstance(node, ast.Attribute) and (ast.unparse(node.value), node.attr) in IMPURE_CALLS:
                impure.append(f"{name}:{node.lineno} reads the clock")
    assert not impure


def test_only_the_settings_read_the_environment() -> None:
    readers = set()
    for name in modules("broker", "nodes", "regions"):
        uses_environ = any(
            isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}
            for node in ast.walk(tree(name))
        )
        if uses_environ or any(imported.split(".")[0] == "pydantic_settings" for imported in imports(name)):
            readers.add(name)
    assert readers <= {READS_THE_ENVIRONMENT}


def test_only_start_and_assembly_import_the_settings() -> None:
    importers = {
        name for name in modules("broker", "nodes", "regions") if "nodes.settings" in set(imports(name))
    }
    assert importers <= {"nodes/__main__.py", "nodes/assembly.py"}


@pytest.mark.parametrize("room", ["nodes", "broker", "regions"])
def test_the_server_tests_of_the_house_import_none_of_ours(room: str) -> None:
    assert not [
        name
        for name in modules("tests/servers")
        if any(imported.split(".")[0] in {room, "tongban"} for imported in imports(name))
    ]


def test_every_module_says_at_its_door_what_it_is() -> None:
    silent = [
        name
        for name in modules("broker", "nodes", "regions", "tools", "benchmarks")
        if (body := tree(name)).body and ast.get_docstring(body) is None
    ]
    assert not silent
