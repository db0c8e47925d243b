"""Materials known by digest and use; spans kept whole traces at a time."""

from datetime import date

import pytest

from nodes.store import DataRejected, Store
from nodes.store.rows import MaterialFetch, MaterialRow, MaterialUse
from tests.contract.store.samples import WALL_S, case, span

DAY = date(2026, 9, 24)


def material(sha256: str, *, stored: bool = True, wall_s: float = WALL_S) -> MaterialRow:
    return MaterialRow(sha256, 1000, "application/pdf", stored, wall_s)


async def test_what_is_held_for_a_person_is_stored_unexpired_and_theirs(store: Store) -> None:
    uses = [
        MaterialUse("aa", "1", "id-card", "person-1", None),
        MaterialUse("bb", "2", "id-card", "person-1", DAY),
        MaterialUse("cc", "3", "id-card", "person-1", date(2026, 9, 23)),
        MaterialUse("dd", "4", "id-card", "person-1", None),
        MaterialUse("aa", "5", "id-card", "person-2", None),
        MaterialUse("aa", "1", "photo", "person-1", None),
    ]
    async with store.write() as tx:
        digests = ("aa", "bb", "cc", "dd")
        await tx.insert_materials(
            [material(sha, stored=sha != "dd", wall_s=n) for n, sha in enumerate(digests)]
        )
        await tx.insert_material_uses(uses)
        await tx.insert_material_uses(uses)
    async with store.read() as rd:
        assert await rd.held_for("person-1", ["id-card", "other"], on=DAY) == [uses[1], uses[0]]
        assert await rd.materials_of_case("1") == [uses[0], uses[5]]


async def test_a_material_becomes_stored_and_never_unstored(store: Store) -> None:
    async with store.write() as tx:
        await tx.insert_materials([material("aa", stored=False), material("bb", stored=False)])
        await tx.insert_materials([material("aa"), material("bb", stored=False)])
        await tx.insert_materials([material("aa", stored=False)])
        await tx.note_stored([])
        assert await tx.load_materials(["aa", "bb", "cc"]) == {
            "aa": material("aa"),
            "bb": material("bb", stored=False),
        }


async def test_a_use_of_an_unknown_material_is_rejected(store: Store) -> None:
    with pytest.raises(DataRejected):
        async with store.write() as tx:
            await tx.insert_material_uses([MaterialUse("ff", "1", "id-card", "person-1", None)])


async def test_downloads_are_taken_up_again_where_they_stopped(store: Store) -> None:
    async with store.write() as tx:
        await tx.insert_materials([material("aa", stored=False), material("bb", stored=False)])
        await tx.put_fetches([MaterialFetch("aa", "1", "32"), MaterialFetch("bb", "1", "32", attempts=1)])
        await tx.put_fetches([MaterialFetch("aa", "1", "32", 512, "wanted", 2)])
        assert [row.sha256 for row in await tx.fetches_wanted(9)] == ["bb", "aa"]
        await tx.put_fetches([MaterialFetch("bb", "1", "32", 1000, "done", 2)])
        assert await tx.fetches_wanted(9) == [MaterialFetch("aa", "1", "32", 512, "wanted", 2)]
        assert [row.state for row in await tx.fetches_of_case("1")] == ["wanted", "done"]


async def test_spans_are_found_by_case_and_by_trace_and_stored_once(store: Store) -> None:
    rows = [span("s1", "1", 30), span("s2", "1", 20, recovered=True), span("s3", "2", 10, trace_id="ef" * 16)]
    async with store.write() as tx:
        await tx.insert_spans(rows)
        await tx.insert_spans([span("s1", "9", 99)])
    async with store.read() as rd:
        assert await rd.spans_of_case("1") == [rows[1], rows[0]]
        assert await rd.spans_of_cases(["1", "2"]) == [rows[2], rows[1], rows[0]]
        assert await rd.spans_of_trace("ab" * 16) == [rows[1], rows[0]]
        assert await rd.known_spans(["s1", "s7"]) == {"s1"}


async def test_only_whole_old_traces_of_closed_cases_are_trimmed(store: Store) -> None:
    closed, busy, late = "aa" * 16, "bb" * 16, "cc" * 16
    async with store.write() as tx:
        await tx.put_cases([case("1", open=False), case("2"), case("3", open=False)], {})
        await tx.insert_spans(
            [
                span("s1", "1", 10, trace_id=closed),
                span("s2", "1", 20, trace_id=closed),
                span("s3", "2", 10, trace_id=busy),
                span("s4", "3", 10, trace_id=late),
                span("s5", "3", 90, trace_id=late),
            ]
        )
        assert await tx.trim_spans(before_ns=50, limit=100) == 2
        assert await tx.known_spans(["s1", "s2", "s3", "s4", "s5"]) == {"s3", "s4", "s5"}
