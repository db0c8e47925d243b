"""The writer's two queues: people's work has transactions of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from unittest.mock import AsyncMock

import pytest

from nodes.desk.batch import Batch
from nodes.desk.context import Context
from nodes.desk.work import Answer
from nodes.desk.writer import Writer
from nodes.store.rows import Claim
from nodes.store.store import Store
from regions.calendar import work_calendar


@dataclass(slots=True)
class Step:
    """A piece of work that touches no case and says when it was done."""

    name: str
    urgent: bool
    done: asyncio.Future[Answer] = field(init=False)
    claim: Claim | None = None
    at: datetime | None = None
    numbers: Sequence[str] = ()

    def do(self, batch: Batch) -> Answer:
        self.at = batch.now
        return Answer(False, self.name.encode())

    def refusal(self, error: Exception) -> Answer:
        raise AssertionError(error)


class Rows:
    """A store whose transactions end when they are let go."""

    def __init__(self) -> None:
        self.begun: list[asyncio.Event] = []
        self.unit = AsyncMock()

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Any]:
        end = asyncio.Event()
        self.begun.append(end)
        yield self.unit
        await end.wait()


async def settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def made(rows: Rows, times: Sequence[datetime]) -> Writer:
    clock = iter(times)
    context = Context("32", work_calendar(), lambda: next(clock), lambda: 0.0)
    return Writer(cast("Store", rows), context)


NOON = datetime(2026, 9, 14, 12, tzinfo=UTC)


@pytest.mark.parametrize("close_first", [False, True])
async def test_a_filing_does_not_wait_for_the_messages_before_it(close_first: bool) -> None:
    rows = Rows()
    writer = made(rows, [NOON] * 20)
    await writer.start()
    heap, filing = Step("heap", urgent=False), Step("filing", urgent=True)
    messages = asyncio.create_task(writer.submit(heap))
    await settled()
    assert len(rows.begun) == 1
    filed = asyncio.create_task(writer.submit(filing))
    await settled()
    assert len(rows.begun) == 2, "it has a transaction of its own, though another one is under way"
    rows.begun[1].set()
    assert (await filed).body == b"filing"
    assert not messages.done()
    if close_first:
        closing = asyncio.create_task(writer.close())
        await settled()
        assert not closing.done(), "what was begun is ended before"
        rows.begun[0].set()
        await closing
    rows.begun[0].set()
    assert (await messages).body == b"heap"
    await writer.close()


async def test_what_queues_up_behind_a_transaction_is_one_of_its_kind() -> None:
    rows = Rows()
    writer = made(rows, [NOON] * 20)
    await writer.start()
    first = asyncio.create_task(writer.submit(Step("first", urgent=True)))
    await settled()
    more = [asyncio.create_task(writer.submit(Step(str(n), urgent=n % 2 == 0))) for n in range(6)]
    await settled()
    assert len(rows.begun) == 2, "the messages begin, the people's work waits for its own"
    for _ in range(3):
        for end in rows.begun:
            end.set()
        await settled()
    assert [(await each).body for each in (first, *more)] == [b"first", *(str(n).encode() for n in range(6))]
    assert len(rows.begun) <= 4
    await writer.close()


async def test_the_time_of_a_transaction_is_after_its_locks() -> None:
    """Who held a case before may have written a moment ago: what follows must not be dated before that."""
    rows = Rows()
    writer = made(rows, [NOON, NOON + timedelta(seconds=3)])
    await writer.start()
    step = Step("step", urgent=True)
    asking = asyncio.create_task(writer.submit(step))
    await settled()
    rows.begun[0].set()
    await asking
    assert step.at == NOON + timedelta(seconds=3)
    await writer.close()
