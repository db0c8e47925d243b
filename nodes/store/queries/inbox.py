"""What came in: messages seen, how far each partition is read, what is held for a hole, what is parked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import bindparam, delete, func, select, tuple_, update

from nodes.store.dialect import among, constant, texts
from nodes.store.rows import BusOffset, GapRequest, HeldRow, ParkedRow
from nodes.store.session import Session, batch, batch_of, build, columns_of, keys_of, one, table

INBOX, OFFSET, HELD, GAP, PARKED = (
    table(n) for n in ("inbox", "bus_offset", "held", "gap_request", "parked")
)
_OFFSETS = select(*(OFFSET.c[name] for name in columns_of(BusOffset))).where(
    OFFSET.c.topic == bindparam("b_topic")
)
_INBOX_KEY = tuple_(INBOX.c.source, INBOX.c.message_id)
_TRIM = delete(INBOX).where(
    _INBOX_KEY.in_(
        select(INBOX.c.source, INBOX.c.message_id)
        .where(INBOX.c.seen_wall_s < bindparam("before"))
        .order_by(INBOX.c.seen_wall_s)
        .limit(bindparam("most"))
    )
)
_HELD = (
    select(*(HELD.c[name] for name in columns_of(HeldRow)))
    .where(among(HELD.c.case_number, texts("numbers")))
    .order_by(HELD.c.case_number, HELD.c.version)
)
_HELD_KEYS = (
    select(HELD.c.case_number, HELD.c.version)
    .where(among(HELD.c.case_number, texts("numbers")))
    .order_by(HELD.c.case_number, HELD.c.version)
)
_DROP_UP_TO = delete(HELD).where(
    HELD.c.case_number == bindparam("b_number"), HELD.c.version <= bindparam("b_version")
)
_DROP_ABOVE = delete(HELD).where(
    HELD.c.case_number == bindparam("b_number"), HELD.c.version > bindparam("b_version")
)
_COUNT_HELD = select(func.count()).select_from(HELD)
_GAP_COLUMNS = [GAP.c[name] for name in columns_of(GapRequest)]
_GAPS = select(*_GAP_COLUMNS).where(among(GAP.c.case_number, texts("numbers")))
_OLD_GAPS = (
    select(*_GAP_COLUMNS)
    .where(GAP.c.asked_wall_s < bindparam("before"))
    .order_by(GAP.c.asked_wall_s)
    .limit(bindparam("most"))
)
_CLOSE_GAPS = delete(GAP).where(among(GAP.c.case_number, texts("numbers")))
_PARKED_COLUMNS = [PARKED.c[name] for name in columns_of(ParkedRow)]
_ONE_PARKED = select(*_PARKED_COLUMNS).where(PARKED.c.id == bindparam("b_id"))
_PARKED_OF = (
    select(*_PARKED_COLUMNS)
    .where(
        among(PARKED.c.case_number, texts("numbers")),
        PARKED.c.state == constant("parked"),
        PARKED.c.case_number.is_not(None),
    )
    .order_by(PARKED.c.id)
)
_SET_PARKED = update(PARKED).where(among(PARKED.c.id, texts("ids"))).values(state=bindparam("b_state"))
_SEEN = (
    update(PARKED)
    .where(
        PARKED.c.case_number == bindparam("b_number"),
        PARKED.c.case_number.is_not(None),
        PARKED.c.state == constant("parked"),
        PARKED.c.highest_seen < bindparam("b_version"),
    )
    .values(highest_seen=bindparam("b_version"))
)
_COUNT_PARKED = select(func.count()).select_from(PARKED).where(PARKED.c.state == constant("parked"))


class InboxReads(Session):
    """What came in, read."""

    async def load_offsets(self, topic: str) -> dict[int, BusOffset]:
        """Where reading goes on, by partition of the topic; a partition never read is missing."""
        found = build(BusOffset, await self._link.fetch(_OFFSETS, {"b_topic": topic}))
        return {row.partition: row for row in found}

    async def held(self, numbers: Iterable[str]) -> list[HeldRow]:
        """What is held of the cases, by case and version."""
        return build(HeldRow, await self._link.fetch(_HELD, {"numbers": keys_of("held", numbers)}))

    async def count_held(self) -> int:
        """How many events wait for a hole to be filled."""
        return int(one(await self._link.fetch(_COUNT_HELD)))

    async def gap_requests(self, numbers: Iterable[str]) -> dict[str, GapRequest]:
        """The holes asked for, by case."""
        found = build(GapRequest, await self._link.fetch(_GAPS, {"numbers": keys_of("gap_request", numbers)}))
        return {row.case_number: row for row in found}

    async def gaps_before(self, wall_s: float, limit: int) -> list[GapRequest]:
        """Holes last asked for before that, oldest first."""
        return build(GapRequest, await self._link.fetch(_OLD_GAPS, {"before": wall_s, "most": limit}))

    async def find_parked(self, parked_id: str) -> ParkedRow | None:
        """A parked message by its id."""
        found = build(ParkedRow, await self._link.fetch(_ONE_PARKED, {"b_id": parked_id}))
        return found[0] if found else None

    async def parked_of_cases(self, numbers: Iterable[str]) -> list[ParkedRow]:
        """Messages in state parked that hold up these cases, oldest first."""
        return build(ParkedRow, await self._link.fetch(_PARKED_OF, {"numbers": keys_of("parked", numbers)}))

    async def list_parked(
        self, *, state: str | None = "parked", after: str = "", limit: int = 50
    ) -> list[ParkedRow]:
        """A page of parked messages, oldest first; `after`: the id that ended the page before."""
        query = select(*_PARKED_COLUMNS).where(PARKED.c.id > after).order_by(PARKED.c.id).limit(limit)
        return build(
            ParkedRow,
            await self._link.fetch(query if state is None else query.where(PARKED.c.state == state)),
        )

    async def count_parked(self) -> int:
        """Messages in state parked."""
        return int(one(await self._link.fetch(_COUNT_PARKED)))


class InboxWrites(InboxReads):
    """What came in, written."""

    async def record_seen(
        self, messages: Iterable[tuple[str, str]], *, wall_s: float
    ) -> set[tuple[str, str]]:
        """Records (source, message id); gives those that were not seen before."""
        rows = [(source, message, wall_s) for source, message in sorted(set(messages))]
        new = await self._link.insert_new(batch(INBOX, ("source", "message_id", "seen_wall_s"), rows))
        return {(source, message) for source, message in new}

    async def put_offsets(self, offsets: Sequence[BusOffset]) -> None:
        """Stores where reading goes on, in the transaction that applied what was read."""
        ordered = sorted(offsets, key=lambda offset: (offset.topic, offset.partition))
        await self._link.insert(batch_of(OFFSET, ordered), "replace")

    async def hold(self, rows: Sequence[HeldRow], *, most: int) -> int:
        """Keeps events that came too early, `most` of a case at most: the lowest versions; how many were
        dropped (the gap request brings them again)."""
        await self._link.insert(batch_of(HELD, rows), "skip")
        versions: dict[str, list[int]] = {}
        numbers = keys_of("held", (row.case_number for row in rows))
        for number, version in await self._link.fetch(_HELD_KEYS, {"numbers": numbers}):
            versions.setdefault(number, []).append(version)
        full = {number: found for number, found in versions.items() if len(found) > most}
        last = [{"b_number": number, "b_version": found[most - 1]} for number, found in full.items()]
        await self._link.run_many(_DROP_ABOVE, last)
        return sum(len(found) - most for found in full.values())

    async def drop_held(self, up_to: Sequence[tuple[str, int]]) -> None:
        """Forgets what is held of (case number, version) up to and with that version."""
        await self._link.run_many(
            _DROP_UP_TO, [{"b_number": number, "b_version": version} for number, version in sorted(up_to)]
        )

    async def put_gap_requests(self, gaps: Sequence[GapRequest]) -> None:
        """Records holes asked for, one a case."""
        await self._link.insert(batch_of(GAP, gaps), "replace")

    async def close_gaps(self, numbers: Iterable[str]) -> None:
        """The holes of these cases are filled."""
        await self._link.run(_CLOSE_GAPS, {"numbers": keys_of("gap_request", numbers)})

    async def park(self, rows: Sequence[ParkedRow]) -> None:
        """Parks messages. The case's own row says `parked` too: the caller writes it."""
        await self._link.insert(batch_of(PARKED, rows))

    async def settle_parked(self, ids: Iterable[str], state: str) -> None:
        """State replayed or dropped; the bytes stay."""
        await self._link.run(_SET_PARKED, {"ids": keys_of("parked", ids), "b_state": state})

    async def note_seen_while_parked(self, seen: Sequence[tuple[str, int]]) -> None:
        """(case number, version) of what came in meanwhile: resuming refetches up to there."""
        await self._link.run_many(
            _SEEN, [{"b_number": number, "b_version": version} for number, version in sorted(seen)]
        )

    async def trim_inbox(self, *, before_wall_s: float, limit: int) -> int:
        """Forgets up to `limit` messages seen before that; how many. Versions and causes still drop
        duplicates."""
        return await self._link.run(_TRIM, {"before": before_wall_s, "most": limit})
