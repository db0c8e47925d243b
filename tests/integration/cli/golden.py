"""Screens as they were read and found good, kept as text files beside the tests."""

import os
from pathlib import Path

FOLDER = Path(__file__).parent / "golden"


def check(name: str, text: str) -> None:
    """Hold a screen against the kept one; `GOLDEN=write pytest …` keeps it anew, to be read in the diff."""
    file = FOLDER / f"{name}.txt"
    if os.environ.get("GOLDEN") == "write":
        FOLDER.mkdir(exist_ok=True)
        file.write_text(text, "utf-8")
    assert file.is_file(), f"no {file.name}: GOLDEN=write pytest keeps it"
    assert text == file.read_text("utf-8")
