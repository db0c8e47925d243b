"""The outbox: in order per case, no destination in another's way, no mark by a stale holder."""

import pytest

from nodes.store import LeaseLost, Store
from nodes.store.rows import OutboxRow, SentTail
from tests.contract.store.samples import WALL_S, outbox


async def put(store: Store, *rows: OutboxRow) -> None:
    async with store.write() as tx:
        await tx.insert_outbox(rows)


async def test_rows_of_a_case_come_in_the_order_in_which_they_were_written(store: Store) -> None:
    rows = [
        outbox("1", from_version=n, to_version=n, payload=b"\x00" if n % 2 else None) for n in range(1, 6)
    ]
    await put(store, *rows[:2])
    await put(store, *rows[2:])
    async with store.read() as rd:
        found = await rd.outbox_ready([0])
    assert [row.from_version for row in found] == [1, 2, 3, 4, 5]
    assert [row.id for row in found] == sorted(row.id for row in found)
    assert found[0] == outbox("1", id=found[0].id, payload=b"\x00")


async def test_a_long_queue_to_one_destination_does_not_hide_another(store: Store) -> None:
    await put(store, *(outbox(f"dead-{n}", "33") for n in range(20)), outbox("1", "34"), outbox("2", "34", 1))
    async with store.read() as rd:
        found = await rd.outbox_ready([0, 1], limit=3)
        assert [row.case_number for row in found] == [*(f"dead-{n}" for n in range(6)), "1", "2"]
        alive = await rd.outbox_ready([0, 1], limit=3, skip_destinations=["33"])
        assert [row.case_number for row in alive] == ["1", "2"]
        assert [row.case_number for row in await rd.outbox_ready([1])] == ["2"]
        assert await rd.outbox_ready([7]) == []


async def test_rows_in_flight_are_passed_over(store: Store) -> None:
    await put(store, *(outbox(str(n)) for n in range(5)))
    async with store.read() as rd:
        first = await rd.outbox_ready([0], limit=2)
        rest = await rd.outbox_ready([0], limit=2, skip_ids=[row.id for row in first])
    assert [row.case_number for row in first + rest] == ["0", "1", "2", "3"]


async def test_many_destinations_and_lanes_are_all_read(store: Store) -> None:
    rows = [outbox(f"{d}-{lane}", f"{d:02}", lane) for d in range(9) for lane in range(16)]
    await put(store, *rows)
    async with store.read() as rd:
        assert len(await rd.outbox_ready(range(16), limit=1)) == 9 * 16
        assert {row.lane for row in await rd.outbox_ready(range(0, 16, 2))} == set(range(0, 16, 2))


async def test_what_was_sent_is_gone_and_its_id_is_not_given_again(store: Store) -> None:
    await put(store, outbox("1"), outbox("2"))
    async with store.write() as tx:
        ids = [row.id for row in await tx.outbox_ready([0])]
        assert await tx.delete_outbox(ids) == 2
    await put(store, outbox("3"))
    async with store.write() as tx:
        assert await tx.delete_outbox(ids) == 0  # a late mark, repeated after an unknown commit
        assert [row.case_number for row in await tx.outbox_ready([0])] == ["3"]


async def test_a_holder_whose_lease_was_taken_marks_nothing_sent(store: Store) -> None:
    await put(store, outbox("1"))
    async with store.write() as tx:
        old = await tx.take_lease("lane-0", "process-a", ttl_s=-1)
        ids = [row.id for row in await tx.outbox_ready([0])]
    async with store.write() as tx:
        assert await tx.take_lease("lane-0", "process-b", ttl_s=60)
    with pytest.raises(LeaseLost):
        async with store.write() as tx:
            await tx.delete_outbox(ids, lease=old)
    async with store.read() as rd:
        assert len(await rd.outbox_ready([0])) == 1


async def test_a_mark_over_several_lanes_is_whole_or_nothing(store: Store) -> None:
    await put(store, outbox("1", lane=0), outbox("2", lane=1))
    async with store.write() as tx:
        held = await tx.take_leases(["lane-0", "lane-1"], "process-a", -1)
        mine = [held["lane-0"], held["lane-1"]]
        ids = [row.id for row in await tx.outbox_ready([0, 1])]
        assert await tx.take_lease("lane-1", "process-b", ttl_s=60)
    with pytest.raises(LeaseLost):
        async with store.write() as tx:
            await tx.mark_sent(ids, mine)
    async with store.write() as tx:
        assert [row.id for row in await tx.outbox_ready([0, 1])] == ids
        await tx.mark_sent(ids[:1], mine[:1])
        await tx.note_sent([("33", "1", 1)], wall_s=1.0)
        assert [row.id for row in await tx.outbox_ready([0, 1])] == ids[1:]


async def test_what_waits_is_counted_by_destination(store: Store) -> None:
    await put(store, outbox("1", "33", created_wall_s=5.0), outbox("2", "33"), outbox("3", "34"))
    async with store.read() as rd:
        assert await rd.outbox_counts() == {"33": (2, 5.0), "34": (1, WALL_S)}


async def test_a_lost_tail_is_found_until_it_is_acknowledged(store: Store) -> None:
    async with store.write() as tx:
        await tx.note_sent([("33", "1", 2), ("33", "1", 4), ("33", "2", 1), ("34", "1", 9)], wall_s=10.0)
        await tx.note_sent([("33", "1", 3), ("34", "1", 9)], wall_s=20.0)
        await tx.note_acked([("33", "1", 2), ("33", "2", 1), ("33", "7", 1)])
    async with store.read() as rd:
        assert await rd.sent_tails("33", ["1", "2", "3"]) == {
            "1": SentTail("33", "1", 4, 2, 20.0, 0),
            "2": SentTail("33", "2", 1, 1, 10.0, 0),
        }
        assert [row.case_number for row in await rd.unacked_before(20.5, 9)] == ["1", "1"]
        assert await rd.unacked_before(20.0, 9) == []
    async with store.write() as tx:
        await tx.note_acked([("33", "1", 4), ("33", "1", 3)])
        assert await tx.unacked_before(99.0, 9) == [SentTail("34", "1", 9, 0, 20.0, 2)]
        assert await tx.trim_sent_tails(before_wall_s=15.0, limit=9) == 1
        assert list(await tx.sent_tails("33", ["1", "2"])) == ["1"]
