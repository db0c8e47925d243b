"""What an earlier release left behind (see `write`), put where today's nodes look for it."""

from __future__ import annotations

import gzip
import json
import sqlite3
import time
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from nodes.business_time import BusinessClock

LEFT: Final = Path(__file__).parent / "left"
START: Final = datetime.fromisoformat("2026-11-23T10:00:00+08:00")
REGIONS: Final = ("31", "32", "33")


def said() -> dict[str, Any]:
    """What lies there: case numbers by what became of each, and the answer that was given."""
    found: dict[str, Any] = json.loads((LEFT / "left.json").read_text())
    return found


def put(folder: Path, *names: str) -> None:
    """The database files of those regions, and "bus"; messages are as old as if it had been a minute ago."""
    for name in names:
        with closing(sqlite3.connect(folder / f"{name}.db")) as link:
            link.executescript(gzip.decompress((LEFT / f"{name}.sql.gz").read_bytes()).decode())
            if name == "bus":
                since_ms = int((time.time() - 60 - said()["wall_s"]) * 1000)
                link.execute("UPDATE record SET timestamp_ms = timestamp_ms + ?", (since_ms,))
                link.commit()


def clock() -> BusinessClock:
    """An hour of business time later."""
    return BusinessClock(START + timedelta(hours=1), time.time())
