"""A PostgreSQL that dies, hangs, or commits without saying so: what the caller learns, how it goes on."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from nodes.store import CommitUnknown, Retryable, Store, StoreUnavailable, WriteTx
from nodes.store.rows import StoredAnswer
from tests.contract.store.proxy import Proxy
from tests.contract.store.samples import WALL_S, answer, case, claim

pytestmark = pytest.mark.postgres
TIMEOUT_S = 1.0


@pytest.fixture
async def store(postgres_url: str) -> AsyncIterator[Store]:
    opened = await Store.open(postgres_url, timeout_s=TIMEOUT_S, pool_size=3)
    yield opened
    await opened.close()


async def put(store: Store, number: str) -> None:
    async with store.write() as tx:
        await tx.put_cases([case(number)], {})


async def file(store: Store, request_id: str) -> StoredAnswer:
    """As the desk files: claim, write, answer; after an unknown commit the same again finds the answer."""

    async def work(tx: WriteTx) -> StoredAnswer:
        found = (await tx.claim_answers([claim(request_id)], created_wall_s=WALL_S))["window-1", request_id]
        if found is None:
            found = answer(request_id)
            await tx.put_cases([case(request_id)], {})
            await tx.put_answers([found])
        return found

    try:
        return await store.transact(work, patience_s=30)
    except CommitUnknown:
        return await store.transact(work, patience_s=30)


async def test_connections_that_broke_while_idle_are_not_noticed(store: Store, postgres: Any) -> None:
    await asyncio.gather(*(put(store, str(n)) for n in range(3)))
    await asyncio.to_thread(postgres.kill)
    await asyncio.to_thread(postgres.start)
    await put(store, "9")


async def test_a_server_that_dies_in_a_transaction_is_unavailable(store: Store, postgres: Any) -> None:
    async def loses_the_server(tx: WriteTx) -> None:
        await tx.put_cases([case("1")], {})
        await asyncio.to_thread(postgres.kill)
        await tx.put_cases([case("2")], {})

    with pytest.raises(StoreUnavailable):
        await store.transact(loses_the_server, patience_s=0)
    with pytest.raises(StoreUnavailable):
        await put(store, "3")
    await asyncio.to_thread(postgres.start)
    await put(store, "1")


async def test_a_server_that_dies_before_the_commit_leaves_it_unknown(store: Store, postgres: Any) -> None:
    async def loses_the_server(tx: WriteTx) -> None:
        await tx.put_cases([case("1")], {})
        assert await tx.load_cases(["1"])  # it was sent: nothing is left to be done but the commit
        await asyncio.to_thread(postgres.kill)

    with pytest.raises(CommitUnknown):
        await store.transact(loses_the_server)
    await asyncio.to_thread(postgres.start)
    async with store.read() as rd:
        assert await rd.load_cases(["1"]) == {}


async def test_a_commit_whose_answer_was_lost_is_found_again_by_its_key(
    postgres_url: str, postgres: Any
) -> None:
    async with Proxy(postgres.port) as proxy:
        url = make_url(postgres_url).set(port=proxy.port).render_as_string(hide_password=False)
        store = await Store.open(url, timeout_s=TIMEOUT_S)
        proxy.swallow_after(b"COMMIT;")
        with pytest.raises(CommitUnknown):
            await put(store, "0")
        assert await file(store, "r0") == answer("r0")
        proxy.swallow_after(b"COMMIT;")
        assert await file(store, "r1") == answer("r1")
        async with store.read() as rd:
            assert set(await rd.load_cases(["0", "r0", "r1"])) == {"0", "r0", "r1"}
            assert await rd.find_answer("window-1", "r1") == answer("r1")
        await store.close()


async def test_a_server_that_hangs_costs_a_time_out_and_no_more(store: Store, postgres: Any) -> None:
    await put(store, "1")
    await asyncio.to_thread(postgres.pause)
    async with asyncio.timeout(TIMEOUT_S * 8):
        with pytest.raises(StoreUnavailable):
            await put(store, "2")
    await asyncio.to_thread(postgres.resume)
    await put(store, "3")


async def test_a_server_that_hangs_in_the_commit_leaves_it_unknown(store: Store, postgres: Any) -> None:
    async def loses_the_server(tx: WriteTx) -> None:
        await tx.put_cases([case("1")], {})
        assert await tx.load_cases(["1"])  # sent, as above
        await asyncio.to_thread(postgres.pause)

    async with asyncio.timeout(TIMEOUT_S * 8):
        with pytest.raises(CommitUnknown):
            await store.transact(loses_the_server)
    await asyncio.to_thread(postgres.resume)
    await put(store, "2")


async def test_work_goes_on_when_the_server_comes_back(store: Store, postgres: Any) -> None:
    await asyncio.to_thread(postgres.kill)
    waiting = asyncio.create_task(file(store, "r1"))
    await asyncio.to_thread(postgres.start)
    assert await waiting == answer("r1")


async def test_a_deadlock_is_broken_and_both_get_through_at_last(store: Store) -> None:
    await put(store, "1")
    await put(store, "2")
    both_hold = asyncio.Barrier(2)
    runs = 0

    async def lock(tx: WriteTx, first: str, second: str) -> None:
        nonlocal runs
        runs += 1
        await tx.load_cases([first], lock=True)
        if runs <= 2:
            await both_hold.wait()
        await tx.load_cases([second], lock=True)

    async with asyncio.timeout(30):
        await asyncio.gather(
            store.transact(lambda tx: lock(tx, "1", "2")), store.transact(lambda tx: lock(tx, "2", "1"))
        )
    assert runs > 2


async def test_a_lock_that_is_not_given_up_is_waited_for_a_time_only(store: Store) -> None:
    await put(store, "1")
    async with store.write() as tx:
        await tx.load_cases(["1"], lock=True)
        with pytest.raises(Retryable):
            async with store.write() as other:
                await other.load_cases(["1"], lock=True)


async def test_who_falls_asleep_with_a_lock_loses_it(store: Store) -> None:
    await put(store, "1")
    asleep = store.write()
    tx = await asleep.__aenter__()
    await tx.load_cases(["1"], lock=True)
    async with asyncio.timeout(30):
        await store.transact(lambda other: other.load_cases(["1"], lock=True), patience_s=20)
    with pytest.raises((StoreUnavailable, CommitUnknown)):
        await asleep.__aexit__(None, None, None)


async def test_a_full_pool_is_said_after_a_time_out(store: Store) -> None:
    async with store.read() as one, store.read() as two, store.read() as three:
        for rd in (one, two, three):
            await rd.load_cases(["1"])
        with pytest.raises(StoreUnavailable):
            await put(store, "1")
    await put(store, "1")
