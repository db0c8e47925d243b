"""What is to be sent, in order; and what was sent and not yet acknowledged.

Why the order holds: a writer locks the case's row before it inserts, so rows of one case get their ids in the
order in which they become visible. Between cases ids say nothing, so nobody polls "id > last": each
destination is read from its lowest row that is still there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Select, bindparam, delete, func, select, tuple_, update

from nodes.store.dialect import among, integers, texts
from nodes.store.queries.leases import LeaseReads, LeaseWrites
from nodes.store.rows import Lease, OutboxRow, SentTail
from nodes.store.session import Merge, batch_of, build, columns_of, keys_of, table

OUTBOX = table("outbox")
TAIL = table("sent_tail")
_COLUMNS = [OUTBOX.c[name] for name in columns_of(OutboxRow)]
_READY = (
    select(*_COLUMNS)
    .where(
        OUTBOX.c.destination == bindparam("b_destination"),
        among(OUTBOX.c.lane, integers("lanes")),
        ~among(OUTBOX.c.id, integers("skip")),
    )
    .order_by(OUTBOX.c.id)
    .limit(bindparam("most"))
)
_DELETE = delete(OUTBOX).where(among(OUTBOX.c.id, integers("ids")))
_COUNTS = select(OUTBOX.c.destination, func.count(), func.min(OUTBOX.c.created_wall_s)).group_by(
    OUTBOX.c.destination
)


def _later(name: str) -> str:
    return f"CASE WHEN sent_tail.{name} < excluded.{name} THEN excluded.{name} ELSE sent_tail.{name} END"


_TAILS = [TAIL.c[name] for name in columns_of(SentTail)]
_TAIL_KEY = (TAIL.c.destination == bindparam("b_destination"), TAIL.c.case_number == bindparam("b_number"))
_OF_CASES = select(*_TAILS).where(
    TAIL.c.destination == bindparam("b_destination"), among(TAIL.c.case_number, texts("numbers"))
)
_UNACKED = (
    select(*_TAILS)
    .where(TAIL.c.acked_version < TAIL.c.sent_version, TAIL.c.last_sent_wall_s < bindparam("before"))
    .order_by(TAIL.c.last_sent_wall_s)
    .limit(bindparam("most"))
)
_SENT = Merge(
    (
        ("attempts", "sent_tail.attempts + 1"),
        ("sent_version", _later("sent_version")),
        ("last_sent_wall_s", _later("last_sent_wall_s")),
    )
)
_ACKED = (
    update(TAIL)
    .where(*_TAIL_KEY, TAIL.c.acked_version < bindparam("b_version"))
    .values(acked_version=bindparam("b_version"), attempts=0)
)


_TRIM = delete(TAIL).where(
    tuple_(TAIL.c.destination, TAIL.c.case_number).in_(
        select(TAIL.c.destination, TAIL.c.case_number)
        .where(TAIL.c.acked_version >= TAIL.c.sent_version, TAIL.c.last_sent_wall_s < bindparam("before"))
        .order_by(TAIL.c.last_sent_wall_s)
        .limit(bindparam("most"))
    )
)


def _destinations() -> Select[Any]:
    """Distinct destinations by jumps through the index, not by a scan of the backlog."""
    first = select(func.min(OUTBOX.c.destination).label("destination")).cte("jump", recursive=True)
    step = (
        select(func.min(OUTBOX.c.destination))
        .where(OUTBOX.c.destination > first.c.destination)
        .scalar_subquery()
    )
    jump = first.union_all(select(step).where(first.c.destination.is_not(None)))
    return select(jump.c.destination).where(jump.c.destination.is_not(None))


_DESTINATIONS = _destinations()


class RelayReads(LeaseReads):
    """The outbox and sent tails, read."""

    async def outbox_ready(
        self,
        lanes: Sequence[int],
        *,
        limit: int = 200,
        skip_ids: Collection[int] = (),
        skip_destinations: Collection[str] = (),
    ) -> list[OutboxRow]:
        """The lowest rows of each destination by id, those of a case in the order in which they must be sent.

        `limit`: rows a lane; a destination gives `limit` times the lanes asked for, whichever lane they are
        in. `skip_ids`: rows in flight. `skip_destinations`: those that do not answer now; they cost the
        others nothing.
        """
        asked = {"lanes": sorted(lanes), "skip": sorted(skip_ids), "most": limit * len(lanes)}
        rows: list[OutboxRow] = []
        for (destination,) in await self._link.fetch(_DESTINATIONS):
            if destination not in skip_destinations:
                found = await self._link.fetch(_READY, {**asked, "b_destination": destination})
                rows += build(OutboxRow, found)
        return sorted(rows, key=lambda row: row.id)

    async def outbox_counts(self) -> dict[str, tuple[int, float]]:
        """Per destination: rows that wait, and when the oldest was written (wall seconds)."""
        return {
            destination: (count, float(oldest))
            for destination, count, oldest in await self._link.fetch(_COUNTS)
        }

    async def sent_tails(self, destination: str, numbers: Sequence[str]) -> dict[str, SentTail]:
        """How far `destination` was sent the cases, and has them, by case number."""
        asked = {"b_destination": destination, "numbers": keys_of("sent_tail", numbers)}
        return {row.case_number: row for row in build(SentTail, await self._link.fetch(_OF_CASES, asked))}

    async def unacked_before(self, wall_s: float, limit: int) -> list[SentTail]:
        """What was last sent before that and is not acknowledged, oldest first."""
        return build(SentTail, await self._link.fetch(_UNACKED, {"before": wall_s, "most": limit}))


class RelayWrites(RelayReads, LeaseWrites):
    """The outbox and sent tails, written."""

    async def insert_outbox(self, rows: Sequence[OutboxRow]) -> None:
        """Queues rows to send, in this order. The rows of their cases must be locked."""
        await self._link.insert(batch_of(OUTBOX, rows, without="id"))

    async def delete_outbox(self, ids: Sequence[int], *, lease: Lease | None = None) -> int:
        """Marks rows sent: the bus has acknowledged them. How many were still there.

        Raises LeaseLost when the lane's `lease` was taken by another since: the other sends them again, which
        adds duplicates, never a hole.
        """
        if lease is not None:
            await self.check_lease(lease)
        return await self._link.run(_DELETE, {"ids": sorted(ids)})

    async def mark_sent(self, ids: Sequence[int], leases: Sequence[Lease]) -> None:
        """As `delete_outbox`, of rows in several lanes; nobody needs to know how many were still there."""
        await self.check_leases(leases)
        await self._link.run_later(_DELETE, {"ids": sorted(ids)})

    async def note_sent(self, sent: Sequence[tuple[str, str, int]], *, wall_s: float) -> None:
        """(destination, case number, version up to which it was sent). Versions and times never go back: a
        time to come puts off the next attempt."""
        highest = sorted(_highest(sent).items())
        rows = [SentTail(*key, version, 0, wall_s, 1) for key, version in highest]
        await self._link.insert(batch_of(TAIL, rows), _SENT)

    async def note_acked(self, acked: Sequence[tuple[str, str, int]]) -> None:
        """(destination, case number, version it says it has). Versions never go back; attempts begin anew."""
        await self._link.run_many(_ACKED, _updates(_highest(acked)))

    async def trim_sent_tails(self, *, before_wall_s: float, limit: int) -> int:
        """Forgets up to `limit` tails that were acknowledged whole and last sent before that; how many."""
        return await self._link.run(_TRIM, {"before": before_wall_s, "most": limit})


def _highest(versions: Sequence[tuple[str, str, int]]) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = {}
    for destination, number, version in versions:
        key = (destination, number)
        found[key] = max(version, found.get(key, 0))
    return found


def _updates(highest: Mapping[tuple[str, str], int]) -> list[dict[str, object]]:
    return [
        {"b_destination": destination, "b_number": number, "b_version": version}
        for (destination, number), version in sorted(highest.items())
    ]
