"""A bus that is away, a node that ends in the middle, messages that come twice: nothing lost or doubled."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from broker.bus import BusError, Message
from broker.topics import inbox
from broker.url import open_bus
from nodes.cases.case import State
from nodes.codec.carry import carry
from nodes.codec.exchange import EventBatch, encode_exchange
from nodes.outbox import LAST_WORD_S
from tests.integration.desk.federation import Node, federation, filing

NOWHERE = "kafka://127.0.0.1:9"


async def test_files_and_answers_while_the_bus_is_away_and_sends_later(tmp_path: Path) -> None:
    async with federation(tmp_path, "32", bus_url=NOWHERE) as (origin,):
        number = await origin.filed(filing())

        async def told() -> bool:
            return bool(origin.parts.relay.problem)

        await origin.eventually(told, True)
        case = await origin.case(number)
        assert case is not None
        assert case.state is State.FILED
    async with federation(tmp_path, "32", "31") as (origin, competent):
        await competent.until(number, lambda c: not c.awaiting_receipt)
        await origin.until(number, lambda c: not c.awaiting_receipt)


async def test_a_node_that_ends_and_starts_again_goes_on_where_it_was(tmp_path: Path) -> None:
    async with federation(tmp_path, "32", "31") as (origin, competent):
        number = await origin.filed(filing())
        await competent.until(number, lambda c: not c.awaiting_receipt)
    async with federation(tmp_path, "31") as (competent,):
        await competent.settle(number)
    async with federation(tmp_path, "32", "31") as (origin, competent):
        ours = await origin.until(number, lambda c: c.state is State.CLOSED)
        assert ours == await competent.case(number)
        await origin.eventually(lambda: _waiting(origin), 0)


async def test_a_node_that_ends_in_good_order_sends_what_it_holds(tmp_path: Path) -> None:
    async with federation(tmp_path, "32") as (origin,):
        await origin.filed(filing())
        await origin.eventually(lambda: _waiting(origin), 0)  # the topics are there
        number = await origin.filed(filing())
    async with federation(tmp_path, "31") as (competent,):
        await competent.until(number, lambda c: not c.awaiting_receipt)


async def test_a_node_whose_bus_is_away_does_not_wait_for_it_when_it_ends(tmp_path: Path) -> None:
    async with federation(tmp_path, "32", bus_url=NOWHERE) as (origin,):
        await origin.filed(filing())
        began = time.monotonic()
    assert time.monotonic() - began < LAST_WORD_S + 5.0
    async with federation(tmp_path, "32", bus_url=NOWHERE) as (origin,):
        assert await _waiting(origin) == 1


async def _waiting(node: Node) -> int:
    async with node.parts.store.read() as unit:
        return sum(count for count, _ in (await unit.outbox_counts()).values())


async def test_every_event_twice_and_from_behind_changes_nothing(tmp_path: Path) -> None:
    async with federation(tmp_path, "32", "31") as (origin, competent):
        number = await origin.filed(filing())
        await competent.until(number, lambda c: not c.awaiting_receipt)
        await competent.settle(number)
        closed = await origin.until(number, lambda c: c.state is State.CLOSED)
        history = await competent.parts.reader.history(number)
        messages = [
            carry(
                encode_exchange(EventBatch(number, e.version, ((e.core, e.private),))),
                kind="events", topic=inbox("32"), subject=number, source="31",
                message_id=f"again-{e.version}", wall_s=1_790_000_000.0,
            )
            for e in reversed(history)
        ]  # fmt: skip
        bus = open_bus(f"sqlite:///{tmp_path}/bus.db")
        await bus.start()
        await bus.publish(messages)
        end = (await bus.publish([replace(messages[0])]))[0]
        await bus.close()

        async def read() -> bool:
            async with origin.parts.store.read() as unit:
                offsets = await unit.load_offsets(inbox("32"))
            return offsets[end.partition].next_offset > end.offset

        await origin.eventually(read, True)
        assert await origin.case(number) == closed
        view = await origin.parts.reader.get(number)
        assert view is not None
        assert not view.row.parked


async def test_a_hole_is_noticed_asked_for_and_filled(tmp_path: Path) -> None:
    async with federation(tmp_path, "31") as (competent,):
        async with federation(tmp_path, "32") as (origin,):
            number = await origin.filed(filing())
            await competent.until(number, lambda c: not c.awaiting_receipt)
            await origin.until(number, lambda c: not c.awaiting_receipt)
        # While the origin is away everything it is sent but the last message is taken out of its inbox.
        await competent.settle(number)
        await competent.until(number, lambda c: c.state is State.CLOSED)
        await competent.eventually(lambda: _waiting(competent), 0)
        async with federation(tmp_path, "32", bus_url=f"sqlite:///{tmp_path}/other.db") as (origin,):
            last = (await competent.parts.reader.history(number))[-1]
            message = carry(
                encode_exchange(EventBatch(number, last.version, ((last.core, last.private),))),
                kind="events", topic=inbox("32"), subject=number, source="31", message_id="early",
                wall_s=1_790_000_000.0,
            )  # fmt: skip
            await origin.parts.bus.ensure_topics([])
            await _published(origin, message)
            await origin.eventually(lambda: _held(origin), 1)
        async with federation(tmp_path, "32") as (origin,):
            ours = await origin.until(number, lambda c: c.state is State.CLOSED)
            assert ours == await competent.case(number)
            await origin.eventually(lambda: _held(origin), 0)


async def _published(node: Node, message: Message) -> None:
    async def sent() -> bool:
        try:
            await node.parts.bus.publish([message])
        except BusError:  # the topic is being made
            return False
        return True

    await node.eventually(sent, True)


async def _held(node: Node) -> int:
    async with node.parts.store.read() as unit:
        return int(await unit.count_held())
