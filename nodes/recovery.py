"""A node whose database was restored from a backup: it changes nothing before it has caught up.

Knows the order: ask every other region what it knows, take back what this region did after the backup, give
the others what they lack of it, read what came in meanwhile, and only then let people, timers and decision
rules go on. Must not know how any of it is told (`recall`) or applied (`nodes.desk.recovery`). After a set
time it goes on with what it has: what a region that was away knows further shows as a hole or a fork then.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import structlog

from broker.bus import BusError, Delivery, EventBus
from broker.topics import inbox
from nodes.codec.exchange import AskRefused, EventBatch, Recalled, ServiceRequest, Snapshot
from nodes.desk.arrived import Arrived
from nodes.desk.recall import late_recall
from nodes.desk.recovery import GoOn, TakeAsks, TakeBack
from nodes.desk.work import DeskError
from nodes.desk.writer import Writer
from nodes.inbox import open_delivery
from nodes.recall import Recalling
from nodes.store.errors import StoreError
from nodes.store.restored import INCARNATION, last_recovery, note_recovered, restored_at
from nodes.store.restored import Recovery as Outcome
from nodes.store.store import Store
from regions.casenumber import parse_case_number

MARGIN: Final = timedelta(days=1)
"""Business time by which the regions' clocks may differ."""
AT_ONCE: Final = 100
LEASE: Final = "recovery"
LEASE_S: Final = 15.0
LOOK_S: Final = 0.2
Step = Callable[[], Awaitable[None]]
log = structlog.get_logger("tongban.recovery")


class Recovery:
    """`carry`: starts what carries messages; `work`: starts what changes cases by itself. Both are awaited
    once: at once in a node that was not restored. `renumber`: told before them when numbers of this
    incarnation came back, because the same backup had been put back before.
    """

    def __init__(
        self, bus: EventBus, store: Store, writer: Writer, *, others: Iterable[str], group: str,
        incarnation: int, wait_s: float, renumber: Callable[[int], None], carry: Step, work: Step,
    ) -> None:  # fmt: skip
        self._bus, self._store, self._writer = bus, store, writer
        self._context = writer.context
        self._others, self._group = tuple(o for o in others if o != self._context.region), group
        self._incarnation, self._wait_s = incarnation, wait_s
        self._renumber, self._carry, self._work = renumber, carry, work
        self._topic = inbox(self._context.region)
        self._attempt = str(incarnation)
        self._task: asyncio.Task[None] | None = None
        self._trouble = ""
        self._stage = ""
        self._outcome: Outcome | None = None
        self._since: datetime | None = None

    @property
    def problem(self) -> str:
        """What keeps the node from writing, "" when nothing does."""
        if not self._stage:
            return ""
        return f"catching up after a restoration: {self._stage}" + (
            f" ({self._trouble})" if self._trouble else ""
        )

    @property
    def told(self) -> str:
        """What the last catching up came to, in words; "" when there was none."""
        found = self._outcome
        if found is None:
            return ""
        silent = [region for region in found.missing if region not in found.unread]
        said = (
            f"restored under incarnation {found.incarnation}: {found.cases} cases, {found.events} events and"
            f" {found.asks} asks came back from {', '.join(found.answered) or 'nobody'}"
        )
        for what in (
            f"; no answer from {', '.join(silent)}" * bool(silent),
            f"; {', '.join(found.unread)} cannot answer, of an older contract" * bool(found.unread),
            f"; they may know more of {found.unsure} open cases" * bool(found.unsure),
            f"; {found.unfit} cases are known further elsewhere" * bool(found.unfit),
            f"; at most {found.numbers_lost} filings are lost" * bool(found.numbers_lost),
        ):
            said += what
        return said

    async def start(self) -> None:
        """Begins, in the running event loop. Raises StoreError."""
        async with self._store.read() as unit:
            self._outcome = await last_recovery(unit)
            noted = await restored_at(unit)
        if noted is None:
            await self._carry()
            await self._work()
            return
        self._writer.hold(True)
        self._stage = "asking the other regions"
        self._task = asyncio.create_task(self._run(noted), name="recovery")

    async def close(self) -> None:
        """Ends; what was not caught up with is, at the next start."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self, noted: float) -> None:
        deadline = time.monotonic() + self._wait_s
        ends: dict[int, int] = {}
        outcome = Outcome(self._incarnation, noted, 0.0, (), self._others)
        while await self._unfinished():
            try:
                if await self._leased():
                    ends = await self._ends()
                    outcome = await self._recall(ends, outcome, deadline)
                    break
                self._stage = "another process asks the other regions"
                await asyncio.sleep(LOOK_S)
            except (BusError, StoreError, DeskError) as error:
                self._trouble = str(error)
                if time.monotonic() > deadline and not isinstance(error, StoreError):
                    break
                await asyncio.sleep(LOOK_S)
            except Exception as error:  # whatever it is, a node that stays read-only for ever helps nobody
                self._trouble = type(error).__name__
                log.exception("catching up failed")
                if time.monotonic() > deadline:
                    break
                await asyncio.sleep(1.0)
        self._trouble, self._stage = "", "reading what came in meanwhile"
        await self._ask_late(outcome.missing)
        await self._count()
        await self._carry()
        await self._read_up_to(ends, deadline)
        await self._note(outcome)
        self._stage = ""
        self._writer.hold(False)
        await self._work()
        log.warning("caught up after a restoration", outcome=self.told)

    async def _unfinished(self) -> bool:
        """Whether nobody has caught up yet: several processes may have started on the database."""
        with suppress(StoreError):
            async with self._store.read() as unit:
                return await restored_at(unit) is not None
        return True

    async def _leased(self) -> bool:
        async with self._store.write() as unit:
            return await unit.take_lease(LEASE, self._context.process, LEASE_S) is not None

    async def _ends(self) -> dict[int, int]:
        """Partition -> the end of this region's inbox now: what comes from there on may be an answer."""
        return {lag.partition: lag.end for lag in await self._bus.lag(self._group, [self._topic])}

    async def _recall(self, ends: dict[int, int], outcome: Outcome, deadline: float) -> Outcome:
        self._attempt = f"{self._incarnation}-{secrets.token_hex(4)}"
        async with self._store.read(aside=True) as unit:
            last = await unit.last_change()
        self._since = last - MARGIN if last is not None else None
        asking = Recalling(
            self._bus, self._context.region, self._others, attempt=self._attempt, since=self._since,
            resend_after_s=min(5.0, self._context.resend_after_s),
        )  # fmt: skip
        found = _Found()

        async def from_the_end(_topic: str, partition: int, _incarnation: str) -> int:
            return ends.get(partition, 0)

        reader = self._bus.subscribe(
            [self._topic], self._group, member=self._context.process, start=from_the_end
        )
        leased = time.monotonic()
        try:
            while not asking.done and time.monotonic() < deadline:
                await asking.ask()
                self._stage = f"asking the other regions: {_progress(asking)}"
                self._trouble = ""
                await self._take(await reader.poll(timeout_s=LOOK_S), asking, found)
                if time.monotonic() - leased > LEASE_S / 3:
                    await self._leased()
                    leased = time.monotonic()
        finally:
            await reader.close()
        await self._give(asking, found)
        await self._raise_incarnation(n for other in asking.neighbours.values() for n in other.heads)
        answered = tuple(sorted(set(self._others) - set(asking.missing)))
        return Outcome(
            outcome.incarnation, outcome.restored_wall_s, 0.0, answered, tuple(sorted(asking.missing)),
            len(found.cases), found.events, found.asks, len(asking.given_up) + len(asking.wanted),
            await self._numbers_lost(found.new), tuple(sorted(asking.unread)),
        )  # fmt: skip

    async def _take(self, deliveries: Sequence[Delivery], asking: Recalling, found: _Found) -> None:
        """What is an answer. All else is read again, in its order, once this is done."""
        events: list[Arrived] = []
        for message in (open_delivery(delivery, self._context.region) for delivery in deliveries):
            match message.content:
                case Recalled() as content:
                    heads = asking.answered(message.source, content)
                    if heads:
                        known = await self._known(head.case_number for head in heads)
                        asking.compare(message.source, heads, known)
                        found.new |= {h.case_number for h in heads if h.case_number not in known}
                        work = TakeAsks(asks=[kept for head in heads for kept in head.asks])
                        await self._writer.submit(work)
                        found.asks += work.taken
                case AskRefused() as content:
                    asking.refused(message.source, content)
                case EventBatch() | ServiceRequest() as batch if batch.case_number in asking.wanted:
                    events.append(message)
                case Snapshot() as snapshot:
                    asking.give_up(snapshot.case_number)
                case _:
                    pass
        if events:
            await self._take_back(events, asking, found)

    async def _take_back(self, events: list[Arrived], asking: Recalling, found: _Found) -> None:
        back = TakeBack(messages=events)
        await self._writer.submit(back)
        found.events += back.events
        for number, version in back.reached.items():
            if version:
                found.cases.add(number)
            asking.reached(number, version)
        for number in back.unfit:
            asking.give_up(number)

    async def _known(self, numbers: Iterable[str]) -> dict[str, int]:
        async with self._store.read() as unit:
            return {number: row.version for number, row in (await unit.load_cases(numbers)).items()}

    async def _give(self, asking: Recalling, found: _Found) -> None:
        """The others get what they lack of what came back; what they have is not sent again."""
        heads = {n.region: n.heads for n in asking.neighbours.values() if n.told}
        cases = sorted(found.cases)
        for at in range(0, len(cases), AT_ONCE):
            await self._writer.submit(GoOn(cases=cases[at : at + AT_ONCE], heads=heads))
        for region, versions in heads.items():
            numbers = sorted(versions)
            for at in range(0, len(numbers), 1000):
                some = numbers[at : at + 1000]
                known = await self._known(some)
                acked = [(region, n, versions[n]) for n in some if versions[n] <= known.get(n, 0)]
                async with self._store.write() as unit:
                    await unit.note_acked(acked)
        async with self._store.write() as unit:
            there = [
                row_id
                for row_id, to, number, version in await unit.outbox_pointers()
                if version <= heads.get(to, {}).get(number, 0)
            ]
            await unit.delete_outbox(there)

    async def _raise_incarnation(self, numbers: Iterable[str]) -> None:
        """Beyond every one that has given a number: an earlier restoration of the same backup had its own."""
        given = [parse_case_number(number) for number in numbers]
        used = max((n.incarnation for n in given if n.region == self._context.region), default=0)
        if used >= self._incarnation:
            async with self._store.write() as unit:
                await unit.set_meta(INCARNATION, str(used + 1))

    async def _numbers_lost(self, new: Iterable[str]) -> int:
        """Numbers between those that came back which no region knows. Blocks of numbers that a process did
        not use up count as well: it is the most that can be lost there.
        """
        highest: dict[tuple[str, int], int] = defaultdict(int)
        for number in new:
            parsed = parse_case_number(number)
            if parsed.region == self._context.region:
                key = (f"{parsed.day:%Y%m%d}", parsed.incarnation)
                highest[key] = max(highest[key], parsed.serial)
        lost = 0
        for (day, incarnation), serial in highest.items():
            async with self._store.read(aside=True) as unit:
                pattern = f"______{day}{incarnation:04d}%"
                numbers = await unit.numbers_like([pattern], self._context.region)
            lost += max(0, serial - sum(parse_case_number(n).serial <= serial for n in numbers))
        return lost

    async def _count(self) -> None:
        """Under the incarnation that holds for all processes."""
        while True:
            with suppress(StoreError):
                async with self._store.read() as unit:
                    self._incarnation = int(await unit.get_meta(INCARNATION) or self._incarnation)
                self._renumber(self._incarnation)
                return
            await asyncio.sleep(LOOK_S)

    async def _ask_late(self, missing: Sequence[str]) -> None:
        """Who did not answer in time is asked by the way of any message, and may answer whenever it can."""
        rows = [late_recall(self._context, region, self._attempt, self._since) for region in missing]
        with suppress(StoreError):
            async with self._store.write() as unit:
                if await restored_at(unit) is not None:
                    await unit.insert_outbox(rows)

    async def _read_up_to(self, ends: dict[int, int], deadline: float) -> None:
        """Until everything is applied that lay in this region's inbox when the node started."""
        while time.monotonic() < deadline:
            with suppress(StoreError, BusError):
                async with self._store.read() as unit:
                    offsets = await unit.load_offsets(self._topic)
                lags = {lag.partition: lag.lag for lag in await self._bus.lag(self._group, [self._topic])}
                if all(
                    (known := offsets.get(partition)) is not None and known.next_offset >= end
                    for partition, end in ends.items()
                    if end and lags.get(partition, 0)
                ):
                    return
            await asyncio.sleep(LOOK_S)

    async def _note(self, outcome: Outcome) -> None:
        """The first of several processes says what it came to."""
        while True:
            with suppress(StoreError):
                async with self._store.write() as unit:
                    if await restored_at(unit) is not None:
                        wall = self._context.wall_s()
                        unsure = await unit.open_with(outcome.missing)
                        done = replace(
                            outcome, incarnation=self._incarnation, done_wall_s=wall, unsure=unsure
                        )
                        await note_recovered(unit, done)
                    self._outcome = await last_recovery(unit)
                return
            await asyncio.sleep(LOOK_S)


class _Found:
    """What came back. `new`: cases of which nothing was here."""

    def __init__(self) -> None:
        self.cases: set[str] = set()
        self.new: set[str] = set()
        self.events = 0
        self.asks = 0


def _progress(asking: Recalling) -> str:
    awaited = asking.awaited
    said = f"no answer yet from {', '.join(awaited)}" if awaited else "all have answered"
    return f"{said}, {len(asking.wanted)} cases are wanted back"
