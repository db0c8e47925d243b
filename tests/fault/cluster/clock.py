"""A node's business clock as a file of eight bytes (microseconds since 1970) that a test sets, also back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from struct import Struct
from typing import Final

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
CELL: Final = Struct("<q")
START: Final = datetime.fromisoformat("2026-09-21T09:00:00+08:00")
"""A Monday with two public holidays before it."""


@dataclass(frozen=True, slots=True)
class ClockFile:
    """`path`: what the node is told to read."""

    path: Path

    def put(self, at: datetime) -> None:
        """Let it be `at`, aware. The file stays the same file: nodes have it mapped."""
        said = CELL.pack((at - EPOCH) // timedelta(microseconds=1))
        if not self.path.exists():
            self.path.write_bytes(said)
        with self.path.open("r+b") as file:
            file.write(said)

    def move(self, by: timedelta) -> None:
        """On by so much, or back."""
        self.put(self.now() + by)

    def now(self) -> datetime:
        """As it stands."""
        return EPOCH + timedelta(microseconds=CELL.unpack(self.path.read_bytes())[0])
