"""Every harm of the table over the bus: put aside with its reason or dropped; the partition goes on."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.hostile.over_bus import BUS, Sent
from tests.hostile.world import CASE_TABLES, World, assert_clean, world
from tests.integration.rpc.faces import actor
from tongban.v1 import operator_service_pb2

pytestmark = pytest.mark.asyncio(loop_scope="module")
OWN = {case.name: at for at, case in enumerate((c for c in BUS if c.ties or c.asks), 1)}
"""Harms that leave a mark on a case have one of their own."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ground(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with world(tmp_path_factory.mktemp("hostile"), cases=len(OWN) + 1) as made:
        yield made
        await made.serves()


@pytest.mark.parametrize("case", BUS, ids=lambda case: case.name)
async def test_harm_is_put_aside_with_its_reason_and_changes_nothing(ground: World, case: Sent) -> None:
    number = ground.numbers[OWN.get(case.name, 0)]
    message = case.make(ground, OWN.get(case.name, 0))
    before, letters = ground.state(CASE_TABLES), {x.id for x in await ground.letters("32")}
    await ground.taken_in("32", [message])
    new = [x for x in await ground.letters("32") if x.id not in letters]
    if case.reason:
        (letter,) = new
        assert letter.reason == case.reason
        assert case.says in letter.detail
        assert letter.case_number == (number if case.ties else None)
        shown = await ground.origin.caller.operator.ShowDead(
            operator_service_pb2.ShowDeadRequest(id=letter.id, actor=actor("operator"))
        )
        assert_clean(f"{letter.detail} {shown}")
    else:
        assert not new
    view = await ground.origin.parts.reader.get(number)
    assert view is not None
    assert view.row.parked == case.ties
    assert ground.state(CASE_TABLES) == before | ({} if not case.ties else _flag(ground))


def _flag(ground: World) -> dict[str, str]:
    """That a case waits stands in its row."""
    return {"32.case_row": ground.state(("case_row",))["32.case_row"]}
