"""Two nodes and a case between them, for whoever means harm: what they have in their databases, and what is
never told.

A harm that was refused has changed nothing but what may change: spans, the stored answer to a request id, and
of a message its place in the partition and the letter that it became.
"""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path

from broker.bus import Message, PublishedAt, TopicMissing
from nodes.cases.case import Case, State
from nodes.store.rows import EventRow, ParkedRow
from tests.integration.rpc.faces import IDENTITY, MARKER, Served, known, served

FUND = "fund_centre-310000"
SETTLE_S = 20.0
CASE_TABLES = ("filing", "case_row", "case_event", "ask", "material", "material_use", "resync")
"""What a case is made of."""
MESSAGE_TABLES = ("held", "gap_request", "parked", "inbox", "bus_offset", "outbox", "sent_tail")
"""What comes and goes with messages."""
SET_LATER = {"case_event": ("log_seq",)}
SECRETS = (MARKER, IDENTITY, "Traceback", 'File "', ".py:")
"""What no answer, no letter's reason and no line of a log may hold."""

Digest = dict[str, str]


@dataclass(slots=True)
class World:
    """32, where people file, and 31, where it is settled. `numbers`: cases received at 31, unused."""

    folder: Path
    origin: Served
    competent: Served
    numbers: list[str] = field(default_factory=list)
    history: list[EventRow] = field(default_factory=list)
    cases: dict[str, Case] = field(default_factory=dict)

    def node(self, region: str) -> Served:
        return self.origin if region == "32" else self.competent

    def state(self, tables: Iterable[str] = CASE_TABLES) -> Digest:
        """What the nodes have stored, by region and table: read from the files, not asked of the nodes."""
        found: Digest = {}
        for region in ("32", "31"):
            uri = f"file:{self.folder}/{region}.db?mode=ro"
            with closing(sqlite3.connect(uri, uri=True, timeout=10)) as connection:
                for table in tables:
                    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
                    kept = ", ".join(c for c in columns if c not in SET_LATER.get(table, ()))
                    rows = sorted(map(repr, connection.execute(f"SELECT {kept} FROM {table}")))
                    found[f"{region}.{table}"] = hashlib.sha256("\n".join(rows).encode()).hexdigest()
        return found

    async def quiet(self) -> None:
        """Once nothing waits to be sent or acknowledged anywhere, and every event has its place."""
        async with asyncio.timeout(SETTLE_S):
            while await self._busy():  # noqa: ASYNC110  # what is counted has no signal of its own
                await asyncio.sleep(0.01)

    async def _busy(self) -> bool:
        for node in (self.origin, self.competent):
            async with node.parts.store.read() as unit:
                waiting = sum(count for count, _ in (await unit.outbox_counts()).values())
                tails = await unit.unacked_before(float("inf"), 10)
            if waiting or tails:
                return True
        return False

    async def letters(self, region: str) -> Sequence[ParkedRow]:
        page = await self.node(region).operations.letters(limit=10_000, cursor="", settled=True)
        return page.letters

    async def taken_in(self, region: str, messages: Sequence[Message]) -> None:
        """Publishes them, and waits until the node's own offsets are behind them."""
        node = self.node(region)
        async with asyncio.timeout(SETTLE_S):
            placed: Sequence[PublishedAt] = ()
            while not placed:
                try:
                    placed = await node.parts.bus.publish(list(messages))
                except TopicMissing:  # it is being made
                    await asyncio.sleep(0.01)
            ends = {at.partition: at.offset for at in placed}
            while True:
                async with node.parts.store.read() as unit:
                    offsets = await unit.load_offsets(messages[0].topic)
                if all(p in offsets and offsets[p].next_offset > end for p, end in ends.items()):
                    return
                await asyncio.sleep(0.005)

    async def serves(self) -> None:
        """Both nodes still answer, and a case goes from one to the other and back."""
        number = await self.origin.caller.file()
        assert (await known(self.competent, number)).number == number
        assert (await known(self.origin, number)).owner == "31"


@asynccontextmanager
async def world(folder: Path, *, cases: int = 3) -> AsyncIterator[World]:
    """Started, with cases of which the first has a history of its own."""
    async with served(folder, "32", "31") as (origin, competent):
        made = World(folder, origin, competent)
        made.numbers = [await origin.caller.file() for _ in range(cases)]
        for number in made.numbers:
            await known(competent, number)
            made.cases[number] = await known(origin, number)
        first = made.numbers[0]
        await competent.caller.act(first, authority=FUND, pre_check={})
        await known(origin, first, State.PRE_CHECKED)
        await made.quiet()
        made.history = await competent.parts.reader.history(first)
        yield made


def assert_clean(said: str, *hostile: str) -> None:
    """Nothing of our insides, nothing personal, and nothing of what was sent is repeated."""
    for secret in (*SECRETS, *hostile):
        assert secret not in said, secret
