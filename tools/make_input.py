"""Writes the input of the rehearsal: filings, what people do, what must come of it, and what registers say.

`python -m tools.make_input` writes nodes/demo/data/; with `--check` it only says whether the files there are
what this script makes.
"""

import json
import sys
from collections import Counter
from pathlib import Path

from tools.filings.line import Line
from tools.filings.plan import tell

OUT = Path(__file__).resolve().parents[1] / "nodes" / "demo" / "data"


def files(lines: list[Line]) -> dict[str, str]:
    """Name and content of each file. registers.json: matter -> normalised number -> what registers say."""
    rows = "".join(json.dumps(line.told(), ensure_ascii=False) + "\n" for line in lines)
    registers: dict[str, dict[str, dict[str, str]]] = {}
    for line in lines:
        if line.registers:
            registers.setdefault(line.filing["matter"], {})[line.number] = line.registers
    said = json.dumps(registers, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    return {"filings.jsonl": rows, "registers.json": said}


def main() -> int:
    """0, or 1 when --check finds a difference."""
    lines = tell()
    wrong = 0
    for name, content in files(lines).items():
        path = OUT / name
        if "--check" in sys.argv:
            same = path.exists() and path.read_text("utf-8") == content
            wrong += not same
            print(f"{name}: {'as made' if same else 'differs: run python -m tools.make_input'}")
        else:
            OUT.mkdir(parents=True, exist_ok=True)
            path.write_text(content, "utf-8")
            print(f"{name}: {len(content):,} characters")
    faults = Counter(fault for line in lines for fault in line.faults)
    print(f"{len(lines)} filings, {sum(len(line.acts) for line in lines)} acts")
    print(", ".join(f"{name} {count}" for name, count in sorted(faults.items())))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
