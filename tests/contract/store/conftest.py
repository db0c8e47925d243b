"""One store contract, run on both databases. The migrated PostgreSQL database is emptied between tests."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from nodes.store import Store, migrate
from nodes.store.tables import METADATA

DATABASE = "store_contract"


@dataclass(frozen=True)
class Backend:
    """A migrated, empty database: its URL, and which of the two it is."""

    name: str
    url: str


def _migrate(url: str) -> None:
    with ThreadPoolExecutor(1) as pool:  # a loop may be running here already
        pool.submit(lambda: asyncio.run(migrate(url))).result()


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("store") / "migrated.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def migrated_postgres(request: pytest.FixtureRequest) -> str:
    server: Any = request.getfixturevalue("postgres")
    url: str = server.url(DATABASE)
    _migrate(url)
    return url


async def _emptied(url: str) -> str:
    connection = await asyncpg.connect(url)
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await connection.execute(f"TRUNCATE {', '.join(METADATA.tables)} RESTART IDENTITY")
    await connection.close()
    return url


@pytest.fixture
async def postgres_url(migrated_postgres: str) -> str:
    """The migrated PostgreSQL database, emptied."""
    return await _emptied(migrated_postgres)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
async def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Backend:
    if request.param == "postgresql":
        return Backend("postgresql", await _emptied(request.getfixturevalue("migrated_postgres")))
    migrated: Path = request.getfixturevalue("migrated_file")
    path = tmp_path / "store.db"
    shutil.copyfile(migrated, path)
    return Backend("sqlite", f"sqlite:///{path}")


@pytest.fixture
async def store(backend: Backend) -> AsyncIterator[Store]:
    opened = await Store.open(backend.url, timeout_s=5.0)
    yield opened
    await opened.close()
