"""Citizens, clerks and officers of a rehearsal: each finds the case at the own node and says one thing to it.

Knows who may look where, how a verb is put into a request, and how an ask ends. Must not know what anybody
is going to say (`play` reads it from the line).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from google.protobuf.json_format import ParseDict
from google.protobuf.timestamp_pb2 import Timestamp
from typing_extensions import override

from nodes.business_time import HeldClock
from nodes.demo.calls import Calls, Refusal
from nodes.demo.docket import Docket, Entry, Overdue
from nodes.demo.papers import Papers
from tongban.v1 import case_pb2, case_service_pb2
from tongban.v1.command_pb2 import Command
from tongban.v1.errors_pb2 import ErrorDetail

NOW: Final[Mapping[str, tuple[str, ...]]] = {
    "take_custody": ("custody", "since"),
    "ship": ("shipment", "sent_at"),
    "dispatch": ("shipment", "sent_at"),
    "rate": ("rating", "at"),
    "return_original": ("at",),
    "shipment_arrived": ("at",),
}
"""Times within a command that are the moment at which it is given."""


def stamp(at: datetime) -> Timestamp:
    """A time of the contract."""
    found = Timestamp()
    found.FromDatetime(at)
    return found


@dataclass(slots=True)
class Place:
    """One province's platform: its node, and what its desk sees."""

    calls: Calls
    docket: Docket
    client: str
    papers: Papers
    officers: dict[str, Officer] = field(default_factory=dict)

    def officer(self, authority: str) -> Officer:
        """The officer of that authority; each authority has one."""
        return self.officers.setdefault(authority, Officer(self, authority))


@dataclass(frozen=True, slots=True)
class Said:
    """One verb about to be said. known: states in which the case must be found; papers: made from `line`."""

    line: str
    request_id: str
    number: str
    verb: str
    known: frozenset[str]
    fields: Mapping[str, Any]


class Person:
    """Anybody who acts through a platform."""

    role: case_pb2.Role.ValueType

    def __init__(self, place: Place, account: str, authority: str = "") -> None:
        self.place, self.account, self.authority = place, account, authority

    @property
    def actor(self) -> case_pb2.Actor:
        """As the node is told."""
        region = self.place.calls.region
        return case_pb2.Actor(role=self.role, region=region, id=self.account, authority=self.authority)

    def finds(self, entry: Entry, known: frozenset[str]) -> bool:
        """Whether the case has come to where this person can act on it."""
        return not known or entry.state in known

    async def say(self, said: Said, clock: HeldClock) -> None:
        """Wait for the case, say it, and wait for the owner's word where it was asked elsewhere.

        Raises Refusal, here or by the owner; Overdue when the case does not come.
        """
        await self.place.docket.find(said.number, lambda entry: self.finds(entry, said.known))
        request = case_service_pb2.ActRequest(
            request_id=said.request_id, client=self.place.client, actor=self.actor, case_number=said.number,
            command=await self._command(said, clock),
        )  # fmt: skip
        answer = await self.place.calls.act(request)
        if answer.WhichOneof("outcome") == "requested_ask_id":
            await self._outcome(said.number, answer.requested_ask_id)
        else:
            await self._applied(said.number, answer.applied_version)

    async def _command(self, said: Said, clock: HeldClock) -> Command:
        fields = {name: value for name, value in said.fields.items() if name != "materials"}
        command = Command()
        ParseDict({said.verb: fields}, command)
        verb = getattr(command, said.verb)
        verb.SetInParent()
        if "materials" in said.fields:
            verb.materials.extend(await self.hand_in(said.line, said.fields["materials"]))
        if path := NOW.get(said.verb):
            holder = verb
            for name in path:
                holder = getattr(holder, name)
            holder.CopyFrom(stamp(clock.now()))
        return command

    async def hand_in(self, line: str, wanted: Sequence[Mapping[str, str]]) -> list[case_pb2.Material]:
        """The materials, uploaded."""
        codes = [material["code"] for material in wanted]
        return await self.place.papers.hand_in(line, codes, self.place, self.actor)

    async def _applied(self, number: str, version: int) -> None:
        """Until the own desk sees it too."""
        await self.place.docket.find(number, lambda entry: entry.version >= version)

    async def _outcome(self, number: str, ask_id: str) -> None:
        until, pause = time.monotonic() + self.place.docket.patience_s, 0.01
        while time.monotonic() < until:
            answer = await self.place.calls.get(number, self.actor)
            ask = next((ask for ask in answer.asks if ask.ask_id == ask_id), None)
            if ask is not None and ask.state == "refused":
                raise Refusal(ErrorDetail(code=ask.refusal.code, fields=[ask.refusal]))
            if ask is not None and ask.state == "applied":
                await self._applied(number, ask.version)
                return
            await asyncio.sleep(pause)
            pause = min(0.2, pause * 1.5)
        raise Overdue


class Citizen(Person):
    """The applicant, or the agent who files."""

    role = case_pb2.ROLE_APPLICANT


class Clerk(Person):
    """At the window where papers are received."""

    role = case_pb2.ROLE_WINDOW


class Officer(Person):
    """Of one authority: acts on what the desk of the own province owns, never on what is only mirrored."""

    role = case_pb2.ROLE_OFFICER

    def __init__(self, place: Place, authority: str) -> None:
        super().__init__(place, f"officer-{authority}", authority)

    @override
    def finds(self, entry: Entry, known: frozenset[str]) -> bool:
        """Only once it is received here."""
        here = entry.owner == self.place.calls.region and not entry.awaiting
        return here and super().finds(entry, known)


class Head(Officer):
    """Of one authority: extends limits."""

    role = case_pb2.ROLE_HEAD

    def __init__(self, place: Place, authority: str) -> None:
        super().__init__(place, authority)
        self.account = f"head-{authority}"
