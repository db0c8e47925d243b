"""Case events: appended, read by version, by cause, and in the gap-free order of their commits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from operator import attrgetter

from sqlalchemy import BigInteger, bindparam, func, select, update

from nodes.store.dialect import among, texts
from nodes.store.queries.serials import SerialWrites
from nodes.store.rows import EventRow
from nodes.store.session import Batch, Series, Session, batch, build, columns_of, keys_of, one, table

EVENT = table("case_event")
LOG_SEQ = "log_seq"
_ALL = 2**63 - 1
_GIVEN = tuple(name for name in columns_of(EventRow) if name != LOG_SEQ)
_values = attrgetter(*_GIVEN)
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
_UNPLACED = select(EVENT.c.entry).where(EVENT.c.log_seq.is_(None)).limit(1)
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

    async def unplaced(self) -> bool:
        """Whether an event has no place: the release before wrote them without."""
        return bool(await self._link.fetch(_UNPLACED))


class EventWrites(EventReads, SerialWrites):
    """Events, written."""

    async def insert_events(self, events: Sequence[EventRow]) -> None:
        """Appends events, those of a case in the order of their versions, each with its place in the order of
        commits. The case's row must be locked; nothing else should be left to be written.

        Why places follow commits and have no gap: the series' row is locked from here until the transaction
        ends, so whoever comes later gets later places and is seen later, and one that rolls back gives its
        places back. Raises DataRejected when a version, an event id or a cause within the case is there
        already.
        """
        if not events:
            return
        ordered = sorted(events, key=lambda event: (event.number, event.version))
        given = batch(EVENT, _GIVEN, [_values(event) for event in ordered])
        await self._place(given, self._series(LOG_SEQ, len(ordered), LOG_SEQ))

    async def _place(self, events: Batch, places: Series) -> None:
        # Not a function that knows itself: the rows would stay until the collector looks for cycles.
        await self._link.insert_all(events, partial(self._begin_and_place, events, places), counted=places)

    async def _begin_and_place(self, events: Batch, places: Series) -> None:
        await self._begin(LOG_SEQ)
        await self._place(events, places)

    async def assign_log_seq(self, limit: int = 1000) -> int:
        """Gives committed events that have none their places, behind all others; how many."""
        first = await self.next_serials(LOG_SEQ, 0)  # from here on nobody else gives places
        count = await self._link.run(_NUMBER, {"b_first": first, "most": limit})
        await self.next_serials(LOG_SEQ, count)
        return count
