"""What the screens are made of: headings, lists of facts, lights, tables that fit 80 columns."""

from collections.abc import Iterable, Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from nodes.cli.names import code
from nodes.cli.terminal import clean
from nodes.cli.words import Words
from regions.casenumber import parse_case_number
from regions.errors import RegionsError
from tongban.v1.case_pb2 import Light

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
        if isinstance(value, Text) or value:
            grid.add_row(name, value if isinstance(value, Text) else Text(clean(value)))
    return grid


def bullet(text: str) -> Table:
    """A sentence with a dot before it, its further lines under its first."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(width=3, justify="right", no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row("·", Text(clean(text)))
    return grid


def table(
    columns: Sequence[str], rows: Iterable[Sequence[str | Text]], *, fixed: Sequence[int] = ()
) -> Table:
    """A table with a head; the columns named in `fixed` (from 0) are never broken."""
    made = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold", show_edge=False)
    for position, name in enumerate(columns):
        made.add_column(name, no_wrap=position in fixed, overflow="fold")
    for row in rows:
        made.add_row(*(cell if isinstance(cell, Text) else Text(clean(cell)) for cell in row))
    return made


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
