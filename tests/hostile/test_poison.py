"""Poison among good messages: every good case settles, every poison one is put aside with its reason, and
what only the reader's own mistake made poison is replayed once the mistake is mended.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from pathlib import Path

import pytest

from broker.bus import Message, TopicMissing
from nodes.cases.case import State
from nodes.codec.errors import DecodeError
from nodes.codec.record import DecodedEvent, decode_record
from tests.hostile.poison import filed_once, handovers, spoiled
from tests.integration.desk.federation import Node, federation
from tests.integration.operations.console import consoles

GOOD, POISON = 10_000, 1_000
PART = 1 if os.environ.get("POISON") == "all" else 4
"""The test run sends a quarter of it; POISON=all sends all (half a minute on one core)."""
MISREAD = 50
"""So many of the poison ones are good, and the node has a fault with their cases."""
SETTLED = 5
WITHIN_S = 110.0
SEED = 5


async def test_every_good_case_settles_among_poison(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await poison_among_good(tmp_path, monkeypatch, GOOD // PART, POISON // PART)


async def poison_among_good(
    folder: Path, monkeypatch: pytest.MonkeyPatch, good_count: int, poison_count: int
) -> None:
    rng = random.Random(SEED)
    async with federation(folder, "32", bus_url=f"sqlite:///{folder}/aside.db") as (origin,):
        making = handovers(await filed_once(origin))
    async with federation(folder, "31") as (competent,):
        good = [next(making) for _ in range(good_count)]
        misread = [next(making) for _ in range(MISREAD)]
        wrong = [spoiled(rng, next(making)) for _ in range(poison_count - MISREAD)]
        sent = [*(g.message for g in (*good, *misread)), *(message for _, message in wrong)]
        rng.shuffle(sent)
        numbers = {g.number for g in misread}

        def unable(core: bytes, private: bytes) -> DecodedEvent:
            found = decode_record(core, private)
            if found.case_number in numbers:
                raise DecodeError("event", "cannot be read")
            return found

        (console,) = consoles(competent)
        with monkeypatch.context() as fault:
            fault.setattr("nodes.desk.mirror.decode_record", unable)
            await published(competent, sent)
            await competent.eventually(lambda: cases(competent), good_count, WITHIN_S)
            await competent.eventually(lambda: parked(competent), poison_count, WITHIN_S)
        page = await console.operations.letters(limit=poison_count + 1, cursor="", settled=True)
        said = Counter(x.reason for x in page.letters)
        assert said == Counter(["BAD_RECORD"] * MISREAD + [reason for reason, _ in wrong])
        assert all(x.detail and x.state == "parked" for x in page.letters)
        await every_case_is_received(competent, [g.number for g in good])

        mine = [x for x in page.letters if x.reason == "BAD_RECORD"]
        assert {x.case_number for x in mine} == numbers
        for letter in mine:
            assert await console.replayed(letter.id) == ("replayed", "")
        await every_case_is_received(competent, sorted(numbers))
        for number in [*rng.sample(sorted(numbers), SETTLED), *(g.number for g in rng.sample(good, SETTLED))]:
            await competent.settle(number)
            await competent.until(number, lambda c: c.state is State.CLOSED)


async def published(node: Node, messages: list[Message]) -> None:
    async with asyncio.timeout(WITHIN_S):
        for at in range(0, len(messages), 500):
            some = messages[at : at + 500]
            while some:
                try:
                    await node.parts.bus.publish(some)
                    some = []
                except TopicMissing:  # it is being made
                    await asyncio.sleep(0.01)


async def parked(node: Node) -> int:
    async with node.parts.store.read() as unit:
        return int(await unit.count_parked())


async def cases(node: Node) -> int:
    async with node.parts.store.read() as unit:
        return sum((await unit.count_open()).values())


async def every_case_is_received(node: Node, numbers: list[str]) -> None:
    for at in range(0, len(numbers), 500):
        async with node.parts.store.read() as unit:
            rows = await unit.load_cases(numbers[at : at + 500])
        for number in numbers[at : at + 500]:
            row = rows[number]
            assert (row.version, row.owned, row.parked) == (3, True, False), number
