"""One run of a command: its terminal, its way to nodes, who acts; and how a command joins the application.

Knows the flags that every command has. Must not know any single command. `command` is the only way in: it
gives a function `(call, own flags…)` the common flags, so that --json works everywhere.
"""

import inspect
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final

import typer
from typer.core import TyperCommand, TyperGroup
from typing_extensions import override

from nodes.cli.defaults import Defaults
from nodes.cli.names import value
from nodes.cli.reach import Node, Reach
from nodes.cli.terminal import Terminal
from nodes.cli.words import Words, words
from tongban.v1.case_pb2 import Actor, Role

Function = Callable[..., int | None]

COMMON: Final[dict[str, tuple[Any, Any]]] = {
    "node": (Annotated[str, typer.Option("--node", help="help.node", rich_help_panel="panel.common")], ""),
    "region": (
        Annotated[str, typer.Option("--region", help="help.region", rich_help_panel="panel.common")],
        "",
    ),
    "timeout_s": (
        Annotated[
            float,
            typer.Option(
                "--timeout",
                help="help.timeout",
                rich_help_panel="panel.common",
                min=0,
                max=600,
                show_default=False,
            ),
        ],
        0.0,
    ),
    "as_json": (
        Annotated[bool, typer.Option("--json", help="help.json", rich_help_panel="panel.common")],
        False,
    ),
    "lang": (Annotated[str, typer.Option("--lang", help="help.lang", rich_help_panel="panel.common")], ""),
}
"""Flags of every command: name -> (annotation, default). The default "" or 0 means: as the settings say."""

ACTING: Final[dict[str, tuple[Any, Any]]] = {
    "role": (
        Annotated[str, typer.Option("--as", help="help.as", rich_help_panel="panel.actor", metavar="ROLE")],
        "",
    ),
    "account": (
        Annotated[str, typer.Option("--account", help="help.account", rich_help_panel="panel.actor")],
        "",
    ),
    "authority": (
        Annotated[str, typer.Option("--authority", help="help.authority", rich_help_panel="panel.actor")],
        "",
    ),
    "client": (
        Annotated[str, typer.Option("--client", help="help.client", rich_help_panel="panel.actor")],
        "",
    ),
}
"""Flags of the commands that say who acts."""


@dataclass(frozen=True, slots=True)
class Call:
    """What every command gets."""

    defaults: Defaults
    terminal: Terminal
    reach: Reach
    role: str = ""
    account: str = ""
    authority: str = ""
    client: str = "cli"

    @property
    def words(self) -> Words:
        """The sentences in the reader's language."""
        return self.terminal.words

    def actor(self, node: Node, role: str, authority: str = "") -> Actor:
        """Who acts at that node: --as, else `role`; raises Failure for a role that there is not."""
        chosen = self.role or role
        return Actor(
            role=value(Role, chosen, "--as"),
            region=node.region,
            id=self.account or f"{self.client}-{chosen}",
            authority=self.authority or authority,
        )


class Verb(TyperCommand):
    """A command whose own --help is explained in the reader's language too."""

    @override
    def get_help_option(self, ctx: Any) -> Any:
        """The --help option, in our words."""
        return _in_words(super().get_help_option(ctx), ctx)


class Group(TyperGroup):
    """The same for a group of commands."""

    @override
    def get_help_option(self, ctx: Any) -> Any:
        """The --help option, in our words."""
        return _in_words(super().get_help_option(ctx), ctx)


def _in_words(option: Any, ctx: Any) -> Any:
    if option is not None:
        chosen = words(ctx.find_root().obj.lang)
        option.help = chosen("help.help")
        option.rich_help_panel = chosen("panel.options")
        option.metavar = ""
    return option


def request_id() -> str:
    """A new request id: 32 hex digits."""
    return secrets.token_hex(16)


def command(
    app: typer.Typer, name: str, *, panel: str = "panel.cases", acting: bool = False, key: str = ""
) -> Callable[[Function], Function]:
    """Add a function to the application. Its help is `help.NAME` of the table, or `key`."""
    flags = {**(ACTING if acting else {}), **COMMON}

    def register(function: Function) -> Function:
        own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
        taken = {parameter.name for parameter in own}
        shared = {flag: kind for flag, kind in flags.items() if flag not in taken}

        def run(context: typer.Context, **values: Any) -> int | None:
            common = {flag: values.pop(flag) for flag in shared}
            common.update({flag: values[flag] for flag in flags if flag in taken})
            return function(_call(context.find_root().obj, common), **values)

        keyword = inspect.Parameter.KEYWORD_ONLY
        parameters = [
            inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context),
            *(parameter.replace(kind=keyword) for parameter in own),
            *(
                inspect.Parameter(flag, keyword, annotation=annotation, default=default)
                for flag, (annotation, default) in shared.items()
            ),
        ]
        signed: Any = run
        signed.__signature__ = inspect.Signature(parameters)
        signed.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        app.command(name, cls=Verb, help=key or f"help.{name}", rich_help_panel=panel)(run)
        return function

    return register


def _call(defaults: Defaults, common: dict[str, Any]) -> Call:
    terminal = Terminal(words(common["lang"] or defaults.lang), common["as_json"])
    timeout_s = common["timeout_s"] or defaults.timeout_s
    return Call(
        defaults,
        terminal,
        Reach(defaults, common["node"], common["region"], timeout_s),
        common.get("role", ""),
        common.get("account", ""),
        common.get("authority", ""),
        common.get("client", "") or defaults.client,
    )
