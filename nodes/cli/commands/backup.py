"""`backup` and `restore`: a node's database and materials, kept elsewhere and put back. Needs no node."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from nodes.cli.call import Call, command
from nodes.cli.exits import Exit
from nodes.cli.failures import Failure, failure
from nodes.cli.terminal import without_password
from nodes.cli.words import both

T = TypeVar("T")
Url = Annotated[str, typer.Option("--database-url", help="help.database_url")]
Materials = Annotated[Path | None, typer.Option("--materials-dir", help="help.backup.materials")]


def add(app: typer.Typer) -> None:
    """Join the application."""
    command(app, "backup", panel="panel.operator")(backup)
    command(app, "restore", panel="panel.operator")(restore)


def backup(
    call: Call,
    to: Annotated[Path, typer.Option("--to", help="help.backup.to")],
    database_url: Url = "",
    materials_dir: Materials = None,
) -> None:
    """Write a backup; the node may run meanwhile."""
    from nodes.backup import back_up

    url, materials, region = _places(call, database_url, materials_dir)
    version = call.defaults.version
    place, kept = _run(url, lambda: back_up(url, materials, to, region=region, program=version))
    call.terminal.data({"place": str(place), **kept.data()})
    call.terminal.say(
        "backup.done", style="green", place=place, region=kept.region, rows=kept.rows, files=kept.materials
    )


def restore(
    call: Call,
    source: Annotated[Path | None, typer.Option("--from", help="help.restore.from")] = None,
    database_url: Url = "",
    materials_dir: Materials = None,
    replace: Annotated[bool, typer.Option("--replace", help="help.restore.replace")] = False,
    noted: Annotated[bool, typer.Option("--noted", help="help.restore.noted")] = False,
) -> None:
    """Put a backup back, or note that it was put back by other means; the node must not run."""
    from nodes.backup import Source, opened, put_back
    from nodes.store import note_restored

    if (source is None) != noted:
        raise failure(Exit.USAGE, "which_backup")
    url, materials, region = _places(call, database_url, materials_dir)
    if source is None:
        incarnation = _run(url, lambda: note_restored(url))
        call.terminal.data({"incarnation": incarnation})
        call.terminal.say("restore.noted", style="green", incarnation=incarnation)
        return
    if not region:
        raise failure(Exit.USAGE, "whose_backup")

    async def work() -> tuple[Source, int, int]:
        with opened(source) as found:
            incarnation, missing = await put_back(found, url, materials, region=region, replace=replace)
            return found, incarnation, missing

    found, incarnation, missing = _run(url, work)
    manifest = found.manifest
    call.terminal.data(
        {
            "source": found.name,
            "region": manifest.region,
            "taken_wall_s": manifest.dump.taken_wall_s,
            "rows": manifest.rows,
            "materials": manifest.materials,
            "materials_missing": missing,
            "incarnation": incarnation,
        }
    )
    call.terminal.say(
        "restore.done", style="green", source=found.name, rows=manifest.rows, files=missing,
        incarnation=incarnation,
    )  # fmt: skip


def _places(call: Call, database_url: str, materials_dir: Path | None) -> tuple[str, Path, str]:
    """Database, materials and region. Raises Failure when one of the first two is not said."""
    url = database_url or call.defaults.database_url
    if not url:
        raise failure(Exit.USAGE, "which_database")
    materials = materials_dir or call.defaults.materials_dir
    if materials is None:
        raise failure(Exit.USAGE, "which_materials")
    return url, materials, call.reach.region or call.defaults.region


def _run(url: str, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """What it gives. Raises Failure for whatever stands in its way."""
    from nodes.backup import BackupError
    from nodes.store import DataRejected, SchemaMismatch, StoreError
    from nodes.store.archive import NotEmpty

    shown = without_password(url)
    try:
        return asyncio.run(work())
    except BackupError as error:
        end = {"NO_BACKUP": Exit.NOT_FOUND, "BAD_BACKUP": Exit.CHECK_FAILED}.get(error.code, Exit.REFUSED)
        advice = both("next.bad_backup") if end is Exit.CHECK_FAILED else ("", "")
        said = both("fail.backup", reason=error.detail)
        raise Failure(end, error.code, said, advice) from None
    except NotEmpty:
        raise failure(Exit.REFUSED, "not_empty", url=shown) from None
    except (SchemaMismatch, DataRejected) as error:
        raise failure(Exit.REFUSED, "schema", url=shown, reason=error) from None
    except StoreError as error:
        said = both("fail.database", url=shown, reason=error)
        raise Failure(Exit.UNREACHABLE, "DATABASE", said, both("next.database", url=shown)) from None
    except OSError as error:
        raise failure(Exit.REFUSED, "disk", reason=error.strerror or error) from None
