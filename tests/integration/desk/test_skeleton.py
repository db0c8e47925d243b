"""Filed in Jiangsu, decided in Shanghai, back at the origin: the path that everything else widens."""

from __future__ import annotations

from pathlib import Path

from nodes.cases.case import State
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
