"""Leases, serials and what a node keeps about itself."""

import asyncio
import time

import pytest

from nodes.store import LeaseLost, Store


async def test_a_lease_is_held_by_one_until_it_expires_or_is_released(store: Store) -> None:
    async with store.write() as tx:
        first = await tx.take_lease("timers", "process-a", ttl_s=60)
        assert first is not None
        assert first.epoch == 1
        assert await tx.take_lease("timers", "process-b", ttl_s=60) is None
        assert [lease.holder for lease in await tx.leases_held()] == ["process-a"]
        await tx.release_lease(first)
        second = await tx.take_lease("timers", "process-b", ttl_s=-1)
        assert second is not None
        assert (second.holder, second.epoch) == ("process-b", 2)
        third = await tx.take_lease("timers", "process-a", ttl_s=60)
        assert third is not None
        assert third.epoch == 3
        assert await tx.take_lease("lane-1", "process-b", ttl_s=60) is not None


async def test_an_expired_lease_nobody_took_may_be_renewed(store: Store) -> None:
    async with store.write() as tx:
        lease = await tx.take_lease("timers", "process-a", ttl_s=-1)
        assert lease is not None
        renewed = await tx.renew_lease(lease, ttl_s=60)
        assert renewed.epoch == lease.epoch
        assert renewed.expires_db_s > lease.expires_db_s
        await tx.check_lease(lease)


async def test_a_holder_that_lost_its_lease_can_do_nothing_with_it(store: Store) -> None:
    async with store.write() as tx:
        old = await tx.take_lease("timers", "process-a", ttl_s=-1)
        assert old is not None
        assert await tx.take_lease("timers", "process-b", ttl_s=60) is not None
    with pytest.raises(LeaseLost):
        async with store.write() as tx:
            await tx.renew_lease(old, ttl_s=60)
    with pytest.raises(LeaseLost):
        async with store.write() as tx:
            await tx.check_lease(old)
    async with store.write() as tx:
        await tx.release_lease(old)
        assert [lease.holder for lease in await tx.leases_held()] == ["process-b"]


async def test_a_restarted_holder_gets_its_lease_back_at_a_new_epoch(store: Store) -> None:
    async with store.write() as tx:
        first = await tx.take_lease("timers", "process-a", ttl_s=60)
        again = await tx.take_lease("timers", "process-a", ttl_s=60)
        assert first is not None
        assert again is not None
        assert again.epoch == first.epoch + 1


async def test_of_many_takers_one_wins(store: Store) -> None:
    async def take(holder: str) -> object:
        async with store.write() as tx:
            return await tx.take_lease("sequencer", holder, ttl_s=60)

    taken = await asyncio.gather(*(take(f"process-{n}") for n in range(6)))
    assert sum(lease is not None for lease in taken) == 1


async def test_several_leases_are_taken_as_one_by_one(store: Store) -> None:
    names = [f"lane-{n}" for n in range(4)]
    async with store.write() as tx:
        ours = await tx.take_leases(names[:2], "a", ttl_s=60)
        assert set(ours) == set(names[:2])
        assert set(await tx.take_leases(names, "b", ttl_s=60)) == set(names[2:])
        again = await tx.take_leases(names, "a", ttl_s=60)
        assert {name: lease.epoch for name, lease in again.items()} == {
            name: lease.epoch + 1 for name, lease in ours.items()
        }
        await tx.release_lease(again["lane-0"])
        assert set(await tx.take_leases(names, "b", ttl_s=60)) == {"lane-0", *names[2:]}
        assert await tx.take_lease("lane-1", "b", ttl_s=60) is None


async def test_of_many_takers_of_several_leases_each_is_won_once(store: Store) -> None:
    names = [f"lane-{n}" for n in range(8)]

    async def take(holder: str) -> set[str]:
        return set(await store.transact(lambda tx: tx.take_leases(names, holder, ttl_s=60)))

    taken = await asyncio.gather(*(take(f"process-{n}") for n in range(6)))
    assert sorted(name for found in taken for name in found) == names


async def test_the_clock_of_leases_is_the_databases(store: Store) -> None:
    async with store.read() as rd:
        assert abs(await rd.database_time_s() - time.time()) < 60


async def test_blocks_of_serials_do_not_overlap(store: Store) -> None:
    async def block(count: int) -> range:
        async with store.write() as tx:
            first = await tx.next_serials("case-320500", count)
            return range(first, first + count)

    blocks = await asyncio.gather(*(block(count) for count in (3, 1, 5, 2, 4)))
    assert sorted(number for found in blocks for number in found) == list(range(1, 16))
    async with store.write() as tx:
        assert await tx.next_serials("case-310100", 1) == 1


async def test_a_node_remembers_its_incarnation(store: Store) -> None:
    async with store.write() as tx:
        assert await tx.get_meta("incarnation") is None
        await tx.set_meta("incarnation", "1")
        await tx.set_meta("incarnation", "2")
    async with store.read() as rd:
        assert await rd.get_meta("incarnation") == "2"


async def test_processes_that_start_at_once_agree_on_what_the_node_keeps(store: Store) -> None:
    async def keep(value: str) -> str:
        async with store.write() as tx:
            return await tx.keep_meta("applicant_secret", value)

    kept = await asyncio.gather(*(keep(f"secret-{n}") for n in range(6)))
    assert len(set(kept)) == 1
    assert await keep("late") == kept[0]
