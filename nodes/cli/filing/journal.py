"""The journal of a file of filings: what became of each line, so that a second run goes on where the first
ended and repeats nothing.

Knows the results file (JSON lines, beside the input) and the file of rejected lines. Must not know how lines
are sent. A line is written once its outcome is final; a torn last line of a killed run is cut off.
"""

import csv
import fcntl
import io
import json
import os
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from nodes.cli.exits import Exit
from nodes.cli.failures import Failure, failure
from nodes.cli.filing.table import Table, guarded

FINAL: Final = ("filed", "refused", "invalid")


class Journal:
    """The results of one file. Use as a context: the results file is held alone meanwhile.

    done: results of earlier runs by line number. Raises Failure when the results file belongs to another
    content or another client, when it cannot be read, or when another run holds it.
    """

    def __init__(self, table: Table, client: str, path: Path | None = None) -> None:
        self.table = table
        self.path = path or table.path.with_name(table.path.name + ".results.jsonl")
        self.done: dict[int, dict[str, Any]] = {}
        self._client = client

    def __enter__(self) -> Self:
        try:
            self._file = self.path.open("a+b")
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise failure(Exit.BUSY, "results_held", file=self.path) from None
        except OSError as error:
            raise failure(Exit.REFUSED, "file_open", file=self.path, reason=error.strerror or "") from None
        try:
            self._recover()
        except Failure:
            self._file.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    def write(self, result: dict[str, Any]) -> None:
        """Note a final outcome. Kept when this process is killed."""
        self.done[result["line"]] = result
        self._append(result)

    def request_id(self, line: int) -> str:
        """The request id of a line: always the same for the same file."""
        return f"{self.table.digest[:40]}-{line}"

    def rejected(self) -> Path | None:
        """Write the lines that were not filed, with their reasons, as CSV to correct; None when all were or
        the input is no CSV. Cells that a spreadsheet would take for a formula are guarded.
        """
        path = self.table.path.with_name(f"{self.table.path.stem}.rejected.csv")
        lines = {line.number: line.columns for line in self.table.lines}
        rows = [
            [guarded(lines[number].get(name, "")) for name in self.table.columns]
            for number, result in sorted(self.done.items())
            if result["outcome"] != "filed" and lines.get(number)
        ]
        if self.table.kind != "csv" or not rows:
            return None
        _write_csv(path, [self.table.columns, *rows])
        return path

    def _recover(self) -> None:
        self._file.seek(0)
        content = self._file.read()
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            self._file.truncate(len(whole))
        try:
            entries = [json.loads(line) for line in whole.splitlines()]
        except (ValueError, RecursionError):
            raise failure(Exit.REFUSED, "results_broken", file=self.path) from None
        if not all(isinstance(entry, dict) for entry in entries) or not all("line" in e for e in entries[1:]):
            raise failure(Exit.REFUSED, "results_broken", file=self.path)
        if not entries:
            self._append({"input_sha256": self.table.digest, "client": self._client})
            return
        head = entries[0]
        if head.get("input_sha256") != self.table.digest:
            raise failure(Exit.REFUSED, "results_other", file=self.path, input=self.table.path)
        if head.get("client") != self._client:
            raise failure(Exit.REFUSED, "results_client", file=self.path, client=head.get("client"))
        self.done = {entry["line"]: entry for entry in entries[1:] if entry.get("outcome") in FINAL}

    def _append(self, entry: dict[str, Any]) -> None:
        self._file.write(json.dumps(entry, ensure_ascii=False).encode() + b"\n")
        self._file.flush()


def _write_csv(path: Path, rows: Iterable[Iterable[str]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(text.getvalue(), encoding="utf-8-sig")
    fresh.replace(path)
