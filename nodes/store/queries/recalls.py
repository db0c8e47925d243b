"""What another region wants to know after its database was put back to an older state, and what this node
reads of itself when that befell it.

Few rows at a time: who answers is not to stop for whoever asks."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import bindparam, func, or_, select

from nodes.store.dialect import Instant, among, texts
from nodes.store.rows import AskRow
from nodes.store.session import Session, build, columns_of, keys_of, one, table

CASE, EVENT, ASK, OUTBOX = (table(name) for name in ("case_row", "case_event", "ask", "outbox"))
_HEADS = (
    select(
        CASE.c.number, CASE.c.version, CASE.c.last_hash, CASE.c.origin, CASE.c.competent, CASE.c.owner,
        CASE.c.updated_at,
    )
    .where(CASE.c.number > bindparam("after"))
    .order_by(CASE.c.number)
    .limit(bindparam("most"))
)  # fmt: skip
_WRITTEN_BY = (
    select(EVENT.c.number)
    .where(among(EVENT.c.number, texts("numbers")), EVENT.c.author == bindparam("author"))
    .distinct()
)
_ASKS = (
    select(*(ASK.c[name] for name in columns_of(AskRow)))
    .where(among(ASK.c.case_number, texts("numbers")), ASK.c.asker == bindparam("asker"))
    .order_by(ASK.c.case_number, ASK.c.ask_seq)
)
_OPEN_WITH = (
    select(func.count())
    .select_from(CASE)
    .where(
        CASE.c.open,
        or_(*(among(CASE.c[party], texts("regions")) for party in ("origin", "competent", "owner"))),
    )
)
_LAST_CHANGE = select(func.max(CASE.c.updated_at, type_=Instant))
_POINTERS = (
    select(OUTBOX.c.id, OUTBOX.c.destination, OUTBOX.c.case_number, OUTBOX.c.to_version)
    .where(OUTBOX.c.payload.is_(None), OUTBOX.c.to_version > 0)
    .order_by(OUTBOX.c.id)
)
_NUMBERS = (
    select(CASE.c.number)
    .where(CASE.c.number.like(bindparam("like")), CASE.c.origin == bindparam("origin"))
    .order_by(CASE.c.number)
)

Head = tuple[str, int, bytes]
"""Case number, version, hash of the last event's core."""


class RecallReads(Session):
    """How far cases are known, read."""

    async def heads_of(
        self, region: str, *, since: datetime | None, after: str, scan: int
    ) -> tuple[list[Head], str]:
        """The cases to which `region` is a party, by number, among the next `scan` behind `after` that have
        changed since then; and the cursor of those that follow, "" when none do.
        """
        keys_of("case_row", [after])
        found = await self._link.fetch(_HEADS, {"after": after, "most": scan})
        changed = [row for row in found if since is None or row[6] >= since]
        sure = {row[0] for row in changed if region in row[3:6]}
        doubtful = [row[0] for row in changed if row[0] not in sure]
        if doubtful:
            asked = {"numbers": keys_of("case_event", doubtful), "author": region}
            sure |= {number for (number,) in await self._link.fetch(_WRITTEN_BY, asked)}
        heads = [(row[0], row[1], bytes(row[2])) for row in changed if row[0] in sure]
        return heads, found[-1][0] if len(found) == scan else ""

    async def asks_by(self, asker: str, numbers: Collection[str]) -> dict[str, list[AskRow]]:
        """What a region asked about these cases, by case, in its order."""
        asked = {"numbers": keys_of("ask", numbers), "asker": asker}
        asks: dict[str, list[AskRow]] = {}
        for row in build(AskRow, await self._link.fetch(_ASKS, asked)) if numbers else ():
            asks.setdefault(row.case_number, []).append(row)
        return asks

    async def open_with(self, regions: Collection[str]) -> int:
        """How many open cases one of these regions has filed, decides or owns."""
        if not regions:
            return 0
        found: int = one(await self._link.fetch(_OPEN_WITH, {"regions": keys_of("case_row", regions)}))
        return found

    async def last_change(self) -> datetime | None:
        """Business time of the last change of any case; None when there is no case. Reads all rows."""
        found: datetime | None = one(await self._link.fetch(_LAST_CHANGE))
        return found

    async def outbox_pointers(self) -> list[tuple[int, str, str, int]]:
        """(id, destination, case number, last version) of the rows that point to events."""
        return [(i, d, n, v) for i, d, n, v in await self._link.fetch(_POINTERS)]

    async def numbers_like(self, patterns: Iterable[str], origin: str) -> list[str]:
        """Numbers of cases filed in that region that fit one of the patterns (those of LIKE)."""
        found: list[str] = []
        for like in sorted(set(patterns)):
            found += [n for (n,) in await self._link.fetch(_NUMBERS, {"like": like, "origin": origin})]
        return found
