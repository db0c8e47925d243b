"""A transaction is whole or nothing, a snapshot stays still, and nobody's end is another's trouble."""

import asyncio
from contextlib import suppress

import pytest

from nodes.store import DataRejected, Retryable, SchemaMismatch, Store, StoreUnavailable, WriteTx
from tests.contract.store.conftest import Backend
from tests.contract.store.samples import case, event, filing, outbox


async def put(store: Store, *numbers: str, durable: bool = True) -> None:
    async with store.write(durable=durable) as tx:
        await tx.put_cases([case(number) for number in numbers], {})


async def numbers_in(store: Store) -> set[str]:
    async with store.read() as rd:
        return {row.number for row in await rd.list_cases()}


async def test_what_is_rolled_back_is_never_seen(store: Store) -> None:
    async def breaks_off(tx: WriteTx) -> None:
        await tx.put_cases([case("1")], {})
        await tx.insert_filings([filing("1")])
        await tx.insert_events([event("1", 1)])
        await tx.insert_outbox([outbox("1")])
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await store.transact(breaks_off)
    async with store.read() as rd:
        assert await rd.load_cases(["1"]) == {}
        assert await rd.load_filings(["1"]) == {}
        assert await rd.events("1") == []
        assert await rd.outbox_ready([0]) == []


async def test_what_is_committed_is_there_after_opening_again(store: Store, backend: Backend) -> None:
    await put(store, "1")
    await put(store, "2", durable=False)
    await put(store, "3")
    await store.close()
    again = await Store.open(backend.url)
    assert await numbers_in(again) == {"1", "2", "3"}
    await again.close()


async def test_a_snapshot_does_not_see_what_is_committed_meanwhile(store: Store) -> None:
    await put(store, "1")
    async with store.read() as rd:
        assert set(await rd.load_cases(["1", "2"])) == {"1"}
        await put(store, "2")
        assert set(await rd.load_cases(["1", "2"])) == {"1"}
    assert await numbers_in(store) == {"1", "2"}


async def test_statements_without_a_snapshot_see_what_is_committed_before_each(
    store: Store, backend: Backend
) -> None:
    await put(store, "1")
    async with store.read(snapshot=False) as rd:
        assert set(await rd.load_cases(["1", "2"])) == {"1"}
        await put(store, "2")
        later = {"1", "2"} if backend.name == "postgresql" else {"1"}  # SQLite gives more than is asked for
        assert set(await rd.load_cases(["1", "2"])) == later
    with pytest.raises(ZeroDivisionError):
        async with store.read(snapshot=False):
            raise ZeroDivisionError
    assert await numbers_in(store) == {"1", "2"}


async def test_a_transaction_sees_what_it_has_written(store: Store) -> None:
    async with store.write() as tx:
        await tx.put_cases([case("1")], {})
        assert set(await tx.load_cases(["1"])) == {"1"}
        await tx.put_cases([case("1", 2)], {"1": 1})
        assert (await tx.load_cases(["1"]))["1"].version == 2


async def test_more_readers_than_there_are_connections_take_turns(store: Store) -> None:
    await put(store, "1")
    assert await asyncio.gather(*(numbers_in(store) for _ in range(30))) == [{"1"}] * 30


async def test_a_cancelled_writer_leaves_nothing_and_nobody_waits_for_it(store: Store) -> None:
    begun = asyncio.Event()

    async def never_ends(tx: WriteTx) -> None:
        await tx.put_cases([case("1")], {})
        await tx.load_cases(["1"], lock=True)
        begun.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(store.transact(never_ends))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await put(store, "1", "2")
    assert await numbers_in(store) == {"1", "2"}


@pytest.mark.parametrize("turns", range(1, 8))
async def test_a_writer_cancelled_at_any_moment_leaves_all_or_nothing(store: Store, turns: int) -> None:
    rows = {str(n) for n in range(200)}
    task = asyncio.create_task(put(store, *rows))
    for _ in range(turns):
        await asyncio.sleep(0)
    ended = task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    await put(store, "x")
    found = await numbers_in(store)
    assert found in ({"x"}, {"x", *rows})
    assert ended or found > rows  # who was told that it is written finds it


async def test_a_transaction_is_run_again_until_it_gets_through(store: Store) -> None:
    runs = 0

    async def third_time_lucky(tx: WriteTx) -> str:
        nonlocal runs
        runs += 1
        await tx.put_cases([case(str(runs))], {})
        if runs < 3:
            raise Retryable("deadlock")
        return "done"

    assert await store.transact(third_time_lucky) == "done"
    assert await numbers_in(store) == {"3"}


async def test_patience_ends_and_what_cannot_get_better_is_not_repeated(store: Store) -> None:
    runs = 0

    async def hopeless(tx: WriteTx) -> None:
        nonlocal runs
        runs += 1
        raise Retryable("deadlock")

    async def wrong(tx: WriteTx) -> None:
        nonlocal runs
        runs += 1
        raise DataRejected("case_row", "1", "no")

    with pytest.raises(Retryable):
        await store.transact(hopeless, patience_s=0.05)
    assert runs > 1
    runs = 0
    with pytest.raises(DataRejected):
        await store.transact(wrong)
    assert runs == 1


@pytest.mark.parametrize(
    "url", ["mysql://host/db", "sqlite://", "nonsense", "sqlite:////no/such/folder/x.db"], ids=str
)
async def test_a_database_that_cannot_be_is_refused_by_name(url: str) -> None:
    with pytest.raises(StoreUnavailable, match="database"):
        await Store.open(url)


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(StoreUnavailable):
        await Store.open("postgresql://nobody@127.0.0.1:9/nothing", timeout_s=2)


async def test_an_empty_database_asks_for_migration(tmp_path: object) -> None:
    with pytest.raises(SchemaMismatch, match="tongban migrate"):
        await Store.open(f"sqlite:///{tmp_path}/empty.db")
