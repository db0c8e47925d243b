"""Case rows: what is put comes out, at expected versions only, listed page by page."""

import asyncio
from dataclasses import replace

import pytest

from nodes.store import Store, VersionConflict, cursor_of
from nodes.store.rows import CaseFilter
from tests.contract.store.samples import NOON, at, case, filing


async def test_a_case_comes_out_as_it_went_in(store: Store) -> None:
    rows = [case("1"), case("2", due_at=None, next_due_at=None, lead="1", part_index=2, parked=True)]
    async with store.write() as tx:
        await tx.put_cases(rows, {})
        await tx.insert_filings([filing("1")])
    async with store.read() as rd:
        assert await rd.load_cases(["2", "1", "3"]) == {"1": rows[0], "2": rows[1]}
        assert await rd.load_filings(["1", "2"]) == {"1": filing("1")}
        assert await rd.load_cases([]) == {}


async def test_a_changed_case_replaces_the_version_it_was_loaded_at(store: Store) -> None:
    async with store.write() as tx:
        await tx.put_cases([case("1"), case("2")], {})
    async with store.write() as tx:
        loaded = await tx.load_cases(["1", "2"], lock=True)
        changed = replace(loaded["1"], version=3, state="accepted", open=False)
        await tx.put_cases([changed, case("3")], {"1": 1})
    async with store.read() as rd:
        assert await rd.load_cases(["1", "2", "3"]) == {"1": changed, "2": case("2"), "3": case("3")}


@pytest.mark.parametrize(
    ("row", "expected", "named"),
    [
        (case("1", 3), {"1": 2}, ("1", 2, 1)),
        (case("9", 3), {"9": 2}, ("9", 2, None)),
        (case("1", 3), {}, ("1", None, 1)),
    ],
    ids=["stale", "gone", "not new"],
)
async def test_another_version_is_a_conflict_that_names_the_case(
    store: Store, row: object, expected: dict[str, int], named: tuple[object, ...]
) -> None:
    async with store.write() as tx:
        await tx.put_cases([case("1")], {})
    with pytest.raises(VersionConflict) as caught:
        async with store.write() as tx:
            await tx.put_cases([case("5"), row], expected)  # type: ignore[list-item]
    assert (caught.value.number, caught.value.expected, caught.value.found) == named
    async with store.read() as rd:
        assert await rd.load_cases(["1", "5", "9"]) == {"1": case("1")}


async def test_locks_are_taken_in_key_order_so_opposite_batches_do_not_deadlock(store: Store) -> None:
    numbers = [str(n) for n in range(20)]
    async with store.write() as tx:
        await tx.put_cases([case(number) for number in numbers], {})

    async def advance(order: list[str]) -> None:
        async with store.write() as tx:
            loaded = await tx.load_cases(order, lock=True)
            await asyncio.sleep(0)
            versions = {number: row.version for number, row in loaded.items()}
            await tx.put_cases([replace(loaded[n], version=versions[n] + 1) for n in order], versions)

    await asyncio.gather(*(advance(numbers if n % 2 else numbers[::-1]) for n in range(8)))
    async with store.read() as rd:
        assert {row.version for row in (await rd.load_cases(numbers)).values()} == {9}


async def test_pages_follow_each_other_without_gap_or_repetition(store: Store) -> None:
    rows = [case(f"{n:02}", filed_at=at(n // 3)) for n in range(20)]  # three share each time
    async with store.write() as tx:
        await tx.put_cases(rows, {})
    seen: list[str] = []
    async with store.read() as rd:
        page = await rd.list_cases(limit=7)
        while page:
            seen += [row.number for row in page]
            page = await rd.list_cases(after=cursor_of(page[-1]), limit=7)
    assert seen == [f"{n:02}" for n in reversed(range(20))]


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        (CaseFilter(state="accepted"), ["2"]),
        (CaseFilter(kind="lead"), ["3"]),
        (CaseFilter(owner="33", owned=False), ["3"]),
        (CaseFilter(matter="m2"), ["2"]),
        (CaseFilter(origin="34", competent="31"), ["4"]),
        (CaseFilter(light="red", open=True), ["2"]),
        (CaseFilter(open=False), ["4"]),
        (CaseFilter(parked=True), ["1"]),
        (CaseFilter(parked=False, authority="a2"), ["2"]),
        (CaseFilter(lead="3"), ["5"]),
        (CaseFilter(applicant_key="bb"), ["1"]),
        (CaseFilter(state="nothing"), []),
    ],
    ids=repr,
)
async def test_every_filter_holds(store: Store, wanted: CaseFilter, numbers: list[str]) -> None:
    rows = [
        case("1", parked=True),
        case("2", state="accepted", light="red", matter="m2", authority="a2"),
        case("3", kind="lead", owner="33", owned=False),
        case("4", origin="34", open=False),
        case("5", lead="3", part_index=1),
    ]
    async with store.write() as tx:
        await tx.put_cases(rows, {})
        await tx.insert_filings([filing("1", "bb"), filing("2", "cc")])
    async with store.read() as rd:
        assert [row.number for row in await rd.list_cases(wanted)] == numbers


async def test_due_cases_come_earliest_first_and_only_with_a_timer(store: Store) -> None:
    rows = [case("1", next_due_at=at(2)), case("2", next_due_at=at(1)), case("3", next_due_at=None)]
    async with store.write() as tx:
        await tx.put_cases([*rows, case("4", next_due_at=at(9))], {})
    async with store.read() as rd:
        assert await rd.due_cases(before=at(2), limit=9) == [("2", at(1)), ("1", at(2))]
        assert await rd.due_cases(before=at(2), limit=1) == [("2", at(1))]
        assert await rd.next_due() == at(1)


async def test_the_parts_of_a_lead_come_in_their_order(store: Store) -> None:
    async with store.write() as tx:
        await tx.put_cases(
            [case("b", lead="L", part_index=2), case("a", lead="L", part_index=1), case("L")], {}
        )
    async with store.read() as rd:
        assert [row.number for row in await rd.parts_of("L")] == ["a", "b"]
        assert await rd.parts_of("") == []


async def test_open_cases_are_counted_by_state(store: Store) -> None:
    async with store.write() as tx:
        await tx.put_cases([case("1"), case("2", state="accepted"), case("3", open=False)], {})
    async with store.read() as rd:
        assert await rd.count_open() == {"filed": 1, "accepted": 1}


async def test_times_keep_their_microseconds_and_sort_by_instant(store: Store) -> None:
    shanghai = NOON.astimezone()
    async with store.write() as tx:
        await tx.put_cases(
            [case("1", filed_at=shanghai.replace(microsecond=1)), case("2", filed_at=NOON)], {}
        )
    async with store.read() as rd:
        assert [row.filed_at for row in await rd.list_cases()] == [NOON, NOON.replace(microsecond=1)]
