"""What the authorities' own registers say in a rehearsal: a file in the place of a dozen registers.

Knows matter and normalised number. A filing that the file does not name gets no answer, as from a register
that cannot be asked: its decision rule then leaves the case to an officer.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from nodes.cases.filing import Filing

Registers = Callable[[Filing], Mapping[str, str]]


def read_registers(path: Path) -> Registers:
    """The answers of the file (matter -> number -> "register.field" -> value); none without the file.

    Raises ValueError when the file is no such table.
    """
    try:
        found: Any = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        found = {}
    except ValueError:
        raise ValueError(f"{path.name}: is not JSON") from None
    if not isinstance(found, dict) or not all(isinstance(numbers, dict) for numbers in found.values()):
        raise ValueError(f"{path.name}: must be matter -> number -> answers")
    table: Mapping[str, Mapping[str, Mapping[str, str]]] = found

    def asked(filing: Filing) -> Mapping[str, str]:
        return table.get(filing.matter, {}).get(filing.applicant.id_no, {})

    return asked


def rehearsal() -> Registers:
    """The answers that belong to the shipped input: an entry point of the group tongban.registers, by which
    nodes of their own processes take part in a rehearsal.
    """
    return read_registers(Path(__file__).resolve().parent / "data" / "registers.json")
