"""The list of named harms as docs/hostile.md has it, drawn from the tables that try them:
`python -m tests.hostile.listed` writes it anew.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from tests.hostile.over_bus import BUS, Sent
from tests.hostile.over_files import FILES, FLAGS, Given, Typed
from tests.hostile.over_grpc import GRPC, Called

HEAD = """# Hostile input, case by case

What somebody may send who means harm, or whose program is broken, and what becomes of it. Each of these is
a test (`tests/hostile/test_grpc.py`, `tests/hostile/test_bus.py`, `tests/hostile/test_files.py`): it is
refused with a code that names the field, or put aside with its reason, or dropped; no answer, letter or log
line has a stack trace, personal data or the hostile text; the tables of the cases are what they were; and
the node serves on. Every text of a filing is tried with SQL, HTML and a spreadsheet's formula besides. What
needs keys and signatures is not here yet. Drawn from the tables of the tests (a test holds it).
"""


def names() -> list[str]:
    """Every harm, by face and name."""
    tables: dict[str, Sequence[Called | Sent | Given | Typed]] = {
        "gRPC": GRPC,
        "bus": BUS,
        "files": FILES,
        "command line": FLAGS,
    }
    return [f"{face}: {case.name}" for face, table in tables.items() for case in table]


def document() -> str:
    """docs/hostile.md."""
    lines = [HEAD, f"## Over gRPC: {len(GRPC)}\n", "| what is sent | answer | field |", "| --- | --- | --- |"]
    lines += [f"| {c.name} | `{c.code}` | {_code(c.field)} |" for c in GRPC]
    lines += [f"\n## Over the bus: {len(BUS)}\n", "| what is sent | put aside as | the case waits |"]
    lines += ["| --- | --- | --- |"]
    lines += [
        f"| {c.name} | {_code(c.reason) if c.reason else 'held' if c.asks else 'dropped'} |"
        f" {'yes' if c.ties else ''} |"
        for c in BUS
    ]
    lines += [f"\n## In files: {len(FILES)}\n", "| what is in it | exit code |", "| --- | --- |"]
    lines += [f"| {c.name} | {c.end} |" for c in FILES]
    lines += [f"\n## On the command line: {len(FLAGS)}\n", "| what is typed | exit code |", "| --- | --- |"]
    lines += [f"| {c.name} | {c.end} |" for c in FLAGS]
    return "\n".join(lines) + "\n"


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


if __name__ == "__main__":
    sys.stdout.write(document())
