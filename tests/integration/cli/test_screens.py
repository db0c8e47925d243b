"""Every screen as a reader sees it, in both languages, at 80 and 120 columns, against kept text."""

from collections.abc import Callable

import pytest

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


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("name", ["tongban", "file", "act", "act decide"])
def test_help_is_in_the_language_of_the_reader(run: Run, name: str, lang: str) -> None:
    words = name.split()[1:] if name.startswith("tongban") else name.split()
    result = run("--lang", lang, *words, "--help") if words else run("--lang", lang, "--help")
    assert result.exit_code == 0
    assert ("显示本说明后退出" in result.output) == (lang == "zh")
    assert "…" not in result.output or lang == "en" or name == "file"
