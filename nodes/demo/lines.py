"""The input of a rehearsal: one filing a line, what people do with it, what must come of it.

Knows the form of data/README.md. Must not know how any of it is carried out (`play`).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import Message

from regions.region import atlas
from tongban.v1.case_service_pb2 import NewFiling
from tongban.v1.command_pb2 import Command

DATA: Final = Path(__file__).resolve().parent / "data"
SHIPPED: Final = DATA / "filings.jsonl"
ROLES: Final = frozenset({"", "applicant", "window", "officer", "head"})
AWAIT: Final = "await"
VERBS: Final = frozenset(field.name for field in Command.DESCRIPTOR.fields)
NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "filed": ("competent", "authority", "state", "notice_due", "lights", "light"),
    "refused": ("refusal",),
    "same_answer": (),
}
"""What is expected at least, by outcome."""


class InputError(ValueError):
    """A line cannot be used. file: its name; line: from 1; field: dotted path within the line."""

    def __init__(self, file: str, line: int, field: str, reason: str) -> None:
        super().__init__(f"{file}:{line}: {field}: {reason}")
        self.file = file
        self.line = line
        self.field = field
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Act:
    """What somebody does at a business time.

    who: applicant, window, officer, head, or "" for nobody (do is then await); do: a verb of Command; when:
    states in which the case is found; part: position in a joint case, 0 for the case itself; authority: acts
    for this one instead of the one in charge; refused: code with which it must be refused; beside: together
    with the next act.
    """

    at: datetime
    who: str
    do: str
    when: frozenset[str]
    part: int
    authority: str
    refused: str
    beside: bool
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Line:
    """A filing. node: region whose platform files it; by: applicant or window; again: "", same or other;
    filing: NewFiling in its JSON form; expect: what must come of it.
    """

    number: int
    request_id: str
    at: datetime
    node: str
    by: str
    title: tuple[str, str]
    faults: tuple[str, ...]
    filing: Mapping[str, Any]
    again: str
    acts: tuple[Act, ...]
    expect: Mapping[str, Any]


def read_lines(path: Path = SHIPPED) -> tuple[Line, ...]:
    """Every line of the file, in its order. Raises InputError, OSError."""
    found = []
    for number, text in enumerate(path.read_text("utf-8").splitlines(), 1):
        if text.strip():
            found.append(_Reading(path.name, number).line(text))
    if not found:
        raise InputError(path.name, 1, "", "the file has no filing")
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Reading:
    file: str
    number: int

    def wrong(self, field: str, reason: str) -> InputError:
        return InputError(self.file, self.number, field, reason)

    def line(self, text: str) -> Line:
        try:
            row = json.loads(text)
        except ValueError:
            raise self.wrong("", "is not JSON") from None
        if not isinstance(row, dict):
            raise self.wrong("", "is not an object")
        title = self.take(row, "title", dict, {})
        return Line(
            number=self.number,
            request_id=self.text(row, "request_id"),
            at=self.time(row, "at"),
            node=self.one_of(row, "node", atlas().regions),
            by=self.one_of(row, "by", ("applicant", "window")),
            title=(str(title.get("zh", "")), str(title.get("en", ""))),
            faults=tuple(self.take(row, "faults", list, [])),
            filing=self.message(row, "filing", NewFiling()),
            again=self.text(row, "again", ""),
            acts=tuple(self.act(n, act) for n, act in enumerate(self.take(row, "acts", list, []))),
            expect=self.expected(row),
        )

    def expected(self, row: dict[str, Any]) -> dict[str, Any]:
        expect: dict[str, Any] = self.take(row, "expect", dict)
        outcome = self.one_of(expect, "outcome", NEEDED, "expect")
        for name in NEEDED[outcome]:
            self.take(expect, name, object, within="expect")
        if outcome == "refused":
            refusal = self.take(expect, "refusal", dict, within="expect")
            self.text(refusal, "code", None, "expect.refusal")
            for wrong in self.take(refusal, "fields", list, None, "expect.refusal"):
                if not isinstance(wrong, dict) or not {"field", "code"} <= wrong.keys():
                    raise self.wrong("expect.refusal.fields", "each has field and code")
        return expect

    def message(self, row: dict[str, Any], name: str, form: Message, within: str = "") -> dict[str, Any]:
        """The object, after a look whether it is the JSON form of that message but for its materials."""
        found: dict[str, Any] = self.take(row, name, dict, {}, within)
        try:
            ParseDict({key: value for key, value in found.items() if key != "materials"}, form)
        except ParseError:
            raise self.wrong(
                self.path(name, within), f"is not a {form.DESCRIPTOR.name} in its JSON form"
            ) from None
        for material in self.take(found, "materials", list, [], self.path(name, within)):
            if not isinstance(material, dict) or not isinstance(material.get("code"), str):
                raise self.wrong(f"{self.path(name, within)}.materials", "each has a code")
        return found

    def one_of(self, row: dict[str, Any], name: str, known: Collection[str], within: str = "") -> str:
        found = self.text(row, name, None, within)
        if found not in known:
            raise self.wrong(self.path(name, within), f"is none of {', '.join(known)}")
        return found

    def act(self, position: int, row: Any) -> Act:
        within = f"acts.{position}"
        if not isinstance(row, dict):
            raise self.wrong(within, "is not an object")
        who = self.text(row, "who", "", within)
        if who not in ROLES:
            raise self.wrong(f"{within}.who", "is nobody who acts")
        do = self.one_of(row, "do", {*VERBS, AWAIT}, within)
        if (do == AWAIT) != (who == ""):
            raise self.wrong(f"{within}.who", f"does {do}?")
        fields = self.take(row, "with", dict, {}, within)
        if do != AWAIT:
            self.message(row, "with", getattr(Command(), do), within)
        return Act(
            at=self.time(row, "at", within),
            who=who,
            do=do,
            when=frozenset(filter(None, self.text(row, "when", "", within).split("|"))),
            part=self.take(row, "part", int, 0, within),
            authority=self.text(row, "authority", "", within),
            refused=self.text(row, "refused", "", within),
            beside=self.take(row, "beside", bool, default=False, within=within),
            fields=fields,
        )

    def text(self, row: dict[str, Any], name: str, default: str | None = None, within: str = "") -> str:
        found: str = self.take(row, name, str, default, within)
        return found

    def time(self, row: dict[str, Any], name: str, within: str = "") -> datetime:
        try:
            found = datetime.fromisoformat(self.text(row, name, None, within))
        except ValueError:
            raise self.wrong(self.path(name, within), "is not a time") from None
        if found.tzinfo is None:
            raise self.wrong(self.path(name, within), "has no zone")
        return found

    def take(self, row: dict[str, Any], name: str, kind: type, default: Any = None, within: str = "") -> Any:
        found = row.get(name, default)
        if found is None:
            raise self.wrong(self.path(name, within), "is missing")
        if not isinstance(found, kind):
            raise self.wrong(self.path(name, within), f"must be {kind.__name__}")
        return found

    @staticmethod
    def path(name: str, within: str) -> str:
        return f"{within}.{name}" if within else name
