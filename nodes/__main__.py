"""Where the program starts: the settings become plain values, and the command line gets them.

Knows settings, the command line and the two ways to run nodes. Must not know what any command does.
"""

import importlib
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NoReturn

import uvloop

from broker.topics import DAY_MS, TopicPlan
from nodes.business_time import BusinessClock
from nodes.cli.app import build_app
from nodes.cli.defaults import Defaults
from nodes.cli.exits import Exit
from nodes.cli.words import words
from nodes.memory import keep_lean, settle, share_heaps
from nodes.settings import Settings, SettingsError, language, load, unknown


def main() -> NoReturn:
    """Run the command line; ends the process with one of the exit codes of docs/cli.md."""
    try:
        settings = load()
    except SettingsError as error:
        sys.exit(_refused(error))
    build_app(defaults_of(settings), asked=sys.argv[1] if len(sys.argv) > 1 else "")()
    sys.exit(Exit.OK)


def defaults_of(settings: Settings) -> Defaults:
    """The plain values that the command line works with."""
    return Defaults(
        lang=settings.lang or language(),
        version=_version(),
        serve=_serve,
        demo=_demo,
        node=settings.node,
        region=settings.region,
        nodes_file=settings.nodes_file,
        client=settings.client,
        timeout_s=settings.rpc_timeout_s,
        peers=settings.peers,
        database_url=settings.database if settings.region else settings.database_url,
        materials_dir=settings.materials if settings.region else settings.materials_dir,
        bus_url=settings.bus_url,
        bus_is_named="bus_url" in settings.model_fields_set,
        topics=TopicPlan(
            partitions=settings.partitions,
            retention_ms=round(settings.topic_retention_days * DAY_MS),
            promised_outage_ms=round(settings.promised_outage_days * DAY_MS),
            replication=settings.replication,
            min_insync=settings.min_insync,
        ),
        clock=BusinessClock(settings.business_start, settings.business_epoch_s, settings.business_rate),
        unknown_settings=unknown(),
    )


def _serve(overrides: Mapping[str, Any]) -> int:
    share_heaps()
    _load_without("structlog", "rich")
    serve = importlib.import_module("nodes.assembly").serve
    migrate_apart = importlib.import_module("nodes.store.migrate").migrate_apart

    settle()
    keep_lean()
    try:
        settings = load(**overrides)
        migrate_apart(settings.database)
        uvloop.run(serve(settings))
    except SettingsError as error:
        code = _refused(error)
        store_errors = importlib.import_module("nodes.store.errors")
        return Exit.UNREACHABLE if isinstance(error.__cause__, store_errors.StoreUnavailable) else code
    return Exit.OK


def _load_without(library: str, other: str) -> None:
    """Import a library that takes another along wherever that is installed, as if it were not.

    structlog would draw tracebacks with rich, which takes 4 MB of every process that has it.
    """
    if library not in sys.modules:
        had = sys.modules.get(other)
        sys.modules[other] = None  # type: ignore[assignment]  # so an import of it fails, as Python has it
        try:
            importlib.import_module(library)
        finally:
            del sys.modules[other]
            if had is not None:
                sys.modules[other] = had


def _demo(overrides: Mapping[str, Any], options: Mapping[str, Any]) -> int:
    rehearsal = importlib.import_module("nodes.demo.rehearsal")
    config_of = importlib.import_module("nodes.assembly").config_of

    try:
        common = config_of(load(**overrides))
    except SettingsError as error:
        return _refused(error)
    wish = rehearsal.Wish(**{**overrides, **options})
    return int(rehearsal.run(common, wish, words(wish.lang).name))


def _refused(error: SettingsError) -> int:
    chinese = language() == "zh"
    for name, reason in error.problems:
        sys.stderr.write(f"{'设置有误' if chinese else 'setting'} {name}: {reason}\n")
    advice = "各项设置见 docs/settings.md。" if chinese else "docs/settings.md explains every setting."
    sys.stderr.write(f"{advice}\n")
    return Exit.SETTINGS


def _version() -> str:
    try:
        return version("tongban")
    except PackageNotFoundError:
        return "unknown"


if __name__ == "__main__":
    main()
