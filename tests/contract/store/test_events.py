"""Events: appended once, found by version and by cause, numbered without a gap in commit order."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import update

from nodes.store import DataRejected, Store, WriteTx
from nodes.store.queries.events import EVENT
from nodes.store.rows import EventRow
from tests.contract.store.samples import case, event


async def put(store: Store, *events: EventRow) -> None:
    async with store.write() as tx:
        await tx.load_cases({row.number for row in events}, lock=True)
        await tx.insert_events(events)


def unplaced(rows: list[EventRow]) -> list[EventRow]:
    """As they went in: their places are given by the store."""
    assert all(row.log_seq for row in rows)
    return [replace(row, log_seq=None) for row in rows]


async def test_events_come_out_as_they_went_in_and_in_order(store: Store) -> None:
    rows = [event("1", 1), event("1", 2, caused_by="ask-1", private=b"\x00salt"), event("1", 3)]
    await put(store, rows[2], rows[0], rows[1], event("2", 1))
    async with store.read() as rd:
        assert unplaced(await rd.events("1")) == rows
        assert unplaced(await rd.events("1", 2)) == rows[1:]
        assert unplaced(await rd.events("1", 2, 2)) == rows[1:2]
        assert await rd.events("9") == []


async def test_many_cases_are_read_at_once(store: Store) -> None:
    await put(store, *(event(number, version) for number in "123" for version in (1, 2, 3)))
    async with store.read() as rd:
        found = await rd.events_of([("1", 2, 3), ("2", 1, 1), ("9", 1, 4), ("2", 3, 3)])
        assert sorted(found) == [("1", 2), ("1", 3), ("2", 1), ("2", 3)]
        assert unplaced([found["2", 3]]) == [event("2", 3)]
        assert await rd.events_of([]) == {}


async def test_an_event_is_found_by_what_caused_it(store: Store) -> None:
    await put(store, event("1", 1), event("1", 2, caused_by="ask-1"), event("2", 1, caused_by="ask-2"))
    async with store.read() as rd:
        found = await rd.event_by_cause("1", "ask-1")
        assert found is not None
        assert unplaced([found]) == [event("1", 2, caused_by="ask-1")]
        assert await rd.event_by_cause("1", "ask-2") is None
        assert list(await rd.events_by_cause([("1", "ask-1"), ("2", "ask-1")])) == [("1", "ask-1")]


@pytest.mark.parametrize(
    "row",
    [event("1", 2, event_id="other"), event("3", 1, event_id="event-1-2"), event("1", 3, caused_by="ask-1")],
    ids=["version", "event id", "cause"],
)
async def test_a_version_an_event_id_and_a_cause_are_there_once(store: Store, row: EventRow) -> None:
    await put(store, event("1", 1), event("1", 2, caused_by="ask-1"))
    with pytest.raises(DataRejected) as caught:
        await put(store, event("2", 1, caused_by="ask-1"), row)
    assert caught.value.table == "case_event"
    async with store.read() as rd:
        assert await rd.events("2") == []


async def test_events_without_a_cause_do_not_collide(store: Store) -> None:
    await put(store, event("1", 1), event("1", 2))
    async with store.read() as rd:
        assert len(await rd.events("1")) == 2


async def places(store: Store, after: int = 0, limit: int = 100) -> list[tuple[str, int, int | None]]:
    async with store.read() as rd:
        found = await rd.events_after_log_seq(after, limit)
    return [(row.number, row.version, row.log_seq) for row in found]


async def test_places_follow_commits_without_a_gap(store: Store) -> None:
    await put(store, event("9", 1), event("9", 2))
    await put(store, event("1", 1))
    await put(store, event("9", 3))
    assert await places(store) == [("9", 1, 1), ("9", 2, 2), ("1", 1, 3), ("9", 3, 4)]
    assert await places(store, after=1, limit=2) == [("9", 2, 2), ("1", 1, 3)]
    async with store.read() as rd:
        assert await rd.last_log_seq() == 4


async def test_who_rolls_back_leaves_no_gap(store: Store) -> None:
    await put(store, event("1", 1))

    async def breaks_off(tx: WriteTx) -> None:
        await tx.insert_events([event("1", 2), event("1", 3)])
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await store.transact(breaks_off)
    await put(store, event("1", 2))
    assert await places(store) == [("1", 1, 1), ("1", 2, 2)]


async def test_several_writers_number_every_event_once(store: Store) -> None:
    async with store.write() as tx:
        await tx.put_cases([case(str(n)) for n in range(4)], {})

    async def write(number: str) -> None:
        for version in range(1, 6):
            await put(store, event(number, version))

    seen: list[int] = []

    async def follow() -> None:
        while len(seen) < 20:
            async with store.read() as rd:
                seen.extend(row.log_seq or 0 for row in await rd.events_after_log_seq(len(seen), 100))
            await asyncio.sleep(0)

    async with asyncio.timeout(30):
        await asyncio.gather(*(write(str(n)) for n in range(4)), follow())
    assert seen == list(range(1, 21)), "a place that was seen was followed by a smaller one"
    found = await places(store)
    for n in range(4):
        assert [version for number, version, _ in found if number == str(n)] == [1, 2, 3, 4, 5]


async def test_what_the_release_before_left_without_a_place_comes_last(store: Store) -> None:
    await put(store, event("9", 1), event("9", 2))
    await put(store, event("1", 1), event("1", 2))
    async with store.write() as tx:
        await tx._link.run(update(EVENT).where(EVENT.c.number == "9").values(log_seq=None))
    async with store.read() as rd:
        assert await rd.unplaced()
    async with store.write() as tx:
        assert [await tx.assign_log_seq(limit=1) for _ in range(3)] == [1, 1, 0]
    await put(store, event("1", 3))
    assert await places(store) == [("1", 1, 3), ("1", 2, 4), ("9", 1, 5), ("9", 2, 6), ("1", 3, 7)]
    async with store.read() as rd:
        assert not await rd.unplaced()
