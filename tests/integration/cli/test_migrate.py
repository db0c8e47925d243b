"""`tongban migrate` on a real PostgreSQL, at once or by the SQL that somebody else runs."""

import json

from nodes.store.migrate import head
from tests.integration.cli.conftest import Run
from tests.servers.postgres import Postgres


def test_a_database_is_brought_up_once(run: Run, postgres: Postgres) -> None:
    where = ("--database-url", postgres.url("cli_migrate"))
    made = run("migrate", *where, "--json")
    assert made.exit_code == 0, made.output
    assert {key: json.loads(made.stdout)[key] for key in ("before", "after")} == {
        "before": "",
        "after": head(),
    }
    again = run("migrate", *where, columns=200)
    assert (again.exit_code, f"is at {head()} already" in again.output) == (0, True)
    seen = run("doctor", *where, "--json")
    found = {item["name"]: item["state"] for item in json.loads(seen.stdout)["findings"]}
    assert found["database"] == "up"


def test_the_sql_for_somebody_else_to_run_brings_it_to_the_same(run: Run, postgres: Postgres) -> None:
    where = postgres.url("cli_offline")
    sql = run("migrate", "--sql", "postgresql")
    assert (sql.exit_code, sql.stderr) == (0, "")
    postgres.execute(sql.stdout, database="cli_offline")
    found = run("migrate", "--database-url", where, "--json")
    assert json.loads(found.stdout)["before"] == head()
    assert json.loads(run("migrate", "--sql", "sqlite", "--json").stdout)["dialect"] == "sqlite"


def test_a_server_that_is_away_is_told_without_the_password(run: Run) -> None:
    away = run("migrate", "--database-url", "postgresql://u:hush@127.0.0.1:1/x", columns=200)
    assert away.exit_code == 6
    assert "hush" not in away.output
    assert "u:***@127.0.0.1:1" in away.stderr
    assert "--database-url" in away.stderr
