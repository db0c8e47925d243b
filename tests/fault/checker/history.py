"""The history of a run: one JSON object a line, a line a call, in the order in which the calls ended.

Knows the form of a line. The load generator writes it while it runs, the checker reads it afterwards; a last
line that was cut off by a kill is left out.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Self, TextIO

from tests.fault.checker.facts import Call


class History:
    """The file while it is being written; a line is flushed as soon as its call has ended."""

    def __init__(self, path: Path) -> None:
        self._file: TextIO = path.open("a", encoding="utf-8")

    def note(self, call: Call) -> None:
        """One call has ended."""
        self._file.write(json.dumps(asdict(call), ensure_ascii=False) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Nothing more will be noted."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read_history(path: Path) -> list[Call]:
    """Every call. Raises ValueError naming the line for one that is no call."""
    calls = []
    text = path.read_text(encoding="utf-8")
    for at, line in enumerate(text.split("\n")[:-1], 1):
        try:
            calls.append(Call(**json.loads(line)))
        except (TypeError, ValueError) as error:
            raise ValueError(f"history: line {at} is no call: {error}") from None
    return calls
