"""One connected trace a case, over all regions, across restarts, whatever came twice or could not be read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from broker.bus import Message
from broker.topics import inbox
from nodes.cases.case import Role, State
from nodes.cases.commands import Accept, PreCheck, Withdraw
from nodes.cases.filing import Delivery
from nodes.codec.carry import carry
from nodes.codec.exchange import EventBatch, encode_exchange
from nodes.telemetry import SpanRow
from nodes.telemetry.connected import TraceProblem, check_connected
from nodes.telemetry.hop import HopSpan
from nodes.telemetry.keeper import SpanKeeper
from tests.integration.desk.federation import Node, federation, filing
from tests.integration.operations.console import Console, consoles


async def problems(console: Console, number: str) -> list[TraceProblem]:
    view = await console.operations.trace(number)
    assert view.missing == ()
    return check_connected(view.spans)


async def connected(console: Console, number: str) -> tuple[SpanRow, ...]:
    """The spans, as soon as every hop has ended and they hang together."""
    await console.node.eventually(lambda: problems(console, number), [])
    return (await console.operations.trace(number)).spans


async def test_a_trace_is_whole_at_either_end_and_says_who_did_not_answer(tmp_path: Path) -> None:
    async with federation(tmp_path, "32", "31") as (origin, competent):
        console, other = consoles(origin, competent)
        number = await origin.filed(filing())
        await competent.until(number, lambda c: not c.awaiting_receipt)
        await competent.settle(number)
        await origin.until(number, lambda c: c.state is State.CLOSED)
        spans = await connected(console, number)
        assert {span.region for span in spans} == {"31", "32"}
        assert {span.key for span in await connected(other, number)} == {span.key for span in spans}
        (alone,) = consoles(origin)
        found = await alone.operations.trace(number)
        assert found.missing == ("31",)
        assert {span.region for span in found.spans} == {"32"}


async def test_the_trace_of_a_joint_case_holds_its_parts(tmp_path: Path) -> None:
    places = (("transfer_out", "310000"), ("transfer_in", "330100"))
    async with federation(tmp_path, "32", "31", "33") as (origin, one, two):
        console, first, _ = consoles(origin, one, two)
        lead = await origin.filed(filing("TV-008", places=places))
        await origin.applied(lead, PreCheck(), Role.WINDOW)
        case = await origin.until(lead, lambda c: all(p.case_number for p in c.parts))
        parts = {p.region: p.case_number for p in case.parts}
        for node in (one, two):
            await node.until(parts[node.region], lambda c: not c.awaiting_receipt)
        spans = await connected(console, lead)
        assert {span.case_number for span in spans} == {lead, *parts.values()}
        assert {span.region for span in spans} == {"31", "32", "33"}
        # A part's region sees its own part and the lead's hops at the origin, not the other part's.
        spans = await connected(first, parts["31"])
        assert {span.case_number for span in spans} == {lead, parts["31"]}


async def test_a_restart_in_the_middle_keeps_one_connected_trace(tmp_path: Path) -> None:
    async with federation(tmp_path, "32", bus_url="kafka://127.0.0.1:9") as (origin,):
        number = await origin.filed(filing())
    async with federation(tmp_path, "32") as (origin,):
        await origin.eventually(lambda: waiting(origin), 0)
    async with federation(tmp_path, "31") as (competent,):
        await competent.until(number, lambda c: not c.awaiting_receipt)
        await competent.applied(number, PreCheck())
    async with federation(tmp_path, "32", "31") as (origin, competent):
        console, _ = consoles(origin, competent)
        await competent.applied(number, Accept())
        await origin.until(number, lambda c: c.state is State.ACCEPTED)
        spans = await connected(console, number)
        assert any(span.recovered and span.kind == "producer" for span in spans)


async def waiting(node: Node) -> int:
    async with node.parts.store.read() as unit:
        return sum(count for count, _ in (await unit.outbox_counts()).values())


async def test_a_trace_hangs_together_though_every_process_dies_before_its_spans_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(_keeper: SpanKeeper, _span: HopSpan) -> None:
        """What was in memory alone."""

    monkeypatch.setattr(SpanKeeper, "offer", dies)
    async with federation(tmp_path, "32", "31") as (origin, competent):
        console, _ = consoles(origin, competent)
        number = await origin.filed(filing(delivery=Delivery("pickup")))
        await competent.until(number, lambda c: not c.awaiting_receipt)
        await competent.settle(number)
        await origin.until(number, lambda c: c.state is State.DECIDED)
        await origin.act(number, Withdraw("too late"), Role.APPLICANT)

        async def refused() -> list[str]:
            view = await origin.parts.reader.get(number)
            assert view is not None
            return [ask.state for ask in view.asks]

        await origin.eventually(refused, ["refused"])
        spans = await connected(console, number)
        assert {span.recovered for span in spans if span.kind == "server"} == {True}


async def test_what_came_twice_or_unreadable_leaves_no_hop_in_the_case(tmp_path: Path) -> None:
    async with federation(tmp_path, "32", "31") as (origin, competent):
        console, _ = consoles(origin, competent)
        number = await origin.filed(filing())
        await competent.until(number, lambda c: not c.awaiting_receipt)
        await competent.applied(number, PreCheck())
        await origin.until(number, lambda c: c.state is State.PRE_CHECKED)
        (last,) = (await competent.parts.reader.history(number))[-1:]
        again = carry(
            encode_exchange(EventBatch(number, last.version, ((last.core, last.private),))),
            kind="events", topic=inbox("32"), subject=number, source="31", message_id="again",
            wall_s=1_790_000_000.0, traceparent=f"00-{'ab' * 16}-{'cd' * 8}-01",
        )  # fmt: skip
        rubbish = Message(inbox("32"), number.encode(), b"rubbish", (("traceparent", b"00-" + b"ab" * 16),))
        await origin.parts.bus.publish([again, replace(again), rubbish])

        async def count() -> int:
            return len(await console.parked())

        await origin.eventually(count, 1)
        await competent.applied(number, Accept())
        await origin.until(number, lambda c: c.state is State.ACCEPTED)
        await connected(console, number)
