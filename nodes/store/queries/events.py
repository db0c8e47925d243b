"""Case events: appended, read by version, by cause, and in the gap-free order the sequencer gives."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import BigInteger, bindparam, func, select, update

from nodes.store.dialect import among, texts
from nodes.store.rows import EventRow
from nodes.store.session import Session, batch, batch_of, build, columns_of, keys_of, one, table

EVENT = table("case_event")
SERIAL = table("serial")
LOG_SEQ = "log_seq"
_ALL = 2**63 - 1
_COLUMNS = [EVENT.c[name] for name in columns_of(EventRow)]
_RANGE = (
    select(*_COLUMNS)
    .where(
        among(EVENT.c.number, texts("numbers")),
        EVENT.c.version >= bindparam("first"),
        EVENT.c.version <= bindparam("last"),
    )
    .order_by(EVENT.c.number, EVENT.c.version)
)
_CAUSES = select(*_COLUMNS).where(
    among(EVENT.c.number, texts("numbers")),
    among(EVENT.c.caused_by, texts("causes")),
    EVENT.c.caused_by.is_not(None),
)
_AFTER = (
    select(*_COLUMNS)
    .where(EVENT.c.log_seq > bindparam("seq"), EVENT.c.log_seq.is_not(None))
    .order_by(EVENT.c.log_seq)
    .limit(bindparam("most"))
)
_LAST = select(func.max(EVENT.c.log_seq)).where(EVENT.c.log_seq.is_not(None))
_TURN = select(SERIAL.c.next).where(SERIAL.c.name == LOG_SEQ).with_for_update()
_PLACES = (
    select(EVENT.c.entry, (func.row_number().over(order_by=EVENT.c.entry) - 1).label("place"))
    .where(EVENT.c.log_seq.is_(None))
    .order_by(EVENT.c.entry)
    .limit(bindparam("most"))
).subquery("places")
_NUMBER = (
    update(EVENT)
    .where(EVENT.c.entry == _PLACES.c.entry)
    .values(log_seq=_PLACES.c.place + bindparam("b_first", type_=BigInteger))
)
_ADVANCE = update(SERIAL).where(SERIAL.c.name == LOG_SEQ).values(next=bindparam("b_next"))


class EventReads(Session):
    """Events, read."""

    async def events(
        self, number: str, from_version: int = 1, to_version: int | None = None
    ) -> list[EventRow]:
        """Events of a case in order, both ends included; `to_version` None: to the last."""
        last = _ALL if to_version is None else to_version
        found = await self._link.fetch(
            _RANGE, {"numbers": keys_of("case_event", [number]), "first": from_version, "last": last}
        )
        return build(EventRow, found)

    async def events_of(self, ranges: Sequence[tuple[str, int, int]]) -> dict[tuple[str, int], EventRow]:
        """Events of many cases by (number, version); `ranges`: (number, first version, last version)."""
        if not ranges:
            return {}
        asked: dict[str, list[tuple[int, int]]] = {}
        for number, first, last in ranges:
            asked.setdefault(number, []).append((first, last))
        ends = {"first": min(first for _, first, _ in ranges), "last": max(last for _, _, last in ranges)}
        found = build(
            EventRow, await self._link.fetch(_RANGE, {"numbers": keys_of("case_event", asked), **ends})
        )
        return {
            (row.number, row.version): row
            for row in found
            if any(first <= row.version <= last for first, last in asked[row.number])
        }

    async def event_by_cause(self, number: str, caused_by: str) -> EventRow | None:
        """The event of the case that an ask or request caused, None when it caused none."""
        return (await self.events_by_cause([(number, caused_by)])).get((number, caused_by))

    async def events_by_cause(self, causes: Iterable[tuple[str, str]]) -> dict[tuple[str, str], EventRow]:
        """The events that exist among (case number, caused_by)."""
        wanted = set(causes)
        keys = {
            "numbers": keys_of("case_event", (number for number, _ in wanted)),
            "causes": keys_of("case_event", (cause for _, cause in wanted)),
        }
        found = build(EventRow, await self._link.fetch(_CAUSES, keys)) if wanted else []
        return {
            (row.number, row.caused_by or ""): row for row in found if (row.number, row.caused_by) in wanted
        }

    async def events_after_log_seq(self, seq: int, limit: int) -> list[EventRow]:
        """Events in commit order after position `seq`; 0 is the beginning."""
        return build(EventRow, await self._link.fetch(_AFTER, {"seq": seq, "most": limit}))

    async def last_log_seq(self) -> int:
        """The last position given, 0 when none is."""
        return int(one(await self._link.fetch(_LAST)) or 0)


class EventWrites(EventReads):
    """Events, written."""

    async def insert_events(self, events: Sequence[EventRow]) -> None:
        """Appends events, those of a case in the order of their versions. The case's row must be locked.

        Raises DataRejected when a version, an event id or a cause within the case is there already.
        """
        ordered = sorted(events, key=lambda event: (event.number, event.version))
        await self._link.insert(batch_of(EVENT, ordered, without=LOG_SEQ))

    async def assign_log_seq(self, limit: int = 1000) -> int:
        """Gives committed events that have none their positions, without a gap; how many.

        Why it is gap-free and follows commit order: the serial's row is locked first, so one sequencer works
        at a time, and it sees only what has committed; whoever is not yet visible gets a later position.
        Within a case the order of entry is the order of versions, because its row was locked. The lease named
        "sequencer" saves work; this does not rest on it.
        """
        turn = await self._link.fetch(_TURN)
        if not turn:
            await self._link.insert(batch(SERIAL, ("name", "next"), [(LOG_SEQ, 1)]), "skip")
            turn = await self._link.fetch(_TURN)
        first = int(one(turn))
        count = await self._link.run(_NUMBER, {"b_first": first, "most": limit})
        if count:
            await self._link.run(_ADVANCE, {"b_next": first + count})
        return count
