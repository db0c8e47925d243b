"""`file --from`: a file of filings, to the node of each line's province, resumable.

Knows the order of the work: read, check, upload, send, note down, sum up. Must not know encodings, the
stream or the results file in detail.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from nodes.cli.call import Call
from nodes.cli.exits import Exit
from nodes.cli.failures import Failure, Problem, advice_of, problem_of, said_of
from nodes.cli.filing import form
from nodes.cli.filing.journal import Journal
from nodes.cli.filing.materials import upload
from nodes.cli.filing.paths import column_of
from nodes.cli.filing.stream import is_lasting, send_many
from nodes.cli.filing.table import Line, Table, read_table
from nodes.cli.names import when
from nodes.cli.reach import Node
from nodes.cli.screens.filed import result_line
from tongban.v1.case_service_pb2 import FileManyResponse, FileRequest

ROUNDS: Final = 4
PAUSES_S: Final = (0.5, 1.0, 2.0)


def file_many(call: Call, path: Path, results: Path | None) -> int:
    """File every line that has no final result yet. Returns OK, PARTLY when a line was not filed, or the
    code of what kept the rest from being answered.
    """
    table = read_table(path)
    with Journal(table, call.client, results) as journal:
        before = len(journal.done)
        if before:
            call.terminal.note("note.resumed", count=before, file=journal.path)
        run = _Run(call, table, journal)
        with run.progress():
            stopped = run.file_all()
        rejected = journal.rejected()
    counts = Counter(result["outcome"] for result in journal.done.values())
    left = len(table.lines) - len(journal.done)
    summary = {
        "lines": len(table.lines),
        "filed": counts["filed"],
        "refused": counts["refused"],
        "invalid": counts["invalid"],
        "left": left,
        "from_earlier_runs": before,
        "results": str(journal.path),
        "rejected": str(rejected) if rejected else "",
    }
    call.terminal.data({"summary": summary}, line=True)
    call.terminal.say("file.summary", style="bold", **summary)
    if rejected:
        call.terminal.say("file.rejected", file=rejected)
    if stopped is not None:
        stopped.tell(call.terminal)
        call.terminal.note("note.again", style="cyan", left=left)
        return stopped.end
    return Exit.OK if counts["filed"] == len(table.lines) else Exit.PARTLY


class _Run:
    """One run over the lines that are not done."""

    def __init__(self, call: Call, table: Table, journal: Journal) -> None:
        self.call, self.table, self.journal = call, table, journal
        self._lines: dict[str, int] = {}
        self._uploaded: set[tuple[str, bytes]] = set()
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=call.terminal.err,
            transient=True,
            disable=call.terminal.as_json or not call.terminal.err.is_terminal,
        )

    @contextmanager
    def progress(self) -> Iterator[None]:
        """Show how far it is, on a terminal."""
        done, all_of_it = len(self.journal.done), len(self.table.lines)
        self._task = self._bar.add_task(self.call.words("file.progress"), total=all_of_it, completed=done)
        with self._bar:
            yield

    def file_all(self) -> Failure | None:
        """Every open line by province; None when all have an answer."""
        by_region: dict[str, list[tuple[Line, form.Form]]] = {}
        for line in self.table.lines:
            if line.number not in self.journal.done:
                found = self._read(line)
                if found is not None:
                    by_region.setdefault(found.filing.origin_area[:2], []).append((line, found))
        stopped: Failure | None = None
        for region, forms in by_region.items():
            try:
                with self.call.reach.open(region=region) as node:
                    stopped = self._send(node, forms) or stopped
            except Failure as unreachable:
                stopped = unreachable
        return stopped

    def _read(self, line: Line) -> form.Form | None:
        try:
            if line.problem:
                raise Failure(Exit.REFUSED, "BAD_LINE", ("", ""), problems=[line.problem])
            return form.read(line.columns, self.table.path.parent, channel="batch")
        except Failure as bad:
            self._note(line.number, "invalid", bad.code, list(bad.problems))
            return None

    def _send(self, node: Node, forms: list[tuple[Line, form.Form]]) -> Failure | None:
        requests = {line.number: self._request(node, line, found) for line, found in forms}
        stopped: Failure | None = None
        for attempt in range(ROUNDS):
            open_now = [asked for number, asked in requests.items() if number not in self.journal.done]
            if not open_now:
                return None
            if attempt:
                threading.Event().wait(PAUSES_S[attempt - 1])
            stopped = send_many(node, open_now, self._answered)
            if stopped is not None and is_lasting(stopped):
                return stopped
        left = any(number not in self.journal.done for number in requests)
        return (stopped or _busy()) if left else None

    def _request(self, node: Node, line: Line, found: form.Form) -> FileRequest:
        actor = self.call.actor(node, found.filed_by)
        for sheet in found.papers:
            if (node.region, sheet.sha256) not in self._uploaded:
                upload(node, sheet, self.call.client, actor)
                self._uploaded.add((node.region, sheet.sha256))
        found.filing.materials.extend(sheet.message(node.region) for sheet in found.papers)
        key = self.journal.request_id(line.number)
        self._lines[key] = line.number
        return FileRequest(request_id=key, client=self.call.client, actor=actor, filing=found.filing)

    def _answered(self, answer: FileManyResponse) -> None:
        number = self._lines[answer.request_id]
        if answer.WhichOneof("outcome") == "filed":
            filed = answer.filed
            told = {
                "case_number": filed.case_number,
                "competent": filed.competent,
                "authority": filed.authority,
                "notice_due": when(filed.notice_due),
            }
            self._note(number, "filed", "", [problem_of(item) for item in filed.warnings], **told)
        else:
            refusal = answer.refused
            problems = [problem_of(item) for item in refusal.fields]
            if not problems:
                problems = [Problem("", refusal.code, said_of(refusal.code))]
            advice = dict(zip(("advice_zh", "advice_en"), advice_of(refusal), strict=True))
            self._note(number, "refused", refusal.code, problems, **advice)

    def _note(self, number: int, outcome: str, code: str, problems: list[Problem], **more: str) -> None:
        result: dict[str, Any] = {
            "line": number,
            "outcome": outcome,
            "code": code,
            **more,
            "fields": [
                {
                    "field": p.field,
                    "column": column_of(p.field),
                    "code": p.code,
                    "message_zh": p.said[0],
                    "message_en": p.said[1],
                }
                for p in problems
            ],
        }
        self.journal.write(result)
        self.call.terminal.data(result, line=True)
        self.call.terminal.show(result_line(result, self.call.words))
        self._bar.advance(self._task)


def _busy() -> Failure:
    return Failure(Exit.BUSY, "OVERLOADED", said_of("OVERLOADED"))
