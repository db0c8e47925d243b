"""A double of a node on a real port, and the command line that talks to it."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from nodes.cli.app import build_app
from nodes.cli.defaults import Defaults
from tests.integration.cli.double import NodeDouble

Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def quiet_forks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("FORCE_COLOR", "PY_COLORS", "GITHUB_ACTIONS", "TERMINAL_WIDTH"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def node() -> Iterator[NodeDouble]:
    with NodeDouble("32") as double:
        yield double


@pytest.fixture
def defaults(tmp_path: Path) -> Defaults:
    return Defaults(
        lang="en",
        version="0.1.0",
        serve=lambda _settings: 0,
        demo=lambda _settings, _options: 0,
        nodes_file=tmp_path / "nodes.json",
        timeout_s=5.0,
    )


@pytest.fixture
def running(defaults: Defaults) -> Callable[..., None]:
    """Notes down the nodes that run, as `make up` does."""

    def note(*nodes: NodeDouble) -> None:
        defaults.nodes_file.write_text(json.dumps({found.region: found.address for found in nodes}))

    return note


@pytest.fixture
def run(defaults: Defaults) -> Run:
    """Run a command; columns, environment and defaults may be said."""

    def invoke(
        *arguments: str, columns: int = 80, env: Mapping[str, str] | None = None, **changed: Any
    ) -> Result:
        app = build_app(replace(defaults, **changed))
        said = {"COLUMNS": str(columns), "NO_COLOR": "1", "TERM": "dumb", **(env or {})}
        return CliRunner().invoke(app, list(arguments), env=said)

    return invoke
