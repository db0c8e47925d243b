"""One region's database: tables, queries and the unit of work.

Knows SQL, in two dialects, and the names of columns. Must not know protobuf fields, gRPC, Kafka or the rules
of a case: what it keeps are bytes and plain values.

    store = await Store.open("sqlite:///js.db")        # or postgresql://...; `await migrate(url)` first
    async with store.write() as tx:                    # committed durably when the block ends
        cases = await tx.load_cases(numbers, lock=True)
    async with store.read() as rd:                     # a snapshot
        page = await rd.list_cases(CaseFilter(open=True), limit=50)
"""

from nodes.store.errors import (
    AnswerTaken,
    CommitUnknown,
    DataRejected,
    LeaseLost,
    Retryable,
    SchemaMismatch,
    StoreError,
    StoreUnavailable,
    VersionConflict,
)
from nodes.store.migrate import current, migrate, offline_sql
from nodes.store.queries.cases import cursor_of
from nodes.store.restored import note_restored
from nodes.store.store import ReadTx, Store, WriteTx

__all__ = [
    "AnswerTaken",
    "CommitUnknown",
    "DataRejected",
    "LeaseLost",
    "ReadTx",
    "Retryable",
    "SchemaMismatch",
    "Store",
    "StoreError",
    "StoreUnavailable",
    "VersionConflict",
    "WriteTx",
    "current",
    "cursor_of",
    "migrate",
    "note_restored",
    "offline_sql",
]
