"""Dead letters: what cannot be applied is put aside, shown, tried again and dropped; nothing else waits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from broker.bus import Delivery, EventBus, Message
from broker.topics import dead, inbox
from nodes.cases.case import State
from nodes.cases.commands import Accept, PreCheck, StartReview
from nodes.codec.errors import DecodeError
from nodes.codec.record import DecodedEvent, decode_record
from nodes.desk.work import RequestIdReused
from tests.integration.desk.federation import Node, federation, filing
from tests.integration.operations.console import Console, consoles, refusal
from tongban.v1 import operator_service_pb2

Read = Callable[[bytes, bytes], DecodedEvent]


def unreadable(number: str) -> Read:
    """How a node reads records that has a fault with one case."""

    def read(core: bytes, private: bytes) -> DecodedEvent:
        if number.encode() in core:
            raise DecodeError("event", "cannot be read")
        return decode_record(core, private)

    return read


async def with_fault(monkeypatch: pytest.MonkeyPatch, origin: Node, competent: Node, console: Console) -> str:
    """A case whose mirror could not read its second message."""
    number = await origin.filed(filing())
    await competent.until(number, lambda c: not c.awaiting_receipt)
    await origin.until(number, lambda c: not c.awaiting_receipt)
    monkeypatch.setattr("nodes.desk.mirror.decode_record", unreadable(number))
    await competent.applied(number, PreCheck())

    async def count() -> int:
        return len(await console.parked())

    await origin.eventually(count, 1)
    return number


async def parked(node: Node, number: str) -> bool:
    view = await node.parts.reader.get(number)
    return view is not None and view.row.parked


async def test_a_poison_message_parks_its_case_alone_and_is_replayed_after_the_mend(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with federation(tmp_path, "32", "31") as (origin, competent):
        (console, _) = consoles(origin, competent)
        number = await with_fault(monkeypatch, origin, competent, console)
        await competent.applied(number, Accept())
        (letter,) = await console.parked()
        shown = await console.operations.letter(letter.id)
        assert shown is not None
        assert (shown.case_number, shown.source, shown.reason) == (number, "31", "BAD_RECORD")
        assert await parked(origin, number)

        other = await origin.filed(filing())
        await competent.until(other, lambda c: not c.awaiting_receipt)
        await competent.settle(other)
        await origin.until(other, lambda c: c.state is State.CLOSED)

        state, detail = await console.replayed(letter.id)
        assert (state, "BAD_RECORD" in detail) == ("parked", True)
        assert (await origin.until(number, lambda _: True)).state is State.FILED

        monkeypatch.undo()
        assert await console.replayed(letter.id) == ("replayed", "")
        # What came in while it waited is fetched again.
        await origin.until(number, lambda c: c.state is State.ACCEPTED)
        await competent.applied(number, StartReview())
        await origin.until(number, lambda c: c.state is State.IN_REVIEW)
        assert not await parked(origin, number)
        assert await console.parked() == ()
        assert refusal(await console.replay(letter.id)) == {"id": "LETTER_SETTLED"}


async def test_a_dropped_owners_event_is_made_good_by_the_owners_snapshot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with federation(tmp_path, "32", "31") as (origin, competent):
        (console, _) = consoles(origin, competent)
        number = await with_fault(monkeypatch, origin, competent, console)
        (letter,) = await console.parked()
        assert refusal(await console.drop(letter.id, " ")) == {"reason": "REASON_MISSING"}
        dropped = await console.drop(letter.id, "damaged for good")
        assert operator_service_pb2.DropDeadResponse.FromString(dropped.body).resync
        monkeypatch.undo()

        await origin.until(number, lambda c: c.state is State.PRE_CHECKED)
        await competent.applied(number, Accept())
        ours = await origin.until(number, lambda c: c.state is State.ACCEPTED)
        assert ours == await competent.case(number)
        assert not await parked(origin, number)
        page = await console.operations.letters(limit=5, cursor="", settled=True)
        assert [(x.state, x.settled_reason, x.settled_by) for x in page.letters] == [
            ("dropped", "damaged for good", "p1")
        ]
        async with origin.parts.store.read() as unit:
            (resync,) = await unit.resyncs_of([number])
        assert (resync.id, resync.done_wall_s is not None) == (letter.id, True)


async def test_a_repeated_request_gets_the_first_answer_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with federation(tmp_path, "32", "31") as (origin, competent):
        (console, _) = consoles(origin, competent)
        number = await with_fault(monkeypatch, origin, competent, console)
        (letter,) = await console.parked()
        monkeypatch.undo()
        first = await console.replay(letter.id, "once")
        await origin.until(number, lambda c: c.state is State.PRE_CHECKED)
        assert await console.replay(letter.id, "once") == first
        with pytest.raises(RequestIdReused):
            await console.replay(letter.id, "once", b"another body")
        unknown = "0197f000-0000-7000-8000-000000000000"
        missing = await console.replay(unknown, "none")
        assert refusal(missing) == {"id": "NO_SUCH_LETTER"}
        assert await console.replay(unknown, "none") == missing
        assert refusal(await console.drop("not an id", "why")) == {"id": "NO_SUCH_LETTER"}


async def _rubbish(node: Node, count: int) -> None:
    async def there() -> bool:
        return all(r.exists for r in await node.parts.bus.ensure_topics([]))

    await node.eventually(there, True)
    for n in range(count):
        await _published(node.parts.bus, Message(inbox(node.region), b"k%d" % n, b"\x00rubbish"))


async def _published(bus: EventBus, message: Message) -> None:
    await bus.publish([message])


async def test_rubbish_parks_nothing_is_paged_and_copied_to_the_dead_letter_topic_once(
    tmp_path: Path,
) -> None:
    async with federation(tmp_path, "32", "31") as (origin, competent):
        (console, _) = consoles(origin, competent)
        number = await origin.filed(filing())
        await competent.until(number, lambda c: not c.awaiting_receipt)
        await _rubbish(origin, 5)

        async def count() -> int:
            return len(await console.parked())

        await origin.eventually(count, 5)
        assert not await parked(origin, number)
        seen: list[str] = []
        cursor = ""
        while True:
            page = await console.operations.letters(limit=2, cursor=cursor, settled=False)
            seen += [letter.id for letter in page.letters]
            if not (cursor := page.next_cursor):
                break
        assert seen == [letter.id for letter in await console.parked()]
        assert seen == sorted(seen, reverse=True)
        with pytest.raises(ValueError, match="cursor"):
            await console.operations.letters(limit=2, cursor="' OR 1=1", settled=False)

        copies: list[Delivery] = []
        watching = origin.parts.bus.subscribe([dead("32")], "watch", member="m")

        async def copied() -> int:
            copies.extend(await watching.poll(timeout_s=0.1))
            return len(copies)

        await origin.eventually(copied, 5)
        assert {d.message.value for d in copies} == {b"\x00rubbish"}
        assert all(dict(d.message.headers)["dead_reason"].startswith(b"BAD_ENVELOPE") for d in copies)
        await watching.close()

        assert not (await console.drop(seen[0], "rubbish")).refused
        assert len(await console.parked()) == 4
