"""A place is asked for until the answer is one."""

import io

import pytest
from rich.console import Console

from nodes.cli.filing.asking import ask_area
from nodes.cli.terminal import Terminal
from nodes.cli.words import words


@pytest.mark.parametrize(
    ("answers", "code", "told"),
    [
        (["310000"], "310000", "Where [is] it?"),
        (["上海市"], "310000", ""),
        (["吴江"], "320509", ""),
        (["", "Atlantis", "320509"], "320509", "no such place"),
        (["杭州", "330106"], "330106", "330106  西湖区"),
        (["上海", "310000"], "310000", "5 more"),
    ],
)
def test_the_answer_is_an_area(
    monkeypatch: pytest.MonkeyPatch, answers: list[str], code: str, told: str
) -> None:
    left = iter(answers)
    monkeypatch.setattr("builtins.input", lambda *_: next(left))
    err = Console(file=io.StringIO(), width=100)
    assert ask_area(Terminal(words("en"), err=err), "Where [is] it?") == code
    assert isinstance(err.file, io.StringIO)
    assert told in err.file.getvalue()
    assert not list(left)
