"""What no database may hold is refused alike by both, with the row named, and harms no neighbour."""

from collections.abc import Awaitable, Callable
from datetime import datetime

import pytest

from nodes.store import DataRejected, Store, WriteTx
from nodes.store.rows import CaseFilter, Claim
from tests.contract.store.samples import WALL_S, case, event, outbox, span

NAIVE = datetime(2026, 9, 24, 12, 0)  # noqa: DTZ001 - the fault under test

Work = Callable[[WriteTx], Awaitable[object]]


@pytest.mark.parametrize(
    ("work", "table", "key"),
    [
        (lambda tx: tx.put_cases([case("1"), case("2", matter="a\x00b")], {}), "case_row", "2"),
        (lambda tx: tx.put_cases([case("1"), case("2", matter="\ud800")], {}), "case_row", "2"),
        (lambda tx: tx.put_cases([case("1"), case("2", 2**63)], {}), "case_row", "2"),
        (lambda tx: tx.put_cases([case("1"), case("2", part_index=2**31)], {}), "case_row", "2"),
        (lambda tx: tx.put_cases([case("1"), case("2", filed_at=NAIVE)], {}), "case_row", "2"),
        (lambda tx: tx.put_cases([case("1"), case("2\x00")], {}), "case_row", "2?"),
        (lambda tx: tx.insert_outbox([outbox("1"), outbox("2", ref="\x00")]), "outbox", ""),
        (lambda tx: tx.insert_spans([span("s1", "1"), span("s2", "1", name="\ud800")]), "span", "s2"),
        (
            lambda tx: tx.claim_answers([Claim("c\x00", "r", b"")], created_wall_s=WALL_S),
            "answer",
            "c?, r",
        ),
        (lambda tx: tx.load_cases(["1\x00"], lock=True), "case_row", "1?"),
        (lambda tx: tx.list_cases(CaseFilter(state="\x00")), "case_row", "?"),
        (lambda tx: tx.find_answer("c", "\ud800"), "answer", "?"),
        (lambda tx: tx.asks_of_case("\x00"), "ask", "?"),
    ],
    ids=range(13),
)
async def test_a_value_no_database_can_hold_is_refused_by_row(
    store: Store, work: Work, table: str, key: str
) -> None:
    with pytest.raises(DataRejected) as caught:
        await store.transact(work)
    assert (caught.value.table, caught.value.key) == (table, key)


async def test_a_rejected_row_takes_no_neighbour_with_it_once_it_is_left_out(store: Store) -> None:
    async with store.write() as tx:
        await tx.insert_events([event("1", 1)])
    batch = [event("2", 1), event("1", 1), event("3", 1)]

    async def halve(events: list[object]) -> list[object]:
        """As the desk does it: roll back, halve, run again; gives what is at fault."""
        try:
            async with store.write() as tx:
                await tx.insert_events(events)  # type: ignore[arg-type]
        except DataRejected:
            if len(events) == 1:
                return events
            middle = len(events) // 2
            return await halve(events[:middle]) + await halve(events[middle:])
        return []

    assert await halve(list(batch)) == [event("1", 1)]
    async with store.read() as rd:
        assert len(await rd.events_of([("1", 1, 9), ("2", 1, 9), ("3", 1, 9)])) == 3


async def test_a_message_of_refusal_repeats_no_stored_value(store: Store) -> None:
    marker = "110101199003070012"
    with pytest.raises(DataRejected) as caught:
        async with store.write() as tx:
            await tx.put_cases([case("1", authority=marker + "\x00")], {})
    assert marker not in str(caught.value)
