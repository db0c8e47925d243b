"""Asks: numbered without a gap by their asker, kept until they have an outcome."""

from dataclasses import replace

import pytest

from nodes.store import DataRejected, Store
from tests.contract.store.samples import ask


async def test_an_ask_comes_out_as_it_went_in_and_takes_its_outcome(store: Store) -> None:
    rows = [ask("a1", "1"), ask("a2", "1", 2, last_sent_wall_s=5.0), ask("a3", "2")]
    async with store.write() as tx:
        await tx.insert_asks(rows)
    refused = replace(
        rows[0], state="refused", refusal_code="ALREADY_DECIDED", refusal_detail="decided first"
    )
    applied = replace(rows[1], state="applied", outcome_version=7)
    async with store.write() as tx:
        assert await tx.load_asks(["a1", "a9"], lock=True) == {"a1": rows[0]}
        await tx.settle_asks([applied, refused])
        await tx.note_ask_forwarded("a3", "34")
    async with store.read() as rd:
        assert await rd.asks_of_case("1") == [refused, applied]
        assert (await rd.load_asks(["a3"]))["a3"].forwarded_to == "34"


async def test_asks_are_numbered_from_one_for_each_case_and_asker(store: Store) -> None:
    async with store.write() as tx:
        await tx.insert_asks([ask("a1", "1"), ask("a2", "1", 2), ask("a3", "1", 1, asker="33")])
        assert await tx.next_ask_seqs("32", ["1", "2"]) == {"1": 3, "2": 1}
        assert await tx.next_ask_seqs("33", ["1"]) == {"1": 2}


@pytest.mark.parametrize("twice", [ask("a1", "9"), ask("a9", "1")], ids=["id", "place"])
async def test_an_id_and_a_place_are_taken_once(store: Store, twice: object) -> None:
    async with store.write() as tx:
        await tx.insert_asks([ask("a1", "1")])
    with pytest.raises(DataRejected):
        async with store.write() as tx:
            await tx.insert_asks([twice])  # type: ignore[list-item]


async def test_pending_asks_are_sent_again_after_a_time(store: Store) -> None:
    rows = [
        ask("never", "1"),
        ask("long-ago", "2", last_sent_wall_s=10.0),
        ask("just-now", "3", last_sent_wall_s=90.0),
        ask("answered", "4", state="applied", outcome_version=2),
        ask("of-another", "5", asker="33"),
    ]
    async with store.write() as tx:
        await tx.insert_asks(rows)
    async with store.write() as tx:
        found = await tx.pending_asks("32", before_wall_s=50.0, limit=9)
        assert {row.ask_id for row in found} == {"never", "long-ago"}
        await tx.note_asks_sent([row.ask_id for row in found], wall_s=95.0)
        assert await tx.pending_asks("32", before_wall_s=50.0, limit=9) == []
        assert (await tx.load_asks(["never"]))["never"].attempts == 1
