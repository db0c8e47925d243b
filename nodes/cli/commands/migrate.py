"""`migrate`: bring a database to the schema of this program. Talks to the database itself; needs no node."""

import asyncio
from typing import Annotated

import typer

from nodes.cli.call import Call, command
from nodes.cli.exits import Exit
from nodes.cli.failures import Failure, failure
from nodes.cli.names import wrong
from nodes.cli.terminal import without_password
from nodes.cli.words import both


def add(app: typer.Typer) -> None:
    """Join the application."""
    command(app, "migrate", panel="panel.operator")(migrate)


def migrate(
    call: Call,
    database_url: Annotated[str, typer.Option("--database-url", help="help.database_url")] = "",
    sql: Annotated[str, typer.Option("--sql", help="help.migrate.sql", metavar="DIALECT")] = "",
) -> None:
    """Run what is missing of the migrations, in order; or print them as SQL."""
    from nodes.store import StoreError, current, offline_sql
    from nodes.store import migrate as bring_up

    if sql:
        if sql not in ("sqlite", "postgresql"):
            raise wrong("--sql", "one_of", given=sql, known="sqlite, postgresql")
        told = offline_sql("sqlite" if sql == "sqlite" else "postgresql")
        call.terminal.data({"dialect": sql, "sql": told})
        if not call.terminal.as_json:
            call.terminal.write(told)
        return
    url = database_url or call.defaults.database_url
    if not url:
        raise failure(Exit.USAGE, "which_database")
    shown = without_password(url)
    try:
        before = asyncio.run(current(url))
        after = asyncio.run(bring_up(url))
    except StoreError as error:
        said = both("fail.database", url=shown, reason=error)
        raise Failure(Exit.UNREACHABLE, "DATABASE", said, both("next.database", url=shown)) from None
    call.terminal.data({"database_url": shown, "before": before or "", "after": after})
    key = "migrate.nothing" if before == after else "migrate.done"
    call.terminal.say(key, style="green", url=shown, revision=after)
