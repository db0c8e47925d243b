"""How a test damages what a run left behind: rows, events with everything that follows from them, the bus."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from tests.fault.checker.facts import Call
from tests.fault.checker.history import read_history
from tests.unit.fault_checker.healthy import REGIONS, Run
from tongban.v1.event_pb2 import EventCore, EventRecord
from tongban.v1.exchange_pb2 import Exchange


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection whose changes are kept. Nothing that the schema forbids is forbidden to damage."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        yield connection
        connection.commit()


def sql(run: Run, region: str, text: str, *values: Any) -> int:
    """One statement on a region's database; fails when it changed nothing."""
    with opened(run.database(region)) as connection:
        changed = connection.execute(text, values).rowcount
    assert changed, text
    return changed


def fetch(run: Run, region: str, text: str, *values: Any) -> list[tuple[Any, ...]]:
    with opened(run.database(region)) as connection:
        return connection.execute(text, values).fetchall()


def history(run: Run, change: Callable[[Call], Call | None]) -> None:
    """Every call as `change` makes it, None: left out."""
    calls = [made for call in read_history(run.history) if (made := change(call)) is not None]
    run.history.write_text("".join(json.dumps(asdict(call)) + "\n" for call in calls), encoding="utf-8")


def add_call(run: Run, like: Callable[[Call], bool], **changes: Any) -> None:
    """One more call, after all others, like the first of those."""
    calls = read_history(run.history)
    first = next(call for call in calls if like(call))
    ended = max(call.end_ns for call in calls)
    more = replace(first, **{"start_ns": ended + 1, "end_ns": ended + 2, **changes})
    with run.history.open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(more)) + "\n")


def rewritten(run: Run, number: str, edit: Callable[[EventCore], None], *, torn_at: int = 0) -> None:
    """The whole case as if its events had been so: cores, hashes, rows and messages follow.

    `torn_at`: the version that does not follow from the one before.
    """
    old = _cores(run, number)
    cores: dict[int, bytes] = {}
    before = b""
    for version in sorted(old):
        core = EventCore.FromString(old[version])
        edit(core)
        core.prev_hash = bytes(32) if version == torn_at else before
        cores[version] = core.SerializeToString(deterministic=True)
        before = hashlib.sha256(cores[version]).digest()
    for region in REGIONS:
        with opened(run.database(region)) as connection:
            for version, core_bytes in cores.items():
                connection.execute(
                    "UPDATE case_event SET core = ?, hash = ? WHERE number = ? AND version = ?",
                    (core_bytes, hashlib.sha256(core_bytes).digest(), number, version),
                )
                connection.execute(
                    "UPDATE case_row SET last_hash = ? WHERE number = ? AND version = ?",
                    (hashlib.sha256(core_bytes).digest(), number, version),
                )
    _on_the_bus(run, number, cores)


def _cores(run: Run, number: str) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    for region in REGIONS:
        found |= fetch_map(run, region, number)
    assert sorted(found) == list(range(1, len(found) + 1))
    return found


def fetch_map(run: Run, region: str, number: str) -> dict[int, bytes]:
    return dict(fetch(run, region, "SELECT version, core FROM case_event WHERE number = ?", number))


def _on_the_bus(run: Run, number: str, cores: dict[int, bytes]) -> None:
    with opened(run.bus) as connection:
        rows = connection.execute("SELECT id, value FROM record WHERE key = ?", (number.encode(),)).fetchall()
        for row_id, value in rows:
            exchange = Exchange.FromString(value)
            for record in records_of(exchange):
                record.core = cores[EventCore.FromString(record.core).version]
            connection.execute(
                "UPDATE record SET value = ? WHERE id = ?", (exchange.SerializeToString(), row_id)
            )


def records_of(exchange: Exchange) -> list[EventRecord]:
    kind = exchange.WhichOneof("content")
    if kind in {"events", "service_request"}:
        return list(getattr(exchange, kind).records)
    return []


def version_of(run: Run, number: str, kind: str) -> int:
    """The version of the first event of that type."""
    cores = _cores(run, number)
    return next(v for v in sorted(cores) if EventCore.FromString(cores[v]).type == kind)


def without_rules(run: Run, region: str, table: str) -> None:
    """The same table without keys and indexes, so that what the schema forbids can be planted."""
    with opened(run.database(region)) as connection:
        connection.execute(f"CREATE TABLE loose AS SELECT * FROM {table}")
        connection.execute(f"DROP TABLE {table}")
        connection.execute(f"ALTER TABLE loose RENAME TO {table}")


def edited(run: Run, case: str, kind: str, edit: Callable[[EventCore], None]) -> None:
    """The first event of that type is another, and everything that follows from its bytes with it."""
    number = run.cases[case]
    version = version_of(run, number, kind)

    def at_version(core: EventCore) -> None:
        if core.version == version:
            edit(core)

    rewritten(run, number, at_version)


def cause_of(run: Run, region: str, number: str, version: int) -> str:
    text = "SELECT caused_by FROM case_event WHERE number = ? AND version = ?"
    return str(fetch(run, region, text, number, version)[0][0])


def on_bus(run: Run, number: str, source: str, edit: Callable[[Exchange], bool]) -> None:
    """The first message about the case from that region for which `edit` says that it changed it."""
    with opened(run.bus) as connection:
        rows = connection.execute(
            "SELECT id, value FROM record WHERE key = ? AND headers LIKE ? ORDER BY id",
            (number.encode(), f"%/regions/{source}%"),
        ).fetchall()
        for row_id, value in rows:
            exchange = Exchange.FromString(value)
            if edit(exchange):
                changed = (exchange.SerializeToString(), row_id)
                connection.execute("UPDATE record SET value = ? WHERE id = ?", changed)
                return
    raise AssertionError("no such message")


def forgotten(run: Run, region: str, number: str) -> None:
    """The region no longer has the case."""
    for table, column in (("case_row", "number"), ("case_event", "number"), ("filing", "case_number")):
        sql(run, region, f"DELETE FROM {table} WHERE {column} = ?", number)
