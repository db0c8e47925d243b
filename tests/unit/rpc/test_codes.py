"""The table of errors as it is documented."""

from __future__ import annotations

from pathlib import Path

from nodes.rpc.codes import document


def test_the_document_is_drawn_from_the_table() -> None:
    written = Path(__file__).parents[3].joinpath("docs/errors.md").read_text("utf-8")
    assert written == document(), "write it anew: nodes.rpc.codes.document()"
