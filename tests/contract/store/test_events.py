"""Events: appended once, found by version and by cause, numbered without a gap in commit order."""

import asyncio

import pytest

from nodes.store import DataRejected, Store, WriteTx
from nodes.store.rows import EventRow
from tests.contract.store.samples import case, event


async def put(store: Store, *events: EventRow) -> None:
    async with store.write() as tx:
        await tx.load_cases({row.number for row in events}, lock=True)
        await tx.insert_events(events)


async def test_events_come_out_as_they_went_in_and_in_order(store: Store) -> None:
    rows = [event("1", 1), event("1", 2, caused_by="ask-1", private=b"\x00salt"), event("1", 3)]
    await put(store, rows[2], rows[0], rows[1], event("2", 1))
    async with store.read() as rd:
        assert await rd.events("1") == rows
        assert await rd.events("1", 2) == rows[1:]
        assert await rd.events("1", 2, 2) == rows[1:2]
        assert await rd.events("9") == []


async def test_many_cases_are_read_at_once(store: Store) -> None:
    await put(store, *(event(number, version) for number in "123" for version in (1, 2, 3)))
    async with store.read() as rd:
        found = await rd.events_of([("1", 2, 3), ("2", 1, 1), ("9", 1, 4), ("2", 3, 3)])
        assert sorted(found) == [("1", 2), ("1", 3), ("2", 1), ("2", 3)]
        assert found["2", 3] == event("2", 3)
        assert await rd.events_of([]) == {}


async def test_an_event_is_found_by_what_caused_it(store: Store) -> None:
    await put(store, event("1", 1), event("1", 2, caused_by="ask-1"), event("2", 1, caused_by="ask-2"))
    async with store.read() as rd:
        assert await rd.event_by_cause("1", "ask-1") == event("1", 2, caused_by="ask-1")
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


async def test_log_positions_follow_commits_without_a_gap(store: Store) -> None:
    await put(store, event("9", 1), event("9", 2))
    async with store.write() as tx:
        assert await tx.assign_log_seq() == 2
    await put(store, event("1", 1))
    await put(store, event("9", 3))
    async with store.write() as tx:
        assert await tx.assign_log_seq(limit=1) == 1
        assert await tx.assign_log_seq() == 1
        assert await tx.assign_log_seq() == 0
    async with store.read() as rd:
        found = await rd.events_after_log_seq(0, 10)
        assert [(row.number, row.version, row.log_seq) for row in found] == [
            ("9", 1, 1),
            ("9", 2, 2),
            ("1", 1, 3),
            ("9", 3, 4),
        ]
        assert [row.log_seq for row in await rd.events_after_log_seq(1, 2)] == [2, 3]
        assert await rd.last_log_seq() == 4


async def test_a_sequencer_that_rolls_back_leaves_no_gap(store: Store) -> None:
    await put(store, event("1", 1))

    async def breaks_off(tx: WriteTx) -> None:
        await tx.assign_log_seq()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await store.transact(breaks_off)
    async with store.write() as tx:
        await tx.assign_log_seq()
        assert await tx.last_log_seq() == 1


async def test_several_sequencers_and_writers_number_every_event_once(store: Store) -> None:
    async with store.write() as tx:
        await tx.put_cases([case(str(n)) for n in range(4)], {})

    async def write(number: str) -> None:
        for version in range(1, 6):
            await put(store, event(number, version))

    async def sequence() -> None:
        while True:
            async with store.write() as tx:
                await tx.assign_log_seq(limit=3)
                if await tx.last_log_seq() == 20:
                    return
            await asyncio.sleep(0)

    async with asyncio.timeout(30):
        await asyncio.gather(*(write(str(n)) for n in range(4)), sequence(), sequence())
    async with store.read() as rd:
        found = await rd.events_after_log_seq(0, 100)
    assert [row.log_seq for row in found] == list(range(1, 21))
    for n in range(4):
        assert [row.version for row in found if row.number == str(n)] == [1, 2, 3, 4, 5]
