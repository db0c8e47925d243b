"""What the bus loses, doubles or forges: noticed, and mended or put before an operator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import pytest
import uuid_utils

from broker.bus import EventBus, Message, PublishedAt, TopicMissing
from broker.topics import inbox
from nodes.cases.case import Role, State
from nodes.cases.commands import Accept, PreCheck, Withdraw
from nodes.cases.filing import Delivery
from nodes.codec.carry import carry
from nodes.codec.exchange import EventBatch, encode_exchange
from nodes.codec.record import decode_record, encode_event
from nodes.store.rows import EventRow
from tests.integration.desk.federation import Node, federation, filing
from tests.integration.operations.console import Console, consoles


class Wanted(Protocol):
    def __call__(self, message: Message) -> bool: ...


def losing(monkeypatch: pytest.MonkeyPatch, node: Node, lost: Wanted) -> list[Message]:
    """The node's bus takes such messages and never delivers them; those that it took."""
    bus: EventBus = node.parts.bus
    publish = bus.publish
    gone: list[Message] = []

    async def lossy(messages: Sequence[Message]) -> Sequence[PublishedAt]:
        gone.extend(m for m in messages if lost(m))
        return await publish([m for m in messages if not lost(m)])

    monkeypatch.setattr(bus, "publish", lossy)
    return gone


def alone(row: EventRow, to: str, source: str) -> Message:
    """One event of a case as a message of its own."""
    return carry(
        encode_exchange(EventBatch(row.number, row.version, ((row.core, row.private),))),
        kind="events", topic=inbox(to), subject=row.number, source=source,
        message_id=f"alone-{row.version}-{row.hash.hex()[:8]}", wall_s=1_790_000_000.0,
    )  # fmt: skip


async def letters(console: Console) -> list[str]:
    return [letter.reason for letter in await console.parked()]


async def held(node: Node) -> int:
    async with node.parts.store.read() as unit:
        return int(await unit.count_held())


async def some(messages: list[Message]) -> bool:
    return bool(messages)


async def received(origin: Node, competent: Node, way: str = "electronic") -> str:
    number = await origin.filed(filing(delivery=Delivery(way)))
    await competent.until(number, lambda c: not c.awaiting_receipt)
    await origin.until(number, lambda c: not c.awaiting_receipt)
    return number


async def test_a_lost_tail_is_sent_again_though_nothing_follows_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with federation(tmp_path, "32", "31", resend_after_s=0.5) as (origin, competent):
        number = await received(origin, competent)
        with monkeypatch.context() as patch:
            gone = losing(patch, competent, lambda m: m.topic == inbox("32") and m.key == number.encode())
            await competent.applied(number, PreCheck())
            await competent.eventually(lambda: some(gone), True)
        await origin.until(number, lambda c: c.state is State.PRE_CHECKED)

        async def unacknowledged() -> int:
            async with competent.parts.store.read() as unit:
                return len(await unit.unacked_before(1e12, 10))

        await competent.eventually(unacknowledged, 0)


async def test_a_lost_ask_and_a_lost_answer_are_sent_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with federation(tmp_path, "32", "31", resend_after_s=0.5) as (origin, competent):
        number = await received(origin, competent, way="pickup")
        await competent.settle(number)
        await origin.until(number, lambda c: c.state is State.DECIDED)

        async def states() -> list[str]:
            view = await origin.parts.reader.get(number)
            assert view is not None
            return [ask.state for ask in view.asks]

        with monkeypatch.context() as patch:
            answers = losing(patch, competent, lambda m: is_of_kind(m, "ask_refused"))
            with monkeypatch.context() as inner:
                asks = losing(inner, origin, lambda m: is_of_kind(m, "ask"))
                await origin.act(number, Withdraw("too late"), Role.APPLICANT)
                await origin.eventually(lambda: some(asks), True)
            await origin.eventually(lambda: some(answers), True)
        await origin.eventually(states, ["refused"])


def is_of_kind(message: Message, kind: str) -> bool:
    return dict(message.headers).get("ce_type", b"").decode().endswith(f".{kind}")


async def test_a_fork_is_parked_and_never_ignored(tmp_path: Path) -> None:
    async with federation(tmp_path, "32", "31") as (origin, competent):
        console, _ = consoles(origin, competent)
        number = await received(origin, competent)
        await competent.applied(number, PreCheck())
        await origin.until(number, lambda c: c.state is State.PRE_CHECKED)
        last = (await competent.parts.reader.history(number))[-1]
        found = decode_record(last.core, last.private)
        other = encode_event(
            found.event, number, event_id=uuid_utils.uuid7().bytes, prev_hash=found.prev_hash,
            recipients=("32",), salt=b"\x02" * 16,
        )  # fmt: skip
        assert other.hash != last.hash
        await origin.parts.bus.publish(
            [alone(replace(last, core=other.core, private=other.private, hash=other.hash), "32", "31")]
        )
        await origin.eventually(lambda: letters(console), ["FORK"])
        view = await origin.parts.reader.get(number)
        assert view is not None
        assert view.row.parked
        assert view.row.last_hash == last.hash
        # It holds the case up until it is dropped and the owner's state is here.
        await competent.applied(number, Accept())
        (letter,) = await console.parked()
        assert not (await console.drop(letter.id, "forged")).refused
        ours = await origin.until(number, lambda c: c.state is State.ACCEPTED)
        assert ours == await competent.case(number)


async def test_more_than_may_be_held_waits_for_an_operator_and_is_fetched_again(tmp_path: Path) -> None:
    async with federation(tmp_path, "31") as (competent,):
        async with federation(tmp_path, "32") as (origin,):
            number = await received(origin, competent)
        await competent.settle(number)
        await competent.until(number, lambda c: c.state is State.CLOSED)
        history = await competent.parts.reader.history(number)
        async with federation(tmp_path, "32", bus_url=f"sqlite:///{tmp_path}/other.db", hold_limit=2) as (
            origin,
        ):
            (console,) = consoles(origin)
            messages = [alone(row, "32", "31") for row in history[-3:]]
            for message in messages:
                await published(origin, message)
            await origin.eventually(lambda: letters(console), ["HOLD_LIMIT"])
            assert await held(origin) == 2
            (letter,) = await console.parked()
            assert await console.replayed(letter.id) == ("replayed", "")
            await origin.eventually(lambda: letters(console), [])
        async with federation(tmp_path, "32") as (origin,):
            ours = await origin.until(number, lambda c: c.state is State.CLOSED)
            assert ours == await competent.case(number)
            await origin.eventually(lambda: held(origin), 0)


async def published(node: Node, message: Message) -> None:
    async def sent() -> bool:
        try:
            await node.parts.bus.publish([message])
        except TopicMissing:  # it is being made
            return False
        return True

    await node.eventually(sent, True)


async def test_a_destination_that_is_away_keeps_no_other_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with federation(tmp_path, "32", "31", "33") as (origin, one, other):
        publish = origin.parts.bus.publish

        async def without_33(messages: Sequence[Message]) -> Sequence[PublishedAt]:
            if any(m.topic == inbox("33") for m in messages):
                raise TopicMissing(inbox("33"))
            return await publish(messages)

        with monkeypatch.context() as patch:
            patch.setattr(origin.parts.bus, "publish", without_33)
            away = await origin.filed(filing(places=(("fund_centre", "330100"),)))
            near = await origin.filed(filing())
            await one.until(near, lambda c: not c.awaiting_receipt)

            async def told() -> bool:
                return "33" in origin.parts.relay.problem

            await origin.eventually(told, True)
        await other.until(away, lambda c: not c.awaiting_receipt)
