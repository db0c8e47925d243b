"""Where the project's files are, and which of them are ours: what the tests of the house look at."""

import ast
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("broker", "nodes", "regions", "tools", "benchmarks", "tests")


@cache
def pyproject() -> dict[str, Any]:
    """pyproject.toml, parsed."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@cache
def tracked() -> tuple[str, ...]:
    """Paths from the root of every file that git tracks and that still stands."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)
    return tuple(name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file())


def is_generated(name: str) -> bool:
    """Written by protoc or mypy-protobuf."""
    return name.startswith("proto/") and "_pb2" in name


def modules(*rooms: str) -> Iterator[str]:
    """Paths from the root of the hand-written modules in these rooms (in all of ours if none is named)."""
    for name in tracked():
        if name.endswith(".py") and name.startswith(tuple(f"{room}/" for room in rooms or ROOMS)):
            yield name


def tree(name: str) -> ast.Module:
    """The syntax tree of a module given by its path from the root."""
    return ast.parse((ROOT / name).read_text(encoding="utf-8"), filename=name)


def imports(name: str) -> Iterator[str]:
    """The dotted names that a module imports, wherever in it."""
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
