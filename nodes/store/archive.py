"""All rows of a database as files, and back: the same on either database, so that one may read the other's.

Knows tables, columns and how a value is written as JSON. Must not know materials, manifests or who asks. Rows
are read in one snapshot while the node goes on, and written in one transaction, with the next incarnation: a
database that was put back is never without the note that it was. Memory stays flat, however many there are.

    one table: NAME.jsonl.gz, a JSON array a row, in the order of the columns told; bytes as base64, times as
    ISO 8601.
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeVar, cast

from sqlalchemy import (
    Connection,
    Date,
    LargeBinary,
    Table,
    create_engine,
    delete,
    event,
    func,
    insert,
    select,
    text,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from nodes.store.alchemy import open_engine
from nodes.store.alchemy import translate as postgres_error
from nodes.store.dialect import Instant
from nodes.store.engine import file_of
from nodes.store.errors import DataRejected, SchemaMismatch, StoreError, StoreUnavailable
from nodes.store.migrate import current, head, migrate, revisions
from nodes.store.queries.events import LOG_SEQ
from nodes.store.restored import INCARNATION, PLACES, RESTORED, RESTORING
from nodes.store.sqlite_thread import connect
from nodes.store.sqlite_thread import translate as sqlite_error
from nodes.store.tables import METADATA

T = TypeVar("T")
LEFT_OUT: Final = frozenset({"lease"})
"""Who holds what now is nothing to be put back."""
AT_ONCE: Final = 500
PATIENCE_S: Final = 600.0
META: Final = METADATA.tables["node_meta"]
SERIAL: Final = METADATA.tables["serial"]
COUNTED: Final = {"outbox": "id", "case_event": "entry"}
"""Tables whose key the database counts up."""


@dataclass(frozen=True, slots=True)
class TableFile:
    """A table as a file. `sha256`: hex, of the file as it lies there; `size`: its bytes."""

    name: str
    columns: tuple[str, ...]
    rows: int
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Dump:
    """A snapshot. `region`: "" when its node has never started; `taken_wall_s`: seconds since 1970."""

    revision: str
    region: str
    incarnation: int
    taken_wall_s: float
    tables: tuple[TableFile, ...]


class NotEmpty(StoreError):
    """The database has cases already, and nobody said that they may go."""


async def dump(url: str, folder: Path) -> Dump:
    """Writes every table into `folder`. The node may run meanwhile.

    Raises SchemaMismatch when the database is not at this release's revision, StoreUnavailable, OSError.
    """
    await _expect_head(url)

    def work(connection: Connection) -> Dump:
        taken = time.time()
        meta = {row[0]: row[1] for row in connection.execute(select(META.c.key, META.c.value))}
        files = [
            _dump_table(connection, table, folder)
            for table in METADATA.sorted_tables
            if table.name not in LEFT_OUT
        ]
        incarnation = int(meta.get(INCARNATION, "1"))
        return Dump(head(), meta.get("region", ""), incarnation, taken, tuple(files))

    return await asyncio.to_thread(_reading, url, work)


async def expect_room(url: str, found: Dump, *, replace: bool) -> None:
    """Raises SchemaMismatch for a snapshot of a newer release, or a database that is of another; NotEmpty
    when the database has cases, unless they may go (`replace`); StoreUnavailable.
    """
    if found.revision not in revisions():
        raise SchemaMismatch(f"the backup is at {found.revision}, this release has {head()}")
    if _is_new(url) or (there := await current(url)) is None:
        return
    if there != head():
        raise SchemaMismatch(f"the database is {there}, this release {head()}: run `tongban migrate`")
    if not replace and await asyncio.to_thread(_reading, url, _is_used):
        raise NotEmpty("the database has cases already")


async def load(url: str, found: Dump, opened: Callable[[TableFile], BinaryIO]) -> int:
    """Puts a snapshot back, in place of what is there, and gives the incarnation under which its node goes
    on. `opened` gives the file of a table. The caller has asked `expect_room`.

    New tables are made as they were then, and brought to this release afterwards. Raises SchemaMismatch,
    DataRejected for rows that cannot be read, StoreUnavailable.
    """
    if _is_new(url) or await current(url) is None:
        await migrate(url, found.revision)
    await asyncio.to_thread(_writing, url, _mark)
    incarnation = await asyncio.to_thread(_writing, url, lambda link: _load_all(link, found, opened))
    await migrate(url)
    return incarnation


def rows_of(file: BinaryIO, table: Table, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    """The rows of a table's file. Raises DataRejected."""
    readers = [_reader(table.c[name].type) for name in columns]
    try:
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            for line in lines:
                values = json.loads(line)
                yield {
                    name: None if value is None else read(value)
                    for name, read, value in zip(columns, readers, values, strict=True)
                }
    except (OSError, EOFError, ValueError, TypeError) as error:
        raise DataRejected(table.name, "", f"a row cannot be read: {type(error).__name__}") from None


def _dump_table(connection: Connection, table: Table, folder: Path) -> TableFile:
    columns = list(table.c)
    writers = [_writer(column.type) for column in columns]
    path = folder / f"{table.name}.jsonl.gz"
    count = 0
    query = select(*columns).order_by(*table.primary_key).execution_options(yield_per=AT_ONCE)
    with path.open("wb") as raw, gzip.GzipFile("", "wb", 3, raw, mtime=0) as packed:
        for row in connection.execute(query):
            said = [
                None if value is None else write(value) for write, value in zip(writers, row, strict=True)
            ]
            packed.write((json.dumps(said, ensure_ascii=False, separators=(",", ":")) + "\n").encode())
            count += 1
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    names = tuple(column.name for column in columns)
    return TableFile(table.name, names, count, digest, path.stat().st_size)


def _load_all(connection: Connection, found: Dump, opened: Callable[[TableFile], BinaryIO]) -> int:
    files = {file.name: file for file in found.tables}
    before = connection.execute(select(META.c.value).where(META.c.key == INCARNATION)).scalar()
    for table in reversed(METADATA.sorted_tables):
        if table.name in files or table.name in LEFT_OUT:
            connection.execute(delete(table))
    for table in METADATA.sorted_tables:
        if (file := files.get(table.name)) is None:
            continue
        with opened(file) as raw:
            count = _insert(connection, table, rows_of(raw, table, file.columns))
        if count != file.rows:
            raise DataRejected(table.name, "", f"{count} rows, and {file.rows} were told")
    _count_on(connection)
    return _note(connection, max(found.incarnation, int(before or 0)) + 1)


def _insert(connection: Connection, table: Table, rows: Iterable[Mapping[str, Any]]) -> int:
    count, waiting = 0, iter(rows)
    while some := list(islice(waiting, AT_ONCE)):
        connection.execute(insert(table).inline(), some)
        count += len(some)
    return count


def _count_on(connection: Connection) -> None:
    """PostgreSQL counts its keys beside the table; SQLite goes on from the rows."""
    if connection.dialect.name != "postgresql":
        return
    for name, column in COUNTED.items():
        key = METADATA.tables[name].c[column]
        highest = connection.execute(select(func.max(key))).scalar()
        if highest is not None:
            connection.execute(
                text("SELECT setval(pg_get_serial_sequence(:t, :c), :v)"),
                {"t": name, "c": column, "v": highest},
            )


def _note(connection: Connection, incarnation: int) -> int:
    """As `restored.next_incarnation`, in the transaction that put the rows back; the mark goes."""
    notes = {INCARNATION: str(incarnation), RESTORED: repr(time.time())}
    connection.execute(delete(META).where(META.c.key.in_([*notes, RESTORING])))
    connection.execute(insert(META), [{"key": key, "value": value} for key, value in notes.items()])
    place = connection.execute(select(SERIAL.c.next).where(SERIAL.c.name == LOG_SEQ)).scalar()
    connection.execute(delete(SERIAL).where(SERIAL.c.name == LOG_SEQ))
    following = max(int(place or 1), incarnation << PLACES)
    connection.execute(insert(SERIAL), [{"name": LOG_SEQ, "next": following}])
    return incarnation


def _mark(connection: Connection) -> None:
    """From now on the database is not whole, until its rows are there."""
    connection.execute(delete(META).where(META.c.key == RESTORING))
    connection.execute(insert(META), [{"key": RESTORING, "value": "1"}])


def _is_new(url: str) -> bool:
    """A file that is not there yet: a look at it would make it."""
    file = file_of(url)
    return file is not None and not file.exists()


def _is_used(connection: Connection) -> bool:
    case = METADATA.tables["case_row"]
    return connection.execute(select(case.c.number).limit(1)).first() is not None


async def _expect_head(url: str) -> None:
    there = None if _is_new(url) else await current(url)
    if there != head():
        said = there or "empty"
        raise SchemaMismatch(f"the database is {said}, this release needs {head()}: run `tongban migrate`")


def _writer(kind: Any) -> Callable[[Any], Any]:
    if isinstance(kind, LargeBinary):
        return lambda value: base64.b64encode(value).decode()
    if isinstance(kind, (Instant, Date)):
        return lambda value: value.isoformat()
    return lambda value: value


def _reader(kind: Any) -> Callable[[Any], Any]:
    if isinstance(kind, LargeBinary):
        return lambda value: base64.b64decode(value, validate=True)
    if isinstance(kind, Instant):
        return datetime.fromisoformat
    if isinstance(kind, Date):
        return date.fromisoformat
    return lambda value: value


def _reading(url: str, work: Callable[[Connection], T]) -> T:
    return _run(url, work, writes=False)


def _writing(url: str, work: Callable[[Connection], T]) -> T:
    return _run(url, work, writes=True)


def _run(url: str, work: Callable[[Connection], T], *, writes: bool) -> T:
    path = file_of(url)
    try:
        if path is None:
            return asyncio.run(_on_postgres(url, work, writes=writes))
        return _on_sqlite(path, work, writes=writes)
    except (DBAPIError, sqlite3.Error, TimeoutError) as error:
        known = postgres_error(error) if path is None else sqlite_error(error)
        raise known or StoreUnavailable(f"the database cannot be used: {type(error).__name__}") from error


def _on_sqlite(path: Path, work: Callable[[Connection], T], *, writes: bool) -> T:
    engine = create_engine(
        "sqlite+pysqlite://", creator=lambda: connect(path, PATIENCE_S), poolclass=NullPool
    )
    begin = "BEGIN IMMEDIATE" if writes else "BEGIN"
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    try:
        with engine.begin() as connection:
            return work(connection)
    finally:
        engine.dispose()


async def _on_postgres(url: str, work: Callable[[Connection], T], *, writes: bool) -> T:
    engine = open_engine(url, timeout_s=PATIENCE_S)
    try:
        async with engine.begin() as connection:
            if not writes:
                await connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
            return cast("T", await connection.run_sync(work))
    finally:
        await engine.dispose()
