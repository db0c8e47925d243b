"""One bus contract, run on every backend."""

from pathlib import Path

import pytest

from tests.contract.bus.backend import BusBackend
from tests.contract.bus.kafka_backend import KafkaBackend
from tests.contract.bus.sqlite_backend import SqliteBackend


@pytest.fixture(params=["sqlite", pytest.param("kafka", marks=pytest.mark.kafka)])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> BusBackend:
    if request.param == "kafka":
        return KafkaBackend(request.getfixturevalue("kafka").bootstrap)
    return SqliteBackend(tmp_path / "bus.db")
