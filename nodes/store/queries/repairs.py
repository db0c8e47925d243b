"""What an operator mends: dead letters, resyncs from a snapshot, and what waits in which lane."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import bindparam, case, delete, func, select, update

from nodes.store.dialect import among, texts
from nodes.store.rows import ParkedRow, ResyncRow
from nodes.store.session import Session, batch_of, build, columns_of, keys_of, table

PARKED, RESYNC, OUTBOX = (table(name) for name in ("parked", "resync", "outbox"))
_LETTERS = [PARKED.c[name] for name in columns_of(ParkedRow)]
_BY_ID = select(*_LETTERS).where(among(PARKED.c.id, texts("ids"))).order_by(PARKED.c.id)
_RESYNCS = [RESYNC.c[name] for name in columns_of(ResyncRow)]
_OF_CASES = (
    select(*_RESYNCS).where(among(RESYNC.c.case_number, texts("numbers"))).order_by(RESYNC.c.from_version)
)
_AWAITED = (
    select(*_RESYNCS)
    .where(RESYNC.c.to_version.is_(None), RESYNC.c.asked_wall_s < bindparam("before"))
    .order_by(RESYNC.c.asked_wall_s)
    .limit(bindparam("most"))
)
_SETTLE = (
    update(PARKED)
    .where(PARKED.c.id == bindparam("b_id"))
    .values(
        state=bindparam("b_state"),
        settled_reason=bindparam("b_reason"),
        settled_by=bindparam("b_by"),
        settled_wall_s=bindparam("b_wall"),
    )
)
_FAILED = (
    update(PARKED)
    .where(PARKED.c.id == bindparam("b_id"))
    .values(reason=bindparam("b_reason"), detail=bindparam("b_detail"))
)
_SEEN = (
    update(RESYNC)
    .where(RESYNC.c.case_number == bindparam("b_number"), RESYNC.c.to_version.is_(None))
    .values(
        highest_seen=case(
            (RESYNC.c.highest_seen < bindparam("b_version"), bindparam("b_version")),
            else_=RESYNC.c.highest_seen,
        )
    )
)
_LANES = select(OUTBOX.c.lane, func.count(), func.min(OUTBOX.c.created_wall_s)).group_by(OUTBOX.c.lane)
_TRIM = delete(PARKED).where(
    PARKED.c.id.in_(
        select(PARKED.c.id)
        .where(PARKED.c.settled_wall_s.is_not(None), PARKED.c.settled_wall_s < bindparam("before"))
        .order_by(PARKED.c.settled_wall_s)
        .limit(bindparam("most"))
    )
)


class RepairReads(Session):
    """Dead letters, resyncs and lanes, read."""

    async def load_letters(self, ids: Iterable[str]) -> dict[str, ParkedRow]:
        """The letters that exist among `ids`, whatever became of them."""
        found = await self._link.fetch(_BY_ID, {"ids": keys_of("parked", ids)})
        return {row.id: row for row in build(ParkedRow, found)}

    async def letters(
        self, *, before: str = "", limit: int = 50, with_settled: bool = False
    ) -> list[ParkedRow]:
        """A page of letters, newest first; `before`: the id that ended the page before, "" for the first."""
        query = select(*_LETTERS).order_by(PARKED.c.id.desc()).limit(limit)
        if before:
            keys_of("parked", [before])
            query = query.where(PARKED.c.id < before)
        if not with_settled:
            query = query.where(PARKED.c.state == "parked")
        return build(ParkedRow, await self._link.fetch(query))

    async def resyncs_of(self, numbers: Iterable[str]) -> list[ResyncRow]:
        """What snapshots took the place of, or shall, in these cases; by version."""
        return build(ResyncRow, await self._link.fetch(_OF_CASES, {"numbers": keys_of("resync", numbers)}))

    async def resyncs_awaited(self, before_wall_s: float, limit: int) -> list[ResyncRow]:
        """Snapshots last asked for before that and not yet there, oldest first."""
        asked = {"before": before_wall_s, "most": limit}
        return build(ResyncRow, await self._link.fetch(_AWAITED, asked))

    async def lane_counts(self) -> dict[int, tuple[int, float]]:
        """Per lane: rows that wait, and when the oldest was written (wall seconds)."""
        return {lane: (count, float(oldest)) for lane, count, oldest in await self._link.fetch(_LANES)}


class RepairWrites(RepairReads):
    """Dead letters and resyncs, written."""

    async def settle_letters(self, letters: Sequence[ParkedRow]) -> None:
        """Records what became of letters: state and the settled columns of the rows given; the bytes stay."""
        batch_of(PARKED, letters)  # checks the texts
        rows = [
            {
                "b_id": letter.id,
                "b_state": letter.state,
                "b_reason": letter.settled_reason,
                "b_by": letter.settled_by,
                "b_wall": letter.settled_wall_s,
            }
            for letter in sorted(letters, key=lambda letter: letter.id)
        ]
        await self._link.run_many(_SETTLE, rows)

    async def note_failed_again(self, letters: Sequence[ParkedRow]) -> None:
        """Records why letters failed again: reason and detail of the rows given."""
        batch_of(PARKED, letters)  # checks the texts
        rows = [{"b_id": row.id, "b_reason": row.reason, "b_detail": row.detail} for row in letters]
        await self._link.run_many(_FAILED, rows)

    async def put_resyncs(self, resyncs: Sequence[ResyncRow]) -> None:
        """Records snapshots asked for, asked for again, or applied."""
        ordered = sorted(resyncs, key=lambda row: row.id)
        await self._link.insert(batch_of(RESYNC, ordered), "replace")

    async def note_seen_while_resyncing(self, seen: Sequence[tuple[str, int]]) -> None:
        """(case number, version) of what came in while a snapshot is awaited."""
        rows = [{"b_number": number, "b_version": version} for number, version in sorted(seen)]
        await self._link.run_many(_SEEN, rows)

    async def trim_letters(self, *, before_wall_s: float, limit: int) -> int:
        """Deletes up to `limit` letters settled before that; how many. One still parked never goes."""
        return await self._link.run(_TRIM, {"before": before_wall_s, "most": limit})
