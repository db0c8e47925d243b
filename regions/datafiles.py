"""Reading data files: JSON and CSV rows, TOML tables, with errors a clerk can act on.

Knows file formats and how to name the file, the key and the reason (DataError).
Must not know what a row means. Official facts are JSON as published; what the
federation authored is CSV (opens in a spreadsheet) or TOML (takes comments).
"""

import csv
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from regions.errors import DataError

DATA = Path(__file__).parent / "data"

E = TypeVar("E", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Record:
    """One row or table of a data file, with typed access. Every failure is a DataError."""

    file: str
    key: str
    fields: Mapping[str, object]

    def error(self, field: str, reason: str) -> DataError:
        """A DataError that names this row and `field`."""
        return DataError(self.file, f"{self.key}.{field}", reason)

    def optional(self, field: str) -> str | None:
        """Text, or None when the field is absent, null or empty."""
        value = self.fields.get(field)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise self.error(field, "must be text")
        return value.strip()

    def text(self, field: str) -> str:
        """Text that must be there."""
        value = self.optional(field)
        if value is None:
            raise self.error(field, "is missing or empty")
        return value

    def number(self, field: str) -> int | None:
        """A whole number >= 1, or None when absent."""
        value = self.fields.get(field)
        if value is None or value == "":
            return None
        try:
            found = int(value) if isinstance(value, str | int) else 0
        except ValueError:
            found = 0
        if found < 1 or isinstance(value, bool):
            raise self.error(field, "must be a whole number of at least 1")
        return found

    def required_number(self, field: str) -> int:
        """A whole number >= 1 that must be there."""
        value = self.number(field)
        if value is None:
            raise self.error(field, "is missing")
        return value

    def flag(self, field: str) -> bool:
        """True or false (in CSV: yes or no); must be there."""
        value = self.fields.get(field)
        if isinstance(value, bool):
            return value
        if value in ("yes", "no"):
            return value == "yes"
        raise self.error(field, "must be true or false (yes or no in a table)")

    def choice(self, field: str, kind: type[E]) -> E:
        """A member of the enumeration `kind`."""
        value = self.text(field)
        try:
            return kind(value)
        except ValueError:
            known = ", ".join(member.value for member in kind)
            raise self.error(field, f"must be one of: {known}") from None

    def words(self, field: str) -> tuple[str, ...]:
        """A list of texts: a JSON or TOML array, or words separated by spaces in a table."""
        value = self.fields.get(field)
        if value is None or value == "":
            return ()
        if isinstance(value, str):
            return tuple(value.split())
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        raise self.error(field, "must be a list of texts")

    def records(self, field: str) -> tuple["Record", ...]:
        """An array of tables, each as a Record; empty when absent."""
        value = self.fields.get(field)
        if value is None:
            return ()
        if not isinstance(value, list):
            raise self.error(field, "must be a list of tables")
        return tuple(_record(self.file, f"{self.key}.{field}[{n}]", item) for n, item in enumerate(value))

    def table(self, field: str) -> "Record":
        """A sub-table; an empty one when absent."""
        return _record(self.file, f"{self.key}.{field}", self.fields.get(field, {}))

    def only(self, *known: str) -> None:
        """Refuse fields that nobody reads: a misspelt key must not be silently ignored."""
        for field in self.fields:
            if field not in known:
                raise self.error(field, "is not a known field")


def _record(file: str, key: str, value: object) -> Record:
    if not isinstance(value, dict):
        raise DataError(file, key, "must be a table")
    return Record(file, key, value)


def read_table(directory: Path, name: str) -> Record:
    """A TOML file as one Record. Raises DataError."""
    try:
        found = tomllib.loads(_read(directory, name))
    except tomllib.TOMLDecodeError as error:
        raise DataError(name, "(file)", f"is not valid TOML: {error}") from None
    return Record(name, "(top)", found)


def read_records(directory: Path, name: str, key: str = "") -> tuple[Record, ...]:
    """The rows of a JSON array of objects or of a CSV file with a header.

    key: the field that identifies a row; when given it must be there and unique.
    In CSV, lines that start with # are comments. Raises DataError.
    """
    raw = _json_rows(directory, name) if name.endswith(".json") else _csv_rows(directory, name)
    rows: list[Record] = []
    seen: set[str] = set()
    for label, fields in raw:
        row = Record(name, label, fields)
        if key:
            identity = row.text(key)
            if identity in seen:
                raise row.error(key, f"{identity} appears twice")
            seen.add(identity)
            row = Record(name, identity, fields)
        rows.append(row)
    return tuple(rows)


def _json_rows(directory: Path, name: str) -> list[tuple[str, dict[str, object]]]:
    try:
        found = json.loads(_read(directory, name))
    except json.JSONDecodeError as error:
        raise DataError(name, f"line {error.lineno}", f"is not valid JSON: {error.msg}") from None
    if not isinstance(found, list):
        raise DataError(name, "(file)", "must be a list of objects")
    rows = []
    for n, item in enumerate(found):
        if not isinstance(item, dict):
            raise DataError(name, f"row {n + 1}", "must be an object")
        rows.append((f"row {n + 1}", item))
    return rows


def _csv_rows(directory: Path, name: str) -> list[tuple[str, dict[str, object]]]:
    lines = _read(directory, name).splitlines()
    numbered = [(n, text) for n, text in enumerate(lines, 1) if text and not text.startswith("#")]
    if not numbered:
        raise DataError(name, "(file)", "has no header line")
    parsed = csv.reader([text for _, text in numbered], strict=True)
    rows: list[tuple[str, dict[str, object]]] = []
    header: list[str] = []
    try:
        for (n, _), cells in zip(numbered, parsed, strict=True):
            if not header:
                header = cells
                continue
            if len(cells) != len(header):
                reason = f"has {len(cells)} cells, the header has {len(header)}"
                raise DataError(name, f"line {n}", reason)
            rows.append((f"line {n}", dict(zip(header, cells, strict=True))))
    except (csv.Error, ValueError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(name, "(file)", f"is not valid CSV: {error}") from None
    return rows


def _read(directory: Path, name: str) -> str:
    try:
        return (directory / name).read_text("utf-8-sig")
    except FileNotFoundError:
        raise DataError(name, "(file)", "is missing") from None
    except UnicodeDecodeError:
        raise DataError(name, "(file)", "is not UTF-8 text") from None
