"""The writer's two queues: people's work has transactions of its own, and claims nothing unless it must."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from unittest.mock import AsyncMock

import pytest
from typing_extensions import override

from nodes.desk.batch import Batch
from nodes.desk.context import Context
from nodes.desk.work import Answer, DeskError
from nodes.desk.writer import WARY, Writer
from nodes.store.errors import AnswerTaken, DataRejected
from nodes.store.rows import AnswerKey, Claim, StoredAnswer
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


@dataclass(slots=True)
class Fails(Step):
    """A request that cannot be done, for a reason that may pass."""

    @override
    def do(self, batch: Batch) -> Answer:
        raise DeskError(self.name)


class Answers(Rows):
    """A store in which one request has its answer already. Its transactions end at once."""

    def __init__(self, there: StoredAnswer | None = None) -> None:
        super().__init__()
        self.there = there
        self.unit.find_answers.side_effect = self._find
        self.unit.claim_answers.side_effect = self._claim
        self.unit.give_answers.side_effect = self._give

    async def _find(self, keys: Sequence[AnswerKey]) -> dict[AnswerKey, StoredAnswer]:
        return {key: self.there for key in keys if self.there is not None and key == self.there.key}

    async def _claim(self, claims: Sequence[Claim], **_: float) -> dict[AnswerKey, StoredAnswer | None]:
        found = await self._find([claim.key for claim in claims])
        return {claim.key: found.get(claim.key) for claim in claims}

    async def _give(self, answers: Sequence[StoredAnswer]) -> None:
        if await self._find([answer.key for answer in answers]):
            raise AnswerTaken("there")

    @asynccontextmanager
    @override
    async def write(self) -> AsyncIterator[Any]:
        self.begun.append(asyncio.Event())
        yield self.unit


THERE = StoredAnswer("window", "r1", b"print", Answer(False, b"the first").stored(), 0.0)


def request(name: str, request_id: str, kind: type[Step] = Step) -> Step:
    return kind(name, urgent=True, claim=Claim("window", request_id, b"print"))


async def outcomes(rows: Rows, *steps: Step) -> list[bytes | str]:
    """What each step was answered, in one batch, or why it was not."""
    writer = made(rows, [NOON] * 20)
    asked = [asyncio.create_task(writer.submit(step)) for step in steps]
    await settled()
    await writer.start()
    found = await asyncio.gather(*asked, return_exceptions=True)
    await writer.close()
    return [each.body if isinstance(each, Answer) else str(each) for each in found]


async def test_a_new_request_is_answered_without_a_claim() -> None:
    rows = Answers()
    assert await outcomes(rows, request("done", "r1"), request("too", "r2")) == [b"done", b"too"]
    assert len(rows.begun) == 1
    rows.unit.claim_answers.assert_not_called()


async def test_a_request_that_was_answered_has_its_first_answer_and_its_neighbour_its_own() -> None:
    rows = Answers(THERE)
    assert await outcomes(rows, request("again", "r1"), request("new", "r2")) == [b"the first", b"new"]
    assert len(rows.begun) == 2
    rows.unit.claim_answers.assert_called_once()


async def test_what_was_answered_and_cannot_be_done_again_has_its_first_answer() -> None:
    rows = Answers(THERE)
    assert await outcomes(rows, request("no", "r1", Fails), request("new", "r2")) == [b"the first", b"new"]


async def test_what_cannot_be_done_and_was_not_answered_is_told_why_at_once() -> None:
    rows = Answers()
    assert await outcomes(rows, request("no", "r1", Fails), request("new", "r2")) == ["no", b"new"]
    assert len(rows.begun) == 1


async def test_what_the_database_rejects_the_second_time_has_its_first_answer() -> None:
    """As when the event of a request is there: its cause is, and a cause has one event of a case."""
    rows = Answers(THERE)
    rows.unit.give_answers.side_effect = DataRejected("case_event", "", "its cause is there")
    assert await outcomes(rows, request("again", "r1")) == [b"the first"]


async def test_after_a_repeated_request_the_next_ones_are_claimed_first() -> None:
    """Who repeats one repeats many, and what was done twice is paid for twice."""
    rows = Answers(THERE)
    writer = made(rows, [NOON] * 200)
    await writer.start()
    assert (await writer.submit(request("again", "r1"))).body == b"the first"
    assert len(rows.begun) == 2
    for _ in range(WARY):
        assert (await writer.submit(request("again", "r1"))).body == b"the first"
    assert len(rows.begun) == 2 + WARY
    rows.unit.claim_answers.reset_mock()
    assert (await writer.submit(request("new", "r2"))).body == b"new"
    rows.unit.claim_answers.assert_not_called()
    await writer.close()
