"""The one table of errors: stable code -> gRPC status, words, and what to do next.

Knows codes.csv beside it, which has every code that a call may be refused with, whichever room it comes
from. Must not know exceptions (faults). A code that is not there is told as FAILED_PRECONDITION with the
words it came with.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType
from typing import Final

from grpc import StatusCode


@dataclass(frozen=True, slots=True)
class Row:
    """A code. about: call, material, filing or case; zh, en: what is wrong; do_zh, do_en: what to do next,
    "" where nothing helps.
    """

    code: str
    about: str
    status: StatusCode
    zh: str
    en: str
    do_zh: str = ""
    do_en: str = ""


def _load() -> Mapping[str, Row]:
    lines = files(__package__).joinpath("codes.csv").read_text("utf-8").splitlines()
    rows = (
        Row(
            line["code"],
            line["about"],
            StatusCode[line["status"]],
            line["zh"],
            line["en"],
            line["do_zh"],
            line["do_en"],
        )
        for line in csv.DictReader(lines)
    )
    return MappingProxyType({row.code: row for row in rows})


TABLE: Final = _load()
"""Every code."""


def row(code: str) -> Row:
    """The row of a code, or one for what this release does not know."""
    return TABLE.get(code) or Row(
        code, "other", StatusCode.FAILED_PRECONDITION, "不能办理。", "cannot be done"
    )


def document() -> str:
    """The table as docs/errors.md has it."""
    lines = [
        "# Errors, by code",
        "",
        "A refused call carries `tongban.v1.ErrorDetail` in its status: a code of this table, every field",
        "that is wrong with a code of its own, words in Chinese and English, and what to do next. A line of",
        "FileMany carries the same in `refused`. Codes are stable; words may change. Drawn from",
        "`nodes/rpc/codes.csv` (a test holds it).",
    ]
    about = ""
    for line in TABLE.values():
        if line.about != about:
            about = line.about
            lines += [
                "",
                f"## {_ABOUT[about]}",
                "",
                "| code | status | 中文 | English |",
                "| --- | --- | --- | --- |",
            ]
        zh, en = line.zh + line.do_zh, "; ".join(filter(None, (line.en, line.do_en)))
        lines.append(f"| `{line.code}` | {line.status.name} | {zh} | {en} |")
    return "\n".join(lines) + "\n"


_ABOUT: Final = {
    "call": "The call",
    "material": "A material",
    "filing": "A filing",
    "case": "A verb on a case",
}
