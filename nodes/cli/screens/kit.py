"""What the screens are made of: headings, lists of facts, lights, tables that fit 80 columns."""

from collections.abc import Iterable, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from nodes.cli.names import code
from nodes.cli.terminal import clean
from nodes.cli.words import Words
from regions.casenumber import parse_case_number
from regions.errors import RegionsError
from tongban.v1.case_pb2 import Light

NARROW = 72
"""Columns below which a table that does not fit becomes a list."""
LIGHT_STYLES = {"green": "green", "yellow": "yellow", "red": "bold red"}


def heading(text: str) -> Text:
    """The first line of a screen."""
    return Text(clean(text), style="bold")


def facts(rows: Iterable[tuple[str, str | Text]]) -> Table:
    """Names and values, one under the other; rows without a value are left out."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in rows:
        if said := value if isinstance(value, Text) else Text(clean(value)):
            grid.add_row(name, said)
    return grid


def bullet(text: str) -> Table:
    """A sentence with a dot before it, its further lines under its first."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(width=3, justify="right", no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row("·", Text(clean(text)))
    return grid


class Rows:
    """Rows under a head: a table, or where the reader's terminal is too narrow for it one list a row."""

    def __init__(self, made: Table, lists: Sequence[Table]) -> None:
        self._table, self._lists = made, lists

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Whichever of the two can be read."""
        wanted = console.measure(self._table, options=options.update_width(10_000)).maximum
        if options.max_width >= min(NARROW, wanted):
            yield self._table
            return
        for position, one in enumerate(self._lists):
            if position:
                yield Text()
            yield one


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[str | Text]],
    *,
    fixed: Sequence[int] = (),
    title: str | None = None,
) -> Rows:
    """A table with a head; the columns named in `fixed` (from 0) are never broken."""
    made = Table(
        box=SIMPLE_HEAD,
        pad_edge=False,
        header_style="bold",
        show_edge=False,
        title=title,
        title_justify="left",
    )
    for position, name in enumerate(columns):
        made.add_column(name, no_wrap=position in fixed, overflow="fold")
    cells = [[cell if isinstance(cell, Text) else Text(clean(cell)) for cell in row] for row in rows]
    for row in cells:
        made.add_row(*row)
    return Rows(made, [facts(zip(columns, row, strict=True)) for row in cells])


def command_line(text: str) -> Text:
    """A command to be copied: never broken."""
    return Text(clean(text), no_wrap=True, overflow="ignore")


def light(value: int, words: Words) -> Text:
    """A light as a coloured dot and its word, so that it can be read without colour."""
    short = code(Light, value)
    if not short:
        return Text("")
    return Text(f"● {words.name('light', short)}", style=LIGHT_STYLES.get(short, ""))


def number(text: str) -> str:
    """A case number in its printed groups; as it is when it is none."""
    try:
        return parse_case_number(text).printable
    except RegionsError:
        return clean(text)
