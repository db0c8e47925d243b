"""Every screen as a reader sees it, in both languages, at 80 and 120 columns, against kept text."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from typer.main import get_command

from nodes.cli.app import build_app
from nodes.cli.defaults import Defaults
from tests.integration.cli import canned, golden
from tests.integration.cli.conftest import Run
from tests.integration.cli.double import NodeDouble

SCREENS = {
    "track": ("track", canned.NUMBER),
    "cases": ("cases", "--limit", "2", "--region", "32"),
    "trace": ("trace", canned.NUMBER),
    "dead-list": ("dead", "list", "--region", "32"),
    "dead-show": ("dead", "show", "dl-7", "--region", "32"),
    "act-asked": ("act", "withdraw", canned.NUMBER, "--reason", "moved away"),
    "matters": ("matters", "公积金"),
    "areas": ("areas", "姑苏"),
    "exit-codes": ("help-exit-codes",),
    "file": (
        *(
            "file",
            "--matter",
            "HF-003",
            "--origin",
            "320509",
            "--name",
            "warned",
            "--id",
            "110101199003077571",
        ),
        *("--place", "fund_centre=310000", "--reuse", "--request-id", "r-1"),
    ),
}


@pytest.mark.parametrize("columns", [80, 120])
@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("name", sorted(SCREENS))
def test_screen(
    run: Run, node: NodeDouble, running: Callable[..., None], name: str, lang: str, columns: int
) -> None:
    running(node)
    result = run(*SCREENS[name], "--lang", lang, columns=columns)
    lines = result.output.splitlines()
    assert not result.exception or isinstance(result.exception, SystemExit)
    golden.check(f"{name}.{lang}.{columns}", "\n".join(line.rstrip() for line in lines) + "\n")


def every_command() -> list[tuple[str, ...]]:
    def below(command: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        yield path
        for name, inner in getattr(command, "commands", {}).items():
            yield from below(inner, (*path, name))

    nothing = Defaults(lang="en", version="", serve=lambda _s: 0, demo=lambda _s, _o: 0)
    return list(below(get_command(build_app(nothing)), ()))


def test_every_command_explains_itself_whole_in_both_languages(run: Run) -> None:
    for path in every_command():
        for lang in ("zh", "en"):
            result = run("--lang", lang, *path, "--help")
            assert result.exit_code == 0, path
            assert ("显示本说明后退出" in result.output) == (lang == "zh"), path
            assert "…" not in result.output, f"{path}: something is cut off"
            assert "help." not in result.output, f"{path}: a key was not put into words"
            assert "panel." not in result.output, path
