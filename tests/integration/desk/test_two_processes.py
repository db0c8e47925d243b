"""Two processes of a region in one: what one of them left undone, the other does."""

from __future__ import annotations

from pathlib import Path

import pytest

from nodes import automatic
from nodes.cases.case import Role, State
from nodes.cases.commands import PreCheck
from tests.integration.desk.federation import federation, filing


async def test_a_joint_case_goes_on_in_another_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(automatic, "SWEEP_S", 0.2)
    places = (("move_in", "310115"), ("household", "340104"))
    regions = ("31", "34")
    async with (
        federation(tmp_path, *regions) as (one, other),
        federation(tmp_path, "32", process="a") as (a,),
        federation(tmp_path, "32", process="b") as (b,),
    ):
        await a.parts.automatic.close()  # it dies before it goes on with the lead
        lead = await a.filed(filing("PS-005", places=places))
        await a.applied(lead, PreCheck(), Role.WINDOW)
        first = (await b.until(lead, lambda c: any(p.case_number for p in c.parts))).parts[0]
        node = {"31": one, "34": other}[first.region]
        await node.until(first.case_number, lambda c: not c.awaiting_receipt)
        await node.settle(first.case_number)
        found = await b.until(lead, lambda c: bool(c.parts[0].result) and bool(c.parts[1].case_number))
        assert found.state is not State.CLOSED
