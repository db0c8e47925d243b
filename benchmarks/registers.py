"""The fund centre's register as the benchmark plays it: it still holds everybody's number with 15 digits.

Knows the answers that the rule of HF-005 asks for. Handed to the nodes as an entry point, in a folder of the
run: see `publish`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

NAME = "bench"


class _Applicant(Protocol):
    name: str
    id_no: str


class _Filing(Protocol):
    applicant: _Applicant


def fund(filing: _Filing) -> Mapping[str, str]:
    """What the register says of a filing."""
    number = filing.applicant.id_no
    held = number[:6] + number[8:17]
    return {"fund.accounts": "1", "fund.name": filing.applicant.name, "fund.id_no": held}


def make() -> object:
    """What the entry point names: the register that is asked."""
    return fund


def publish(folder: Path) -> None:
    """Makes `folder`, once it is on the path, a distribution with the entry point."""
    about = folder / "tongban_bench-1.dist-info"
    about.mkdir(exist_ok=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: tongban-bench\nVersion: 1\n")
    (about / "entry_points.txt").write_text(f"[tongban.registers]\n{NAME} = {__name__}:make\n")
