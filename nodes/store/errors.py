"""What can go wrong in the store, in words that say what the caller may do next.

Knows neither dialect. No message contains a stored value other than a key.
"""

from __future__ import annotations


class StoreError(Exception):
    """Anything the store raises."""


class StoreUnavailable(StoreError):
    """The database cannot be reached, is full, or gave no connection in time. Nothing was committed; try
    later."""


class SchemaMismatch(StoreError):
    """The database's tables are not those of this release. Run the migrations."""


class Retryable(StoreError):
    """Deadlock, serialization failure, lock or statement time-out: rolled back, the same transaction may run
    again."""


class CommitUnknown(StoreError):
    """The connection broke while committing: look the keys up, then run again what is missing."""


class DataRejected(StoreError):
    """The database, or the check before it, rejects a value. Rolled back.

    `table`: whose row. `key`: its primary key as text when it is known, else "": halve the batch to find it.
    """

    def __init__(self, table: str, key: str, reason: str) -> None:
        super().__init__(f"{table} {key or '(one of the batch)'}: {reason}")
        self.table = table
        self.key = key
        self.reason = reason


class AnswerTaken(StoreError):
    """Some request of the batch has its answer already. Rolled back: claim the answers first, then work."""


class VersionConflict(StoreError):
    """A case is not at the version the caller had read. Rolled back; load it and decide again."""

    def __init__(self, number: str, expected: int | None, found: int | None) -> None:
        super().__init__(f"case {number}: expected version {expected}, found {found}")
        self.number = number
        self.expected = expected
        self.found = found


class LeaseLost(StoreError):
    """The lease has expired or another holder has it: what was done under it must not be recorded."""

    def __init__(self, name: str) -> None:
        super().__init__(f"lease {name}: lost")
        self.name = name
