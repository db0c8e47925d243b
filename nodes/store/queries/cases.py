"""Filings and case rows: loaded under lock, written at an expected version, listed page by page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, bindparam, func, literal, literal_column, select, tuple_
from typing_extensions import override

from nodes.store.dialect import Instant, among, constant, texts
from nodes.store.errors import VersionConflict
from nodes.store.rows import CaseCursor, CaseFilter, CaseRow, FilingRow
from nodes.store.session import Link, Session, batch_of, build, columns_of, keys_of, one, table
from nodes.store.tables.case import ENDED_BY

CASE = table("case_row")
FILING = table("filing")
_COLUMNS = [CASE.c[name] for name in columns_of(CaseRow)]
_LOAD = select(*_COLUMNS).where(among(CASE.c.number, texts("numbers"))).order_by(CASE.c.number)
_LOCK = _LOAD.with_for_update()
_VERSIONS = (
    select(CASE.c.number, CASE.c.version)
    .where(among(CASE.c.number, texts("numbers")))
    .order_by(CASE.c.number)
    .with_for_update()
)
_FILINGS = select(*(FILING.c[name] for name in columns_of(FilingRow))).where(
    among(FILING.c.case_number, texts("numbers"))
)
_DUE = (
    select(CASE.c.number, CASE.c.next_due_at)
    .where(CASE.c.next_due_at <= bindparam("before", type_=Instant))
    .order_by(CASE.c.next_due_at)
    .limit(bindparam("most"))
)
_NEXT = select(func.min(CASE.c.next_due_at)).where(CASE.c.next_due_at.is_not(None))
_PARTS = (
    select(*_COLUMNS)
    .where(CASE.c.lead == bindparam("lead"), CASE.c.lead != constant(""))
    .order_by(CASE.c.part_index)
)


NO_LIGHT: Final = "green"
"""The light of nearly all cases; the index of lights leaves it out."""


def is_set(name: str, negation: str = "") -> ColumnElement[bool]:
    """The flag as its partial index has it: of `open = 1`, which SQLAlchemy would write, SQLite does not see
    that the index WHERE open serves."""
    return literal_column(f"{negation}{CASE.name}.{name}")


_OPEN = select(CASE.c.state, func.count()).where(is_set("open")).group_by(CASE.c.state)


def listed(wanted: CaseFilter, *, after: CaseCursor | None = None, limit: int = 50) -> Select[Any]:
    """A page of cases, newest receipt first. Each condition is written as the index that serves it has it."""
    query = select(*_COLUMNS).order_by(CASE.c.filed_at.desc(), CASE.c.number.desc()).limit(limit)
    for field in fields(wanted):
        value = getattr(wanted, field.name)
        if value is None:
            continue
        if isinstance(value, bool):
            query = query.where(is_set(field.name) if value else is_set(field.name, "NOT "))
        elif field.name == "applicant_key":
            query = query.where(
                CASE.c.number.in_(select(FILING.c.case_number).where(FILING.c.applicant_key == value))
            )
        else:
            keys_of("case_row", [value])
            query = query.where(CASE.c[field.name] == value)
    if wanted.lead:
        query = query.where(CASE.c.lead != constant(""))  # lets the partial index of parts serve
    if after is not None:
        place = tuple_(literal(after.filed_at, Instant), literal(after.number))
        query = query.where(tuple_(CASE.c.filed_at, CASE.c.number) < place)
    if wanted.light not in (None, NO_LIGHT):
        query = query.where(CASE.c.light != constant(NO_LIGHT))
    return query


def halves_of(wanted: CaseFilter) -> list[CaseFilter]:
    """The same list as the open ones and those that have ended, each of which has indexes of its own; whole
    where one index has both."""
    if wanted.open is not None or not any(getattr(wanted, name) for name in (*ENDED_BY, "light")):
        return [wanted]
    return [replace(wanted, open=True), replace(wanted, open=False)]


def _place(row: CaseRow) -> tuple[datetime, str]:
    return row.filed_at, row.number


class CaseReads(Session):
    """Cases and filings, read."""

    async def load_cases(self, numbers: Iterable[str], *, lock: bool = False) -> dict[str, CaseRow]:
        """The cases that exist among `numbers`. `lock`: keeps them, in key order, until the transaction
        ends."""
        keys = keys_of("case_row", numbers)
        found = (
            build(CaseRow, await self._link.fetch(_LOCK if lock else _LOAD, {"numbers": keys}))
            if keys
            else []
        )
        return {row.number: row for row in found}

    async def load_filings(self, numbers: Iterable[str]) -> dict[str, FilingRow]:
        """The filed documents that exist among `numbers`."""
        found = await self._link.fetch(_FILINGS, {"numbers": keys_of("filing", numbers)})
        return {row.case_number: row for row in build(FilingRow, found)}

    async def list_cases(
        self, wanted: CaseFilter | None = None, *, after: CaseCursor | None = None, limit: int = 50
    ) -> list[CaseRow]:
        """A page of cases, newest receipt first; the next page begins `after=cursor_of(page[-1])`."""
        halves = halves_of(wanted or CaseFilter())
        found = [await self._link.fetch(listed(half, after=after, limit=limit)) for half in halves]
        rows = [row for some in found for row in build(CaseRow, some)]
        return rows if len(halves) == 1 else sorted(rows, key=_place, reverse=True)[:limit]

    async def parts_of(self, lead: str) -> list[CaseRow]:
        """The parts of a joint case that this node knows, in their order."""
        return build(CaseRow, await self._link.fetch(_PARTS, {"lead": lead}))

    async def due_cases(self, *, before: datetime, limit: int) -> list[tuple[str, datetime]]:
        """(case number, due time) of cases whose next timer is due at `before`, earliest first."""
        found = await self._link.fetch(_DUE, {"before": before, "most": limit})
        return [(number, due_at) for number, due_at in found]

    async def next_due(self) -> datetime | None:
        """When the earliest timer of all cases is due."""
        found: datetime | None = one(await self._link.fetch(_NEXT))
        return found

    async def count_open(self) -> dict[str, int]:
        """Open cases by state."""
        return {row[0]: row[1] for row in await self._link.fetch(_OPEN)}


class CaseWrites(CaseReads):
    """Cases and filings, written."""

    def __init__(self, link: Link) -> None:
        super().__init__(link)
        self._locked: dict[str, int] = {}
        """The versions of the cases that this transaction has locked: nobody else can change them."""

    @override
    async def load_cases(self, numbers: Iterable[str], *, lock: bool = False) -> dict[str, CaseRow]:
        found = await super().load_cases(numbers, lock=lock)
        if lock:
            self._locked |= {number: row.version for number, row in found.items()}
        return found

    async def insert_filings(self, filings: Sequence[FilingRow]) -> None:
        """Writes filed documents. Raises DataRejected when a case has one already."""
        await self._link.insert(batch_of(FILING, filings))

    async def put_cases(self, cases: Sequence[CaseRow], expected: Mapping[str, int]) -> None:
        """Writes case rows. `expected`: the version at which each was loaded; a number that is not in it is
        new.

        Raises VersionConflict, naming the case, when one is at another version, is gone, or exists already
        (the last at the latest when the transaction ends).
        """
        rows = {case.number: case for case in cases}
        found = {number: self._locked[number] for number in rows if number in self._locked}
        if unknown := [number for number in rows if number in expected and number not in found]:
            found |= await self._versions(unknown)
        for number in rows:
            if found.get(number) != expected.get(number):
                raise VersionConflict(number, expected.get(number), found.get(number))
        changed = [rows[number] for number in sorted(rows) if number in expected]
        new = [rows[number] for number in sorted(rows) if number not in expected]
        self._locked |= {row.number: row.version for row in changed}
        await self._link.insert(batch_of(CASE, changed), "replace")
        await self._link.insert_all(batch_of(CASE, new), lambda: self._refuse(new))

    async def _refuse(self, new: Sequence[CaseRow]) -> None:
        """Some of them were there; the others are there now, as they were given."""
        there = await self.load_cases(row.number for row in new)
        taken = next((row.number for row in new if there.get(row.number) != row), new[0].number)
        raise VersionConflict(taken, None, there[taken].version if taken in there else None)

    async def _versions(self, numbers: Iterable[str]) -> dict[str, int]:
        found = await self._link.fetch(_VERSIONS, {"numbers": keys_of("case_row", numbers)})
        return {row[0]: row[1] for row in found}


def cursor_of(row: CaseRow) -> CaseCursor:
    """The cursor that continues after `row`."""
    return CaseCursor(row.filed_at, row.number)
