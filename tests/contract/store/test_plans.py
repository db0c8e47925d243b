"""No query reads a whole table, on either database: the plan of every statement is looked at."""

import importlib
import pkgutil
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import Text, func, literal, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import asyncpg as asyncpg_dialect
from sqlalchemy.sql.dml import Delete, Update
from sqlalchemy.sql.selectable import Select

from nodes.store import queries
from nodes.store.postgres import PostgresEngine
from nodes.store.queries.cases import listed
from nodes.store.rows import CaseCursor, CaseFilter
from nodes.store.tables import METADATA
from nodes.store.tables.case import ENDED_BY

PARTIAL = {
    index.name
    for table in METADATA.sorted_tables
    for index in table.indexes
    if index.dialect_options["sqlite"]["where"] is not None
}
"""Read from end to end they give what is open, unsent, due: that is what they are for."""

READS_ALL_OF_ITS_SMALL_INDEX = {
    "cases._OPEN",  # open cases by state: the partial index of the open ones
    "cases._NEXT",  # the first entry of the partial index of timers
    "events._NUMBER",  # the few events that have no place yet, found by their partial index
    "inbox._COUNT_HELD",  # a bounded table
    "inbox._COUNT_PARKED",  # parked messages are few, and looked at by people
    "leases._HELD",  # a row a lane
    "relay._COUNTS",  # the outbox, for the health page
    "repairs._LANES",  # the same
    "relay._DESTINATIONS",  # jumps through the index
}
READS_ALL_ONCE_AFTER_A_RESTORATION = {
    "recalls._LAST_CHANGE",  # how far the restored database had come
    "recalls._NUMBERS",  # what this region has filed itself: no number is given twice
    "recalls._OPEN_WITH",  # the open cases, for the count of those that others may know more of
    "recalls._POINTERS",  # what the outbox was about to send
}


def statements() -> Iterator[Any]:
    for module in pkgutil.iter_modules(queries.__path__):
        room = importlib.import_module(f"nodes.store.queries.{module.name}")
        for name, value in vars(room).items():
            if isinstance(value, (Select, Update, Delete)):
                yield pytest.param(value, f"{module.name}.{name}", id=f"{module.name}.{name}")


@pytest.mark.parametrize(("statement", "name"), list(statements()))
def test_a_statement_searches_by_an_index_on_sqlite(migrated_file: Path, statement: Any, name: str) -> None:
    expect_no_scan(name, _sqlite_plan(migrated_file, statement))


@pytest.mark.postgres
@pytest.mark.parametrize(("statement", "name"), list(statements()))
async def test_a_statement_searches_by_an_index_on_postgresql(
    migrated_postgres: str, statement: Any, name: str
) -> None:
    expect_no_scan(name, await _postgres_plan(migrated_postgres, statement))


@pytest.mark.postgres
async def test_the_plans_of_a_node_are_made_as_those_looked_at_here(migrated_postgres: str) -> None:
    """Left to itself PostgreSQL reads a table whole that it takes for empty, and keeps that plan."""
    engine = PostgresEngine(migrated_postgres, timeout_s=5.0, pool_size=1)
    setting = func.current_setting(literal("enable_seqscan", Text))
    try:
        async with engine.reading() as link:
            assert [tuple(row) for row in await link.fetch(select(setting))] == [("off",)]
    finally:
        await engine.close()


def _ended(name: str) -> CaseFilter:
    by: dict[str, Any] = {name: "x"}
    return CaseFilter(open=False, **by)


LISTS: dict[str, CaseFilter] = {
    "ix_case_row_filed_at_number": CaseFilter(),
    "ix_case_row_open_filed_at": CaseFilter(open=True, matter="HF-005", owner="34"),
    "ix_case_row_open_authority": CaseFilter(open=True, authority="a", competent="31"),
    "ix_case_row_open_light": CaseFilter(open=True, light="red"),
    "ix_case_row_ended_light": CaseFilter(open=False, light="red"),
    **{f"ix_case_row_ended_{name}": _ended(name) for name in ENDED_BY},
}
AFTER = CaseCursor(datetime(2026, 1, 5, tzinfo=UTC), "1")


@pytest.mark.parametrize(("index", "wanted"), list(LISTS.items()), ids=LISTS)
@pytest.mark.parametrize("after", [None, AFTER], ids=["first page", "next page"])
def test_a_page_of_a_list_is_read_off_an_index_in_its_order(
    migrated_file: Path, index: str, wanted: CaseFilter, after: CaseCursor | None
) -> None:
    plan = _sqlite_plan(migrated_file, listed(wanted, after=after))
    assert len(plan) == 1, plan  # no sorting beside it
    assert f"USING INDEX {index}" in plan[0], plan


@pytest.mark.postgres
@pytest.mark.parametrize(("index", "wanted"), list(LISTS.items()), ids=LISTS)
async def test_a_page_of_a_list_is_read_off_an_index_in_its_order_on_postgresql(
    migrated_postgres: str, index: str, wanted: CaseFilter
) -> None:
    plan = await _postgres_plan(migrated_postgres, listed(wanted, after=AFTER), sort=False)
    assert any(f"Index Scan Backward using {index}" in line for line in plan), plan


def expect_no_scan(name: str, plan: list[str]) -> None:
    whole = [line for line in plan if "Seq Scan on" in line or line.startswith("SCAN ")]
    whole = [line for line in whole if "json_each" not in line and not PARTIAL & set(line.split())]
    if name not in READS_ALL_OF_ITS_SMALL_INDEX | READS_ALL_ONCE_AFTER_A_RESTORATION:
        assert whole == [], plan


def _sqlite_plan(path: Path, statement: Any) -> list[str]:
    compiled = statement.compile(dialect=sqlite.dialect(paramstyle="named"))
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute(f"EXPLAIN QUERY PLAN {compiled}", dict.fromkeys(compiled.params)).fetchall()
    return [detail for *_, detail in rows]


async def _postgres_plan(url: str, statement: Any, *, sort: bool = True) -> list[str]:
    compiled = statement.compile(dialect=asyncpg_dialect.dialect())  # type: ignore[no-untyped-call]
    given = ", ".join(["NULL"] * (max(map(int, re.findall(r"\$(\d+)", str(compiled))), default=0)))
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan")
        if not sort:  # an empty table is sorted as quickly as it is read
            await connection.execute("SET enable_sort = off; SET enable_bitmapscan = off")
        await connection.execute(f"PREPARE looked_at AS {compiled}")
        rows = await connection.fetch(f"EXPLAIN EXECUTE looked_at{f'({given})' if given else ''}")
    finally:
        await connection.close()
    return [row[0] for row in rows]
