"""The application: every command, put together. The one place that knows them all."""

from collections.abc import Iterable
from types import ModuleType
from typing import Annotated

import typer

from nodes.cli.defaults import Defaults
from nodes.cli.front import Front


def build_app(defaults: Defaults, *, asked: str = "") -> typer.Typer:
    """The command line with these defaults; call it, or run it in a test.

    `asked`: the command that it will be called with, where that is known.
    """
    app = typer.Typer(
        cls=Front,
        name="tongban",
        help="help.tongban",
        epilog="help.epilog",
        no_args_is_help=True,
        add_completion=False,
        context_settings={"obj": defaults},
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
    )

    def tell(asked: bool) -> None:
        if asked:
            typer.echo(defaults.version)
            raise typer.Exit

    @app.callback()
    def root(
        *,
        _lang: Annotated[str, typer.Option("--lang", help="help.lang")] = "",
        _version: Annotated[
            bool, typer.Option("--version", help="help.version", callback=tell, is_eager=True)
        ] = False,
    ) -> None:
        """What goes before a command; `front` has read it."""

    for module in _serve_alone() if asked == "serve" else _commands():
        module.add(app)
    return app


def _serve_alone() -> Iterable[ModuleType]:
    """What a node would keep in memory of the other commands, and never use, is not loaded."""
    from nodes.cli.commands import serve

    return (serve,)


def _commands() -> Iterable[ModuleType]:
    from nodes.cli.commands import (
        act,
        backup,
        cases,
        catalogue,
        codes,
        dead,
        doctor,
        file,
        migrate,
        serve,
        topics,
        trace,
        track,
    )

    return (serve, codes, catalogue, file, track, cases, act, trace, doctor, dead, topics, migrate, backup)
