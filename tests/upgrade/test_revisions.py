"""A database of any earlier revision, with rows of an earlier release in it, is brought to today's."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Table, column, create_engine, inspect, select, text
from sqlalchemy import table as plain
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from nodes.cases.case import Decision, State
from nodes.cases.commands import Decide, FinishStep
from nodes.store import current, migrate
from nodes.store.migrate import head, revisions
from nodes.store.tables import METADATA
from tests.integration.desk import federation as desk
from tests.integration.desk.federation import Ground, federation
from tests.servers.postgres import Postgres
from tests.upgrade.legacy import clock, put, said

REGION = "31"
Rows = Mapping[str, Sequence[tuple[Any, ...]]]


def of(link: Connection) -> dict[str, list[str]]:
    """Table -> columns of a database, as far as it has what this release knows."""
    there = inspect(link)
    return {
        table.name: [c["name"] for c in there.get_columns(table.name) if c["name"] in table.c]
        for table in METADATA.sorted_tables
        if there.has_table(table.name)
    }


def read(link: Connection, columns: Mapping[str, Sequence[str]]) -> Rows:
    """All rows, sorted."""
    return {
        name: sorted(
            (tuple(row) for row in link.execute(select(*(table.c[c] for c in columns[name])))), key=repr
        )
        for name, table in METADATA.tables.items()
        if name in columns
    }


def fill(link: Connection, columns: Mapping[str, Sequence[str]], rows: Rows) -> None:
    """Puts rows into the tables, and numbers go on behind them."""
    for table in METADATA.sorted_tables:
        names = columns.get(table.name, ())
        for row in rows.get(table.name, ()):
            values = dict(zip(names, row, strict=True))
            link.execute(_bare(table, names).insert().values(values))
        for key in ("id", "entry") if link.dialect.name == "postgresql" and rows.get(table.name) else ():
            if key in names and isinstance(rows[table.name][0][names.index(key)], int):
                link.execute(
                    text(
                        f"SELECT setval(pg_get_serial_sequence('{table.name}', '{key}'),"
                        f" (SELECT max({key}) FROM {table.name}))"
                    )
                )


def _bare(table: Table, names: Sequence[str]) -> Any:
    """The table without what it got later: no default of today's is written."""
    return plain(table.name, *(column(name, table.c[name].type) for name in names))


async def within(url: str, work: Any) -> Any:
    """Does it in one transaction on either database."""
    if url.startswith("sqlite"):

        def on_file() -> Any:
            engine = create_engine(url, poolclass=NullPool)
            with engine.begin() as link:
                return work(link)

        return await asyncio.to_thread(on_file)
    engine = create_async_engine(url.replace("postgresql:", "postgresql+asyncpg:", 1), poolclass=NullPool)
    async with engine.begin() as there:
        return await there.run_sync(work)


async def upgraded(url: str, revision: str, folder: Path) -> None:
    """At that revision with its rows, then at today's; a node goes on with a case in it."""
    await migrate(url, revision)
    columns = await within(url, of)
    put(folder, REGION)
    kept = folder / f"{REGION}.db"
    rows = await within(f"sqlite:///{kept}", lambda link: read(link, columns))
    assert sum(map(len, rows.values())) > 100
    kept.unlink()
    await within(url, lambda link: fill(link, columns, rows))
    assert await current(url) == revision

    assert await migrate(url) == head()
    assert await within(url, lambda link: read(link, columns)) == rows
    left = said()
    async with federation(folder, REGION, clock=clock(), bus_url=f"sqlite:///{folder}/bus.db") as (node,):
        case = await node.case(left["closed"])
        assert case is not None
        assert case.state is State.CLOSED
        for _ in range(3):
            await node.applied(left["in_review"], FinishStep("ok"))
        await node.applied(left["in_review"], Decide(Decision(True, "依据充分", "")))
        history = await node.parts.reader.history(left["in_review"])
        assert [event.version for event in history] == list(range(1, len(history) + 1))


@pytest.mark.parametrize("revision", sorted(revisions()))
async def test_on_sqlite(revision: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path}/node.db"
    ground = Ground(f"sqlite:///{tmp_path}/bus.db", lambda _: url)
    monkeypatch.setattr(desk, "ground", lambda _: ground)
    await upgraded(url, revision, tmp_path)


@pytest.mark.parametrize("revision", sorted(revisions()))
async def test_on_postgresql(
    revision: str, tmp_path: Path, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgres.url(f"upgrade_{revision[:4]}")
    ground = Ground(f"sqlite:///{tmp_path}/bus.db", lambda _: url)
    monkeypatch.setattr(desk, "ground", lambda _: ground)
    await upgraded(url, revision, tmp_path)
