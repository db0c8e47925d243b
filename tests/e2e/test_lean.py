"""A node that serves has in memory what it uses: no command line, no migration, no driver of another kind."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from nodes.store.migrate import current, head, migrate
from tests.servers.process import LOOPBACK, wait_until

OTHERS = ("aiokafka", "asyncpg", "sqlalchemy.ext.asyncio", "opentelemetry.sdk", "opentelemetry.exporter")
"""What belongs to Kafka, PostgreSQL and a collector."""
SELDOM = ("alembic", "mako", "nodes.backup", "nodes.demo", "nodes.store.alchemy", "nodes.store.archive")
SPOKEN = (
    "rich.console", "pygments", "typer.rich_utils",
    "nodes.cli.commands.track", "nodes.cli.console", "nodes.cli.filing", "nodes.cli.screens",
)  # fmt: skip
START_S = 120.0


def among(names: set[str], unwanted: tuple[str, ...]) -> list[str]:
    """Those of the modules that are unwanted, or inside one that is."""
    return sorted(name for name in names if any(f"{name}.".startswith(f"{room}.") for room in unwanted))


def test_a_node_on_files_loads_no_server_no_migration_and_no_command_line(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/node.db"
    asyncio.run(migrate(database))
    settings = {
        "TONGBAN_REGION": "32",
        "TONGBAN_LISTEN": f"{LOOPBACK}:0",
        "TONGBAN_DATABASE_URL": database,
        "TONGBAN_BUS_URL": f"sqlite:///{tmp_path}/bus.db",
        "TONGBAN_MATERIALS_DIR": str(tmp_path / "materials"),
        "TONGBAN_LOG_FORMAT": "json",
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TONGBAN_")}
    log = tmp_path / "log"
    command = [sys.executable, "-X", "importtime", "-m", "nodes", "serve"]
    with log.open("wb") as file:
        node = subprocess.Popen(command, env={**kept, **settings}, stdout=file, stderr=file)
    try:
        wait_until(
            lambda: '"serving"' in log.read_text() or node.poll() is not None,
            within_s=START_S, otherwise=log.read_text,
        )  # fmt: skip
        node.send_signal(signal.SIGTERM)
        assert node.wait(60) == 0, log.read_text()
    finally:
        node.kill()
        node.wait()
    rows = [line.split("|") for line in log.read_text().splitlines() if line.startswith("import time:")]
    loaded = {row[-1].strip() for row in rows}
    assert {"nodes.desk.desk", "nodes.cli.commands.serve", "nodes.store.sqlite", "structlog.dev"} <= loaded
    assert among(loaded, (*OTHERS, *SELDOM, *SPOKEN)) == []


def in_a_process_of_its_own(program: str, *words: str) -> set[str]:
    """The names of the modules that it had when it was done."""
    program += "\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


def test_the_assembly_loads_neither_kind_before_it_is_told_which() -> None:
    loaded = in_a_process_of_its_own("import nodes.assembly")
    assert among(loaded, (*OTHERS, *SELDOM, "sqlite3", "broker.kafka", "broker.sqlite")) == []


def test_the_memory_of_a_migration_goes_with_its_process(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/new/node.db"
    program = "import sys\nfrom nodes.store.migrate import migrate_apart\nmigrate_apart(sys.argv[1])"
    loaded = in_a_process_of_its_own(program, database)
    assert asyncio.run(current(database)) == head()
    assert among(loaded, ("alembic", "mako")) == []


def test_a_migration_apart_that_fails_leaves_it_to_the_next_to_say_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    program = "import sys\nfrom nodes.store.migrate import migrate_apart\nmigrate_apart(sys.argv[1])"
    in_a_process_of_its_own(program, f"sqlite:///{tmp_path}/file/node.db")
