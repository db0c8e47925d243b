"""The locks say what pyproject.toml asks for, pin everything, and are what is installed."""

import re
import subprocess
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.house.project import ROOT, pyproject

LOCKS = ("requirements.lock", "requirements-dev.lock")


@cache
def entries(lock: str) -> dict[str, tuple[Requirement, str]]:
    """Name -> (the pinned requirement, the text that follows it in the lock)."""
    blocks = re.split(r"\n(?=\S)", (ROOT / lock).read_text(encoding="utf-8"))
    found: dict[str, tuple[Requirement, str]] = {}
    for block in blocks:
        line, _, rest = block.partition("\n")
        requirement = Requirement(line.rstrip("\\ "))
        found[canonicalize_name(requirement.name)] = (requirement, rest)
    return found


def asked(lock: str) -> dict[str, Requirement]:
    wanted = list(pyproject()["project"]["dependencies"])
    if lock == "requirements-dev.lock":
        wanted += pyproject()["dependency-groups"]["dev"]
    return {canonicalize_name(r.name): r for r in map(Requirement, wanted)}


@pytest.mark.parametrize("lock", LOCKS)
def test_the_lock_is_in_step_with_pyproject(lock: str) -> None:
    from_us = {name for name, (_, rest) in entries(lock).items() if "tongban (pyproject.toml" in rest}
    assert from_us == set(asked(lock)), "compile the locks again (CONTRIBUTING.md says how)"


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_is_exact_satisfies_pyproject_and_has_hashes(lock: str) -> None:
    wanted = asked(lock)
    for name, (requirement, rest) in entries(lock).items():
        pins = list(requirement.specifier)
        assert [pin.operator for pin in pins] == ["=="], requirement
        assert "--hash=sha256:" in rest, requirement
        if name in wanted:
            assert wanted[name].specifier.contains(pins[0].version, prereleases=True), requirement


def test_both_locks_pin_the_same_versions() -> None:
    development = entries("requirements-dev.lock")
    for name, (requirement, _) in entries("requirements.lock").items():
        assert development[name][0].specifier == requirement.specifier, name


def test_what_is_installed_is_what_the_lock_pins() -> None:
    wrong = []
    for name, (requirement, _) in entries("requirements-dev.lock").items():
        if requirement.marker and not requirement.marker.evaluate():
            continue
        try:
            installed = version(name)
        except PackageNotFoundError:
            installed = "nothing"
        if not requirement.specifier.contains(installed if installed != "nothing" else "0", prereleases=True):
            wrong.append(f"{requirement}: {installed} is installed")
    assert not wrong, wrong


def test_the_console_script_and_both_import_roots_are_installed() -> None:
    assert (ROOT / ".venv/bin/tongban").exists()
    done = subprocess.run(
        [sys.executable, "-c", "import broker, nodes, regions, tongban.v1"],
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
