"""First answers: one winner a key, the same bytes for everybody after."""

import asyncio

import pytest

from nodes.store import AnswerTaken, Store, WriteTx
from tests.contract.store.samples import WALL_S, answer, claim


async def test_the_first_claim_wins_and_the_next_gets_its_answer(store: Store) -> None:
    async with store.write() as tx:
        assert await tx.claim_answers([claim("r1")], created_wall_s=WALL_S) == {("window-1", "r1"): None}
        await tx.put_answers([answer("r1")])
    async with store.write() as tx:
        again = await tx.claim_answers([claim("r1"), claim("r2")], created_wall_s=WALL_S + 9)
        assert again == {("window-1", "r1"): answer("r1"), ("window-1", "r2"): None}
        await tx.drop_claims([("window-1", "r2")])
    async with store.read() as rd:
        assert await rd.find_answer("window-1", "r1") == answer("r1")
        assert await rd.find_answer("window-1", "r2") is None


async def test_answers_are_given_without_a_claim_where_there_is_none(store: Store) -> None:
    async with store.write() as tx:
        await tx.give_answers([answer("r2"), answer("r1")])
    async with store.read() as rd:
        assert await rd.find_answer("window-1", "r1") == answer("r1")
    with pytest.raises(AnswerTaken):
        async with store.write() as tx:
            await tx.give_answers([answer("r3"), answer("r1", wall_s=WALL_S + 1)])
    async with store.read() as rd:
        assert await rd.find_answer("window-1", "r1") == answer("r1")
        assert await rd.find_answer("window-1", "r3") is None


async def test_of_two_that_give_one_answer_at_once_one_is_told(store: Store) -> None:
    given, taken = 0, 0

    async def gives(wall_s: float) -> None:
        nonlocal given, taken
        try:
            async with store.write() as tx:
                await tx.give_answers([answer("r1", wall_s=wall_s), answer("r2", wall_s=wall_s)])
                await asyncio.sleep(0)
            given += 1
        except AnswerTaken:
            taken += 1

    await asyncio.gather(gives(WALL_S), gives(WALL_S + 1))
    assert (given, taken) == (1, 1)


async def test_a_request_id_belongs_to_its_client(store: Store) -> None:
    async with store.write() as tx:
        claims = [claim("r1"), claim("r1", client="window-2")]
        assert set((await tx.claim_answers(claims, created_wall_s=WALL_S)).values()) == {None}
        await tx.put_answers([answer("r1"), answer("r1", client="window-2")])
    async with store.read() as rd:
        found = await rd.find_answers([("window-1", "r1"), ("window-2", "r9")])
    assert list(found) == [("window-1", "r1")]


async def test_a_key_twice_in_one_batch_is_claimed_once(store: Store) -> None:
    async with store.write() as tx:
        assert len(await tx.claim_answers([claim("r1"), claim("r1")], created_wall_s=WALL_S)) == 1
        await tx.put_answers([answer("r1")])


async def test_the_loser_waits_for_the_winners_answer(store: Store) -> None:
    won = asyncio.Event()

    async def winner() -> None:
        async with store.write() as tx:
            await tx.claim_answers([claim("r1")], created_wall_s=WALL_S)
            won.set()
            await asyncio.sleep(0)
            await tx.put_answers([answer("r1")])

    async def loser() -> object:
        await won.wait()
        async with store.write() as tx:
            return (await tx.claim_answers([claim("r1")], created_wall_s=WALL_S + 1))["window-1", "r1"]

    _, found = await asyncio.gather(winner(), loser())
    assert found == answer("r1")


async def test_a_claim_that_was_rolled_back_is_free(store: Store) -> None:
    async def breaks_off(tx: WriteTx) -> None:
        await tx.claim_answers([claim("r1")], created_wall_s=WALL_S)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await store.transact(breaks_off)
    async with store.write() as tx:
        assert await tx.claim_answers([claim("r1")], created_wall_s=WALL_S) == {("window-1", "r1"): None}
        await tx.put_answers([answer("r1")])


async def test_old_answers_are_trimmed_a_part_at_a_time(store: Store) -> None:
    async with store.write() as tx:
        await tx.put_answers([answer(f"r{n}", wall_s=WALL_S + n) for n in range(5)])
        assert await tx.trim_answers(before_wall_s=WALL_S + 3, limit=2) == 2
        assert await tx.trim_answers(before_wall_s=WALL_S + 3, limit=2) == 1
        assert set(await tx.find_answers([("window-1", f"r{n}") for n in range(5)])) == {
            ("window-1", "r3"),
            ("window-1", "r4"),
        }
