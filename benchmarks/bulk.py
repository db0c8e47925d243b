"""Stored cases in bulk: copies, by SQL alone, of one closed case that a database has.

Knows the tables filing, case_row and case_event, and how a case number is composed. A copy has its own
number, applicant and time of receipt, and a place in the log below those that the node gives; its events are
the template's bytes. Must not know nodes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date

import asyncpg

from nodes.store.tables import METADATA
from regions.casenumber import case_number

CITY, DAY, INCARNATION = "320100", date(2026, 1, 5), 9999
AT_ONCE = 20_000
LITE = {
    "filed_at": "strftime('%Y-%m-%dT%H:%M:%f', '2026-01-05', '-' || (k.n / 10.0) || ' seconds')"
    " || '000+00:00'",
    "event_id": "k.number || '-' || t.version",
}
GREAT = {
    "filed_at": "timestamptz '2026-01-05 00:00+00' - k.n * interval '100 milliseconds'",
    "event_id": "k.number || '-' || t.version",
}
COMMON = {
    "number": "k.number",
    "case_number": "k.number",
    "applicant_key": "k.number",
    "log_seq": "-(k.n * 64 + t.version)",
}
TABLES = (("filing", "case_number"), ("case_row", "number"), ("case_event", "number"))


def keys(count: int, first: int = 1) -> Iterator[tuple[int, str]]:
    """(n, case number), from the serial `first` on."""
    return ((n, str(case_number(CITY, DAY, INCARNATION, n))) for n in range(first, first + count))


def statements(template: str, own: dict[str, str]) -> Iterator[str]:
    """One insert a table, reading the numbers from the temporary table `bench_key`."""
    ways = {**COMMON, **own}
    for name, key in TABLES:
        columns = [c.name for c in METADATA.tables[name].columns if c.name != "entry"]
        taken = ", ".join(ways.get(column, f't."{column}"') for column in columns)
        listed = ", ".join(f'"{column}"' for column in columns)
        yield (
            f'INSERT INTO "{name}" ({listed}) SELECT {taken} FROM bench_key k, "{name}" t'
            f" WHERE t.\"{key}\" = '{template}'"
        )


async def fill(url: str, template: str, count: int) -> None:
    """Copies the case `template` so many times, a transaction for every AT_ONCE."""
    if url.startswith("sqlite:///"):
        _fill_lite(url.removeprefix("sqlite:///"), template, count)
        return
    link = await asyncpg.connect(url)
    try:
        await link.execute("CREATE TEMP TABLE bench_key (n bigint, number text)")
        await link.execute("SET synchronous_commit = off")
        for first in range(1, count + 1, AT_ONCE):
            await link.execute("TRUNCATE bench_key")
            some = list(keys(min(AT_ONCE, count + 1 - first), first))
            await link.copy_records_to_table("bench_key", records=some)
            async with link.transaction():
                for statement in statements(template, GREAT):
                    await link.execute(statement)
        await link.execute("ANALYZE")
    finally:
        await link.close()


def _fill_lite(path: str, template: str, count: int) -> None:
    with closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as link:
        link.execute("PRAGMA synchronous = OFF")
        link.execute("CREATE TEMP TABLE bench_key (n integer, number text)")
        for first in range(1, count + 1, AT_ONCE):
            link.execute("BEGIN IMMEDIATE")
            link.execute("DELETE FROM bench_key")
            some = keys(min(AT_ONCE, count + 1 - first), first)
            link.executemany("INSERT INTO bench_key VALUES (?, ?)", some)
            for statement in statements(template, LITE):
                link.execute(statement)
            link.execute("COMMIT")
        link.execute("PRAGMA wal_checkpoint(TRUNCATE)")
