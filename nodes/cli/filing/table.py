"""A file of filings, CSV or JSON lines, as numbered lines of named columns.

Knows encodings, separators and what a broken line looks like. Must not know what a column means. A line that
cannot be read carries its problem instead of columns; the others go on.
"""

import codecs
import csv
import hashlib
import io
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from nodes.cli.exits import Exit
from nodes.cli.failures import Failure, Problem, failure
from nodes.cli.filing.form import column_problems
from nodes.cli.words import both

MAX_BYTES: Final = 512 * 1024 * 1024
MAX_LINE_CHARACTERS: Final = 1_000_000
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_FORMULA: Final = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n", "'")
"""What a formula begins with, in a spreadsheet of any language."""
_NESTED: Final = {"places": "place_", "facts": "fact_", "part_areas": "part_area_"}


@dataclass(frozen=True, slots=True)
class Line:
    """One filing of a file. number: of its first physical line, from 1; problem: set when unreadable."""

    number: int
    columns: dict[str, str] = field(default_factory=dict)
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A file that was read. digest: SHA-256 of its bytes, hex; columns: of a CSV file, in order."""

    path: Path
    kind: Literal["csv", "jsonl"]
    digest: str
    encoding: str
    columns: tuple[str, ...]
    lines: tuple[Line, ...]


def read_table(path: Path) -> Table:
    """Read a file of filings. Raises Failure when the file as a whole cannot be used."""
    kind = {".csv": "csv", ".tsv": "csv", ".txt": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}.get(
        path.suffix.lower()
    )
    if kind is None:
        raise failure(Exit.USAGE, "file_kind", file=path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise failure(Exit.REFUSED, "file_size", file=path, limit=MAX_BYTES // 1024 // 1024)
        content = path.read_bytes()
    except OSError as error:
        raise failure(Exit.REFUSED, "file_open", file=path, reason=error.strerror or "") from None
    text, encoding = _decoded(content, path)
    digest = hashlib.sha256(content).hexdigest()
    if kind == "csv":
        columns, lines = _csv(text, path)
        return Table(path, "csv", digest, encoding, columns, tuple(lines))
    return Table(path, "jsonl", digest, encoding, (), tuple(_json_lines(text)))


def _decoded(content: bytes, path: Path) -> tuple[str, str]:
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            candidates: Sequence[str] = (encoding,)
            break
    else:
        candidates = ("utf-8", "gb18030")
    for encoding in candidates:
        try:
            return content.decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    raise failure(Exit.REFUSED, "file_encoding", file=path)


def _csv(text: str, path: Path) -> tuple[tuple[str, ...], Iterator[Line]]:
    head = text.split("\n", 1)[0]
    separator = max(",;\t", key=head.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        names = [name.strip() for name in next(rows)]
    except (StopIteration, csv.Error):
        names = []
    if not any(names):
        raise failure(Exit.REFUSED, "file_empty", file=path)
    problems = column_problems(names)
    if problems:
        raise failure(Exit.REFUSED, "file_columns", problems=problems, file=path)
    return tuple(names), _csv_lines(rows, names)


def _csv_lines(rows: Any, names: list[str]) -> Iterator[Line]:
    while True:
        number = rows.line_num + 1
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield Line(number, problem=Problem("", "CSV", both("wrong.csv", reason=error)))
            continue
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(names):
            said = both("wrong.cells", count=len(row), wanted=len(names))
            yield Line(number, problem=Problem("", "CELLS", said))
            continue
        yield Line(number, {name: plain(cell) for name, cell in zip(names, row, strict=True) if cell})


def _json_lines(text: str) -> Iterator[Line]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                yield Line(number, _flat(line))
            except Failure as bad:
                yield Line(number, problem=bad.problems[0])


def _flat(line: str) -> dict[str, str]:
    if len(line) > MAX_LINE_CHARACTERS:
        raise _bad("", "line_long", limit=MAX_LINE_CHARACTERS)
    try:
        found = json.loads(line, object_pairs_hook=_once)
    except RecursionError:
        raise _bad("", "json", reason="too deep") from None
    except ValueError as error:
        raise _bad("", "json", reason=getattr(error, "msg", "")) from None
    if not isinstance(found, dict):
        raise _bad("", "json", reason="not an object")
    columns: dict[str, str] = {}
    for name, value in found.items():
        if name in _NESTED and isinstance(value, dict):
            columns.update(
                {f"{_NESTED[name]}{key}": _text(item, f"{name}.{key}") for key, item in value.items()}
            )
        elif name == "materials" and isinstance(value, dict):
            columns[name] = ";".join(f"{key}={_text(item, f'{name}.{key}')}" for key, item in value.items())
        elif value is not None:
            columns[name] = _text(value, name)
    return columns


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    twice = [name for name, count in Counter(name for name, _ in pairs).items() if count > 1]
    if twice:
        raise _bad(twice[0], "column_twice")
    return dict(pairs)


def _text(value: Any, name: str) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return str(value)
    raise _bad(name, "text")


def _bad(name: str, why: str, **values: object) -> Failure:
    said = both(f"wrong.{why}", **values)
    return failure(Exit.REFUSED, "bad_filing", problems=[Problem(name, why.upper(), said)])


def guarded(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula; `plain` undoes it."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def plain(cell: str) -> str:
    """A cell as it was meant: without the guard that `guarded` put before it."""
    return cell[1:] if len(cell) > 1 and cell[0] == "'" and cell[1] in _FORMULA else cell
