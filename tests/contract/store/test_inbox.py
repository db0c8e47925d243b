"""What came in: seen once, offsets with what they cover, holes and parked messages."""

import pytest

from nodes.store import Store, WriteTx
from nodes.store.rows import BusOffset, GapRequest, HeldRow
from tests.contract.store.samples import WALL_S, parked


def held(number: str, version: int) -> HeldRow:
    return HeldRow(number, version, b"record\x00", "32", "00-tp", WALL_S)


async def test_a_message_is_new_once(store: Store) -> None:
    async with store.write() as tx:
        first = await tx.record_seen([("32", "a"), ("32", "b"), ("32", "a")], wall_s=1.0)
        assert first == {("32", "a"), ("32", "b")}
    async with store.write() as tx:
        assert await tx.record_seen([("32", "a"), ("33", "a")], wall_s=2.0) == {("33", "a")}
        assert await tx.record_seen([], wall_s=2.0) == set()
        assert await tx.trim_inbox(before_wall_s=1.5, limit=9) == 2
        assert await tx.record_seen([("32", "a")], wall_s=3.0) == {("32", "a")}


async def test_an_offset_is_stored_with_what_it_covers_or_not_at_all(store: Store) -> None:
    async def breaks_off(tx: WriteTx) -> None:
        await tx.record_seen([("32", "a")], wall_s=1.0)
        await tx.put_offsets([BusOffset("inbox.31", 0, "log-1", 8)])
        raise ZeroDivisionError

    async with store.write() as tx:
        await tx.put_offsets([BusOffset("inbox.31", 1, "log-1", 5), BusOffset("inbox.31", 0, "log-1", 7)])
    with pytest.raises(ZeroDivisionError):
        await store.transact(breaks_off)
    async with store.write() as tx:
        assert (await tx.load_offsets("inbox.31"))[0] == BusOffset("inbox.31", 0, "log-1", 7)
        assert await tx.record_seen([("32", "a")], wall_s=1.0) == {("32", "a")}
        await tx.put_offsets([BusOffset("inbox.31", 0, "log-2", n) for n in (9, 0)])  # the last one stands
    async with store.read() as rd:
        assert await rd.load_offsets("inbox.31") == {
            0: BusOffset("inbox.31", 0, "log-2", 0),
            1: BusOffset("inbox.31", 1, "log-1", 5),
        }
        assert await rd.load_offsets("inbox.32") == {}


async def test_what_came_too_early_is_held_within_bounds(store: Store) -> None:
    async with store.write() as tx:
        assert await tx.hold([held("1", 7), held("1", 4), held("2", 3)], most=3) == 0
        assert await tx.hold([held("1", 5), held("1", 6), held("1", 5)], most=3) == 1
        assert [(row.case_number, row.version) for row in await tx.held(["1", "2"])] == [
            ("1", 4),
            ("1", 5),
            ("1", 6),
            ("2", 3),
        ]
        assert await tx.count_held() == 4
        await tx.drop_held([("1", 5), ("2", 9)])
        assert await tx.held(["1", "2"]) == [held("1", 6)]


async def test_a_hole_is_asked_for_until_it_is_filled(store: Store) -> None:
    async with store.write() as tx:
        await tx.put_gap_requests([GapRequest("1", 4, 10.0, 1), GapRequest("2", 2, 20.0, 1)])
        await tx.put_gap_requests([GapRequest("1", 5, 30.0, 2)])
        assert await tx.gap_requests(["1", "3"]) == {"1": GapRequest("1", 5, 30.0, 2)}
        assert await tx.gaps_before(25.0, 9) == [GapRequest("2", 2, 20.0, 1)]
        await tx.close_gaps(["2", "9"])
        assert await tx.gaps_before(99.0, 9) == [GapRequest("1", 5, 30.0, 2)]


async def test_a_parked_message_keeps_its_bytes_and_tells_how_far_the_sender_is(store: Store) -> None:
    async with store.write() as tx:
        await tx.park([parked("p1", "1"), parked("p2"), parked("p3", "1"), parked("p4", "2")])
        await tx.note_seen_while_parked([("1", 9), ("1", 7)])
        await tx.settle_parked(["p3"], "dropped")
    async with store.read() as rd:
        assert await rd.parked_of_cases(["1", "3"]) == [parked("p1", "1", highest_seen=9)]
        assert await rd.find_parked("p2") == parked("p2")
        assert await rd.find_parked("p9") is None
        assert await rd.count_parked() == 3
        page = await rd.list_parked(limit=2)
        assert [row.id for row in page] == ["p1", "p2"]
        assert [row.id for row in await rd.list_parked(after=page[-1].id)] == ["p4"]
        assert [row.id for row in await rd.list_parked(state=None)] == ["p1", "p2", "p3", "p4"]


async def test_a_log_made_anew_may_park_at_an_offset_that_was_parked_before(store: Store) -> None:
    async with store.write() as tx:
        await tx.park([parked("p1", log_offset=0)])
        await tx.park([parked("p2", log_offset=0)])
