"""Federations on Kafka and PostgreSQL: a broker without a past, and a database for each region."""

import asyncio
import itertools
from concurrent.futures import ThreadPoolExecutor

import pytest

from nodes.store import migrate
from tests.integration.desk import federation
from tests.integration.desk.federation import Ground
from tests.integration.servers.clearing import cleared
from tests.servers.kafka import Kafka
from tests.servers.postgres import Postgres

SESSION_S = 6
"""The shortest session that a broker allows by default: how long the partitions of a dead process stand."""
TEMPLATE = "federation"

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def migrated(postgres: Postgres) -> str:
    """The name of an empty database of this release, to be copied."""
    url = postgres.url(TEMPLATE)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(migrate(url))).result()
    return TEMPLATE


class Databases:
    """One database a region, made when it is first asked for."""

    def __init__(self, server: Postgres, template: str) -> None:
        self._server, self._template = server, template
        self._test = next(_numbers)
        self._made: dict[str, str] = {}

    def __call__(self, region: str) -> str:
        """The URL of the region's database."""
        if region not in self._made:
            name = self.name(region)
            self._server.execute(
                f'drop database if exists "{name}" with (force)',
                f'create database "{name}" template "{self._template}"',
            )
            self._made[region] = f"{self._server.base_url}/{name}"
        return self._made[region]

    def name(self, region: str) -> str:
        """Its name on the server."""
        return f"node_{region}_{self._test}"


@pytest.fixture
def databases(postgres: Postgres, migrated: str) -> Databases:
    return Databases(postgres, migrated)


@pytest.fixture
async def bus_url(kafka: Kafka) -> str:
    """A Kafka on which this federation is the first."""
    await cleared(kafka.bootstrap)
    return f"{kafka.url}?session_timeout_s={SESSION_S}"


@pytest.fixture
def servers(bus_url: str, databases: Databases, monkeypatch: pytest.MonkeyPatch) -> Ground:
    """Federations stand on Kafka and PostgreSQL as long as the test runs."""
    ground = Ground(bus_url, databases)
    monkeypatch.setattr(federation, "ground", lambda _folder: ground)
    return ground
