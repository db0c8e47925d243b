"""Poison among good messages on Kafka and PostgreSQL: a tenth of what the embedded test sends."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hostile.test_poison import GOOD, POISON, poison_among_good

pytestmark = pytest.mark.usefixtures("servers")
PART = 10


async def test_every_good_case_settles_among_poison(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await poison_among_good(tmp_path, monkeypatch, GOOD // PART, POISON // PART)
