"""The file of the embedded bus: its tables and how a connection to it is opened. Knows no topic and no
group.
"""

import sqlite3
from pathlib import Path
from typing import Final

from broker.bus import BusError

APPLICATION_ID: Final = 0x746F6E67  # "tong", so that another program's file is not taken for ours
VERSION: Final = 1
OFFSET_BITS: Final = 40
"""A record's row id is its partition's id shifted by this, plus the offset: one partition lies together,
in order.
"""

TABLES: Final = """
CREATE TABLE topic (
  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, incarnation TEXT NOT NULL,
  partitions INTEGER NOT NULL, retention_ms INTEGER, compacted INTEGER NOT NULL,
  replication INTEGER NOT NULL, min_insync INTEGER NOT NULL) STRICT;
CREATE TABLE partition (
  id INTEGER PRIMARY KEY AUTOINCREMENT, topic_id INTEGER NOT NULL REFERENCES topic(id),
  number INTEGER NOT NULL, first_offset INTEGER NOT NULL DEFAULT 0, next_offset INTEGER NOT NULL DEFAULT 0,
  UNIQUE (topic_id, number)) STRICT;
CREATE TABLE record (
  id INTEGER PRIMARY KEY, timestamp_ms INTEGER NOT NULL, key BLOB NOT NULL, value BLOB,
  headers TEXT NOT NULL) STRICT;
CREATE TABLE reader_group (name TEXT PRIMARY KEY, generation INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE member (
  group_name TEXT NOT NULL, name TEXT NOT NULL, session TEXT NOT NULL UNIQUE, topics TEXT NOT NULL,
  beat REAL NOT NULL, PRIMARY KEY (group_name, name)) STRICT, WITHOUT ROWID;
CREATE TABLE holding (
  group_name TEXT NOT NULL, partition_id INTEGER NOT NULL, session TEXT NOT NULL,
  PRIMARY KEY (group_name, partition_id)) STRICT, WITHOUT ROWID;
CREATE INDEX holding_session ON holding (session);
CREATE TABLE committed (
  group_name TEXT NOT NULL, partition_id INTEGER NOT NULL, next_offset INTEGER NOT NULL,
  PRIMARY KEY (group_name, partition_id)) STRICT, WITHOUT ROWID;
"""


def first_row_id(partition_id: int, offset: int = 0) -> int:
    """The row id of `offset` in a partition; with the next partition's first it bounds a partition's
    records.
    """
    return (partition_id << OFFSET_BITS) + offset


def connect(path: Path, busy_timeout_s: float) -> sqlite3.Connection:
    """Opens the file, made ready for use by whichever process comes first.

    Raises sqlite3.Error when it cannot be opened, BusError when it is not a bus of this version.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=busy_timeout_s, isolation_level=None, check_same_thread=False)
    try:
        _prepare(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    if _version(connection, path) == 0:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # has an effect only before the first table
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("BEGIN IMMEDIATE")
        try:
            if _version(connection, path) == 0:  # another process may have been first
                for statement in TABLES.split(";\n"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {VERSION}")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
    connection.execute("PRAGMA journal_size_limit = 67108864")


def _version(connection: sqlite3.Connection, path: Path) -> int:
    """0 for an empty file, else VERSION; raises BusError for anything else."""
    for _ in range(2):  # who sees a part of what another process has just committed sees all of it then
        application_id = int(connection.execute("PRAGMA application_id").fetchone()[0])
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        if (application_id, version) == (APPLICATION_ID, VERSION):
            return version
        tables = int(connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0])
        if not (tables or version or application_id):
            return 0
    raise BusError(f"{path} is not an embedded bus of version {VERSION}; choose another file")
