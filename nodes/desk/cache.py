"""Decoded cases, kept from one batch to the next.

Knows cases by number and by the last hash of their row. Must not know what is done with them.
"""

from __future__ import annotations

from nodes.cases.case import Case
from nodes.store.rows import CaseRow


class CaseCache:
    """The cases that were decoded last, by number; valid only together with the last hash of the stored
    row.
    """

    def __init__(self, size: int = 2048) -> None:
        self._size = size
        self._cases: dict[str, tuple[bytes, Case]] = {}

    def get(self, row: CaseRow) -> Case | None:
        """The case as the row has it, or None."""
        last_hash, case = self._cases.get(row.number, (b"", None))
        return case if last_hash == row.last_hash else None

    def keep(self, case: Case, last_hash: bytes) -> None:
        """Keep it while it is open: a closed case is hardly ever asked for again."""
        if case.open:
            self.put(case, last_hash)
        else:
            self._cases.pop(case.number, None)

    def put(self, case: Case, last_hash: bytes) -> None:
        """Keep it; the one kept longest goes when there is no room."""
        self._cases.pop(case.number, None)
        self._cases[case.number] = (last_hash, case)
        if len(self._cases) > self._size:
            del self._cases[next(iter(self._cases))]
