"""What can go wrong, as one class: an exit code, a stable code, words in both languages, what to do next.

Knows the statuses of gRPC and `tongban.v1.ErrorDetail`. Must not print: `front` does.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

import grpc
from grpc_status import rpc_status

from nodes.cli.exits import Exit
from nodes.cli.terminal import Terminal, clean
from nodes.cli.words import TABLE, Said, both
from nodes.rpc.codes import TABLE as CODES
from tongban.v1.errors_pb2 import ErrorDetail, FieldError

BY_STATUS: Final = {
    grpc.StatusCode.INVALID_ARGUMENT: Exit.REFUSED,
    grpc.StatusCode.FAILED_PRECONDITION: Exit.REFUSED,
    grpc.StatusCode.ALREADY_EXISTS: Exit.REFUSED,
    grpc.StatusCode.OUT_OF_RANGE: Exit.REFUSED,
    grpc.StatusCode.ABORTED: Exit.REFUSED,
    grpc.StatusCode.NOT_FOUND: Exit.NOT_FOUND,
    grpc.StatusCode.PERMISSION_DENIED: Exit.NOT_PERMITTED,
    grpc.StatusCode.UNAUTHENTICATED: Exit.NOT_PERMITTED,
    grpc.StatusCode.UNAVAILABLE: Exit.UNREACHABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED: Exit.UNREACHABLE,
    grpc.StatusCode.RESOURCE_EXHAUSTED: Exit.BUSY,
    grpc.StatusCode.CANCELLED: Exit.INTERRUPTED,
}
"""Exit code by status; any other status is UNEXPECTED."""

FLAGS: Final = MappingProxyType(
    {
        "actor.role": "--as",
        "actor.id": "--account",
        "actor.authority": "--authority",
        "request_id": "--request-id",
        "expected_version": "--expect-version",
        "client": "--client",
        "case_number": "CASE",
        "id": "ID",
    }
)
"""What a command calls a field that every request has."""

_OF_A_FIELD: Final = ("is ", "its ", "must ", "does not ")
"""How the words of a code begin that say what a field is, and nothing without it."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. field: dotted path or flag, "" for the whole; said: why, in both languages;
    shown: what the reader calls the field, "" where it is the field itself.
    """

    field: str
    code: str
    said: Said
    shown: str = ""


class Failure(Exception):
    """A command cannot go on. Raised anywhere, told once, by `front`."""

    def __init__(
        self, end: Exit, code: str, said: Said, advice: Said = ("", ""), problems: Sequence[Problem] = ()
    ) -> None:
        super().__init__(code)
        self.end = end
        self.code = code
        self.said = said
        self.advice = advice
        self.problems = tuple(problems)

    def calling(self, name: Callable[[str], str], advice: Said = ("", "")) -> Failure:
        """The same, each field called what `name` gives ("": as before), with `advice` if there is any."""
        problems = [replace(p, shown=name(p.field) or p.shown) for p in self.problems]
        return Failure(self.end, self.code, self.said, advice if any(advice) else self.advice, problems)

    def tell(self, terminal: Terminal) -> None:
        """Say it on standard error: one JSON object, or lines that end with what to do next.

        Lines are left to the terminal to wrap, so that a path or a number can be copied whole.
        """
        words = terminal.words
        if terminal.as_json:
            terminal.err.file.write(json.dumps({"error": self.data()}, ensure_ascii=False) + "\n")
            return
        from rich.text import Text

        line = Text()
        line.append(words("fail.head"), style="bold red")
        line.append(clean(words.pick(self.said)))
        if self.code:
            line.append(f"  [{clean(self.code)}]", style="dim")
        terminal.err.print(line, soft_wrap=True)
        for problem in self.problems:
            name, said = problem.shown or problem.field, words.pick(problem.said) or problem.code
            if not name and said == words.pick(self.said):
                continue
            row = Text("  ")
            if name:
                row.append(clean(name), style="bold")
                row.append(words("mark.colon"))
            row.append(clean(said))
            terminal.err.print(row, soft_wrap=True)
        if words.pick(self.advice):
            advice = Text(words("fail.next") + clean(words.pick(self.advice)), style="cyan")
            terminal.err.print(advice, soft_wrap=True)

    def data(self) -> dict[str, Any]:
        """The same as JSON data."""
        return {
            "exit_code": int(self.end),
            "code": self.code,
            "message_zh": self.said[0],
            "message_en": self.said[1],
            "fields": [
                {"field": p.field, "code": p.code, "message_zh": p.said[0], "message_en": p.said[1]}
                for p in self.problems
            ],
            "advice_zh": self.advice[0],
            "advice_en": self.advice[1],
        }


def failure(
    end: Exit, code: str, *, problems: Sequence[Problem] = (), advice: str = "", **values: object
) -> Failure:
    """A failure from the table: `fail.CODE` says what, `next.CODE` (or `advice`) what to do."""
    hint = advice or f"next.{code}"
    return Failure(
        end,
        code.upper(),
        both(f"fail.{code}", **values),
        both(hint, **values) if hint in TABLE else ("", ""),
        problems,
    )


def problem_of(wrong: FieldError) -> Problem:
    """A field error of the contract, what its code means before what is said of this field."""
    english, own = wrong.message_en, CODES.get(wrong.code)
    if own is not None and english and own.en.startswith("is ") and not english.startswith(own.en):
        english = f"{own.en}: {english}"
    return Problem(wrong.field, wrong.code, (wrong.message_zh, english), FLAGS.get(wrong.field, ""))


def said_of(code: str, details: str = "") -> Said:
    """What a refusal's code means; the details as given for one that this release does not know."""
    known = CODES.get(code)
    return (known.zh, known.en) if known else (details or code, details or code)


def advice_of(detail: ErrorDetail) -> Said:
    """What to do next: what the node advises, else what its code advises."""
    known = CODES.get(detail.code)
    said = (detail.advice_zh, detail.advice_en)
    return (known.do_zh, known.do_en) if known and not any(said) else said


def detail_of(error: grpc.RpcError) -> ErrorDetail | None:
    """The ErrorDetail that travels with a status, if there is one that can be read."""
    try:
        status = rpc_status.from_call(error)
    except ValueError:
        return None
    found = ErrorDetail()
    for packed in status.details if status is not None else ():
        if packed.Unpack(found):
            return found
    return None


def refused(error: grpc.RpcError, address: str) -> Failure:
    """The failure that a node's status stands for."""
    status, details = error.code(), error.details() or ""
    end = BY_STATUS.get(status, Exit.UNEXPECTED)
    detail = detail_of(error)
    if detail is not None:
        said = said_of(detail.code, details)
        problems = [problem_of(wrong) for wrong in detail.fields]
        if said[1].startswith(_OF_A_FIELD) and any(problem.field for problem in problems):
            said = both("fail.entries")
        return Failure(end, detail.code, said, advice_of(detail), problems)
    key = status.name.lower()
    if f"fail.{key}" not in TABLE:
        key = "internal"
    told = failure(end, key, address=address, details=details)
    return Failure(end, status.name, told.said, told.advice)
