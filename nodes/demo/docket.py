"""What one node's desk sees: its stream of changes, kept as the present state of each case.

Knows Watch and what an event says of afterwards. Must not know what anybody does about it (`people`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Final, TypeVar

import grpc

from nodes.demo.calls import PASSING, Calls, refusal_of
from nodes.waking import woken
from tongban.v1 import case_pb2, case_service_pb2
from tongban.v1.case_service_pb2 import CaseFilter
from tongban.v1.event_pb2 import EventCore

Found = TypeVar("Found")
STATES: Final = {v: n.removeprefix("CASE_STATE_").lower() for n, v in case_pb2.CaseState.items()}


class Overdue(Exception):
    """A case is not where it must be, after all the patience there is."""


@dataclass(slots=True)
class Entry:
    """A case as this node has it. awaiting: handed over and not received; seen: types of its events; been:
    each state that it has been in, with the last version at which it was.
    """

    number: str
    state: str = ""
    version: int = 0
    owner: str = ""
    authority: str = ""
    origin: str = ""
    competent: str = ""
    lead: str = ""
    part: int = 0
    parties: frozenset[str] = frozenset()
    awaiting: bool = False
    seen: set[str] = field(default_factory=set)
    been: dict[str, int] = field(default_factory=dict)

    def has_been(self, states: Collection[str], since: int) -> bool:
        """Whether it was in one of them at that version or later: a state may pass before anybody looks."""
        return any(self.been.get(state, -1) >= since for state in states)

    def take(self, core: EventCore) -> None:
        """The next event."""
        after, kind = core.after, core.WhichOneof("body")
        self.state, self.version = STATES.get(after.state, ""), core.version
        self.owner, self.authority = after.owner, after.authority or self.authority
        self.parties = frozenset(party.region for party in after.parties)
        self.seen.add(core.type)
        self.been[self.state] = self.version
        if kind == "filed":
            filing = core.filed.filing
            self.origin, self.competent = filing.origin, filing.competent
            self.authority = self.authority or filing.authority
            self.lead, self.part = filing.lead, filing.part_index
        elif kind == "handed_over":
            self.awaiting = True
        elif kind in ("received", "handover_rejected"):
            self.awaiting = False


class Docket:
    """Follows one node from the beginning of its records."""

    def __init__(self, calls: Calls, patience_s: float = 20.0) -> None:
        self.calls, self.patience_s = calls, patience_s
        self.entries: dict[str, Entry] = {}
        self.parts: dict[tuple[str, int], str] = {}
        self.changed = 0
        self._waiting: dict[str, list[asyncio.Event]] = {}
        self._seen_up_to = "0"
        self._task: asyncio.Task[None] | None = None
        self._listeners: list[Callable[[str, Entry, EventCore], None]] = []

    def listen(self, told: Callable[[str, Entry, EventCore], None]) -> None:
        """Call `told` (region, entry, event) after each change."""
        self._listeners.append(told)

    def start(self) -> None:
        """Begin to follow."""
        self._task = asyncio.create_task(self._follow(), name=f"docket-{self.calls.region}")

    async def close(self) -> None:
        """Stop following."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def find(self, number: str, ready: Callable[[Entry], bool]) -> Entry:
        """The case once it is as wished. Raises Overdue."""
        return await self._until(number, lambda: self._ready(number, ready))

    async def part(self, lead: str, position: int) -> str:
        """The number of a part, once this node knows it. Raises Overdue."""
        return await self._until("", lambda: self.parts.get((lead, position)))

    def _ready(self, number: str, ready: Callable[[Entry], bool]) -> Entry | None:
        entry = self.entries.get(number)
        return entry if entry is not None and ready(entry) else None

    async def _until(self, key: str, look: Callable[[], Found | None]) -> Found:
        """What `look` finds once it finds something; it looks again after each change of `key` ("": any)."""
        until, changed = time.monotonic() + self.patience_s, asyncio.Event()
        waiting = self._waiting.setdefault(key, [])
        waiting.append(changed)
        try:
            while (found := look()) is None:
                left_s = until - time.monotonic()
                if left_s <= 0:
                    raise Overdue
                await woken(changed, left_s)
            return found
        finally:
            waiting.remove(changed)

    async def _follow(self) -> None:
        actor = case_pb2.Actor(role=case_pb2.ROLE_OPERATOR, region=self.calls.region, id="demo-desk")
        while True:
            request = case_service_pb2.WatchRequest(
                resume_token=self._seen_up_to, filter=CaseFilter(), actor=actor
            )
            try:
                async for change in self.calls.cases.Watch(request):
                    self._take(change)
            except grpc.aio.AioRpcError as error:
                if error.code() not in PASSING:
                    raise refusal_of(error) from None
            await asyncio.sleep(0.1)

    def _take(self, change: case_service_pb2.WatchResponse) -> None:
        self._seen_up_to = change.resume_token
        core = change.event.core
        entry = self.entries.setdefault(core.case_number, Entry(core.case_number))
        if core.version <= entry.version:
            return
        entry.take(core)
        self.changed += 1
        if entry.lead:
            self.parts[(entry.lead, entry.part)] = entry.number
        for told in self._listeners:
            told(self.calls.region, entry, core)
        for key in (entry.number, ""):
            for waiting in self._waiting.get(key, ()):
                waiting.set()
