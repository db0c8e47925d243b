"""The SQL of all migrations, as an administrator runs it, makes the same tables as the program does."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

from nodes.store import current, migrate, offline_sql
from nodes.store.migrate import head
from tests.servers.postgres import Postgres, programs


def dumped(postgres: Postgres, url: str) -> list[str]:
    """The schema as pg_dump tells it, without comments and the lines that differ from call to call."""
    command = [str(programs() / "pg_dump"), "--schema-only", "--no-owner", "--no-privileges", url]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [line for line in said.splitlines() if line and not line.startswith(("--", "\\"))]


async def test_offline_sql_makes_what_the_program_makes(postgres: Postgres, tmp_path: Path) -> None:
    by_hand, by_program = postgres.url("by_hand"), postgres.url("by_program")
    script = tmp_path / "all.sql"
    script.write_text(offline_sql("postgresql"))
    psql = [str(programs() / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", str(script), by_hand]
    done = await asyncio.to_thread(subprocess.run, psql, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    await migrate(by_program)
    found = dumped(postgres, by_hand)
    assert found == dumped(postgres, by_program)
    assert sum(line.startswith("CREATE TABLE") for line in found) > 10
    assert await current(by_hand) == head()
    await migrate(by_hand)  # the program finds nothing left to do
    assert dumped(postgres, by_hand) == found
