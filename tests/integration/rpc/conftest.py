"""One federation of two for the tests of a module: Jiangsu, where people file, and Shanghai."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.integration.rpc.faces import Served, served


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pair(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[list[Served]]:
    folder: Path = tmp_path_factory.mktemp("pair")
    async with served(folder, "32", "31") as nodes:
        yield nodes


@pytest.fixture(scope="module")
def origin(pair: list[Served]) -> Served:
    return pair[0]


@pytest.fixture(scope="module")
def competent(pair: list[Served]) -> Served:
    return pair[1]
