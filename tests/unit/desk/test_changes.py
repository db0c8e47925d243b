"""The stream of changes while its database is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import pytest

from nodes.desk import reader
from nodes.desk.reader import Changes
from nodes.store.errors import StoreUnavailable
from nodes.store.store import Store


class Away:
    """A store that cannot be reached so many times, and then holds nothing."""

    def __init__(self, times: int) -> None:
        self.left = times
        self.reached = asyncio.Event()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Away]:
        if self.left:
            self.left -= 1
            raise StoreUnavailable("starting up")
        yield self

    async def unplaced(self) -> bool:
        self.reached.set()
        return False


async def test_a_database_that_is_away_is_asked_again_soon_though_nobody_follows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reader, "LOOK_S", 3600.0)
    store = Away(3)
    changes = Changes(cast("Store", store), poll_s=0.02)
    await changes.start()
    try:
        async with asyncio.timeout(20):
            await store.reached.wait()
        assert not changes.problem
    finally:
        await changes.close()
