"""Lists, page by page: cursors, filters and lines.

Knows CaseFilter and CaseLine. Must not know who asks.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from nodes.cases.case import TERMINAL
from nodes.codec.errors import DecodeError
from nodes.codec.kinds import Fill, Kind, Take
from nodes.codec.texts import check_text
from nodes.codec.times import encode_time
from nodes.codec.values import KIND, LIGHT, STATE
from nodes.rpc.faults import Fault, Wrong, malformed
from nodes.rpc.ports import Looks
from nodes.store.rows import CaseCursor, CaseFilter, CaseRow
from tongban.v1 import case_service_pb2 as pb

PAGE: Final = 50
MAX_PAGE: Final = 200
MAX_STATES: Final = 50
MAX_LOOKED_AT: Final = 2_000
"""Rows that one page looks at when several states are asked for; then it ends early, with a cursor."""
_TEXTS: Final = ("matter", "origin", "competent", "owner", "authority", "lead")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A filter. `states` empty: any; `numbers` empty: any."""

    rows: CaseFilter
    states: frozenset[str]
    numbers: tuple[str, ...]

    def fits(self, row: CaseRow) -> bool:
        """Whether the row is wanted, for rows that were found by number."""
        wanted = self.rows
        pairs = [(getattr(wanted, name), getattr(row, name)) for name in (*_TEXTS, "light", "open")]
        return all(value is None or value == found for value, found in pairs) and (
            not self.states or row.state in self.states
        )


def wanted_of(message: pb.CaseFilter) -> Wanted:
    """The filter of a message. Raises Fault naming its field."""
    texts: dict[str, Any] = {}
    for name in _TEXTS:
        if text := getattr(message, name):
            try:
                check_text(text, 64)
            except DecodeError as error:
                raise malformed(f"filter.{name}", error.reason) from None
            texts[name] = text
    if len(message.case_numbers) > MAX_PAGE:
        raise malformed("filter.case_numbers", f"has more than {MAX_PAGE} items")
    numbers = tuple(dict.fromkeys(message.case_numbers))
    if any(len(n) > 64 or not n.isascii() or not n.isprintable() for n in numbers):
        raise malformed("filter.case_numbers", "has an item that is not a case number")
    if message.light:
        texts["light"] = _light(message)
    if len(message.states) > MAX_STATES:
        raise malformed("filter.states", f"has more than {MAX_STATES} items")
    try:
        states = frozenset(_state(pb.CaseLine(state=state)) for state in message.states)
    except DecodeError as error:
        raise malformed("filter.states", error.reason) from None
    is_open = message.open or (bool(states) and not states & TERMINAL)  # there the index of open cases serves
    if len(states) == 1 and not numbers:
        texts["state"] = next(iter(states))
        states = frozenset()
    ended = not is_open and texts.get("state") in TERMINAL  # and there the index of those that have ended
    return Wanted(CaseFilter(**texts, open=True if is_open else False if ended else None), states, numbers)


async def page_of(looks: Looks, wanted: Wanted, limit: int, cursor: str) -> tuple[list[CaseRow], str]:
    """The rows of a page and the next cursor, "" after the last. Raises Fault for a cursor that is none."""
    if wanted.numbers:
        found = await looks.cases(list(wanted.numbers))
        return [found[n].row for n in wanted.numbers if n in found and wanted.fits(found[n].row)], ""
    size = min(limit or PAGE, MAX_PAGE)
    after = _cursor(cursor) if cursor else None
    rows: list[CaseRow] = []
    looked = 0
    while True:
        part = await looks.page(wanted.rows, after, size)
        looked += len(part)
        for row in part:
            after = CaseCursor(row.filed_at, row.number)
            if not wanted.states or row.state in wanted.states:
                rows.append(row)
                if len(rows) == size:
                    return rows, cursor_text(after)
        if len(part) < size:
            return rows, ""
        if looked >= MAX_LOOKED_AT and after is not None:
            return rows, cursor_text(after)


def cursor_text(cursor: CaseCursor) -> str:
    """An opaque text for a caller to give back."""
    return base64.urlsafe_b64encode(f"{cursor.filed_at.isoformat()} {cursor.number}".encode()).decode()


def _cursor(text: str) -> CaseCursor:
    try:
        at, _, number = (
            base64.b64decode(text[:400], altchars=b"-_", validate=True).decode("ascii").partition(" ")
        )
        filed_at = datetime.fromisoformat(at)
        if filed_at.tzinfo is None or not number.isalnum():
            raise ValueError
        encode_time(filed_at)  # a point in time that no case can have
    except (ValueError, OverflowError, binascii.Error):
        raise Fault("CURSOR", [Wrong("cursor", "CURSOR")]) from None
    return CaseCursor(filed_at, number)


def lines_of(rows: Iterable[CaseRow]) -> list[pb.CaseLine]:
    """Rows as lines."""
    return [line_of(row) for row in rows]


def line_of(row: CaseRow) -> pb.CaseLine:
    """A row as a line."""
    line = pb.CaseLine(
        case_number=row.number,
        matter=row.matter,
        version=row.version,
        owner=row.owner,
        origin=row.origin,
        competent=row.competent,
        authority=row.authority,
        due_at=encode_time(row.due_at) if row.due_at else None,
        filed_at=encode_time(row.filed_at),
        lead=row.lead,
    )
    _fill_state(line, row.state)
    _fill_light(line, row.light)
    _fill_kind(line, row.kind)
    return line


def _filler(kind: Kind, name: str) -> Fill:
    assert kind.fill is not None
    return kind.fill(name)


def _taker(kind: Kind, name: str) -> Take:
    assert kind.take is not None
    return kind.take(name)


_fill_state: Final = _filler(STATE, "state")
_fill_light: Final = _filler(LIGHT, "light")
_fill_kind: Final = _filler(KIND, "kind")
_state: Final = _taker(STATE, "state")


def _light(message: pb.CaseFilter) -> str:
    try:
        return str(_taker(LIGHT, "light")(message))
    except DecodeError as error:
        raise malformed("filter.light", error.reason) from None
