"""One bus contract, run on every backend."""

from pathlib import Path

import pytest

from tests.contract.bus.backend import BusBackend
from tests.contract.bus.sqlite_backend import SqliteBackend


@pytest.fixture(params=["sqlite"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> BusBackend:
    assert request.param == "sqlite"
    return SqliteBackend(tmp_path / "bus.db")
