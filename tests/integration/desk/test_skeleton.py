"""Filed in Jiangsu, decided in Shanghai, back at the origin: the path that everything else widens."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path

import pytest

from nodes.cases.case import State
from nodes.desk.work import Rejected
from nodes.spans import spans_from_store
from nodes.telemetry import check_connected
from tests.integration.desk.federation import federation, filing


async def test_filed_in_one_province_settled_by_another(tmp_path: Path) -> None:
    async with federation(tmp_path, "32", "31") as (origin, competent):
        number = await origin.filed(filing())
        await competent.until(number, lambda c: not c.awaiting_receipt)
        await competent.settle(number)
        theirs = await competent.until(number, lambda c: c.state is State.CLOSED)
        ours = await origin.until(number, lambda c: c.state is State.CLOSED)
        assert ours == theirs
        assert theirs.owner == "31"
        history = [await node.parts.reader.history(number) for node in (origin, competent)]
        assert [e.hash for e in history[0]] == [e.hash for e in history[1]]
        spans = []
        for node in (origin, competent):
            await node.parts.telemetry.flush()
            async with node.parts.store.read() as unit:
                spans += spans_from_store(await unit.spans_of_case(number), node.region)
        assert {s.trace_id for s in spans} == {spans[0].trace_id}
        assert not check_connected(spans)
        assert {s.name for s in spans} >= {"send tongban.inbox.31", "process tongban.inbox.31"}


async def test_the_same_request_gets_the_first_answer_byte_for_byte(tmp_path: Path) -> None:
    async with federation(tmp_path, "32") as (origin,):
        first = await origin.file(filing(), request_id="same")
        again = await origin.file(filing(), request_id="same")
        assert first.body == again.body
        assert not first.refused


async def test_a_number_that_is_not_new_takes_nothing_from_its_case_and_no_neighbour_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with federation(tmp_path, "32") as (origin,):
        taken = await origin.filed(filing())
        before = await origin.parts.reader.history(taken)
        real, turn = origin.parts.desk.number, itertools.count()

        async def number(area: str) -> str:
            return taken if next(turn) == 2 else await real(area)

        monkeypatch.setattr(origin.parts.desk, "number", number)
        told = await asyncio.gather(*(origin.file(filing()) for _ in range(5)), return_exceptions=True)
        assert [type(one) for one in told if isinstance(one, BaseException)] == [Rejected]
        assert sum(not isinstance(one, BaseException) and not one.refused for one in told) == 4
        assert await origin.parts.reader.history(taken) == before
