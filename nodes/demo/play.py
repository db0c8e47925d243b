"""One line of the input, played: filed, then every act in its turn; what happened is noted for the check.

Knows the order of a line and who acts for whom. Officers find their line by the case number that File
answered. Must not know what is right (`checker`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from google.protobuf.json_format import ParseDict

from nodes.demo.calls import Refusal
from nodes.demo.docket import Entry, Overdue
from nodes.demo.lines import Act, Line
from nodes.demo.pace import Pace
from nodes.demo.papers import Unreadable
from nodes.demo.people import Citizen, Clerk, Head, Officer, Person, Place, Said
from tongban.v1 import case_service_pb2
from tongban.v1.case_pb2 import Material

READS: Final = frozenset({"accept", "accept_with_lack"})
"""Before these an officer looks at the papers."""


@dataclass(slots=True)
class Played:
    """What happened to a line. number: of the case; refused: of the filing; log: acts that were refused, with
    their codes; problems: why it could not be played to its end; done: nobody does anything more.
    """

    line: Line
    number: str = ""
    filed: case_service_pb2.FileResponse | None = None
    refused: Refusal | None = None
    log: list[tuple[datetime, str, str, str]] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)
    acts: int = 0
    done: bool = False


class Player:
    """Plays lines over the platforms. by_case: which line a case number belongs to."""

    def __init__(self, places: Mapping[str, Place], pace: Pace) -> None:
        self.places, self.pace = places, pace
        self.by_case: dict[str, Line] = {}
        self.played: list[Played] = []
        self._since: dict[str, int] = {}
        """By case number: its version when somebody was about to act on it."""

    async def play(self, line: Line) -> None:
        """The whole line. What goes wrong is noted, never raised: the others play on."""
        played = Played(line)
        self.played.append(played)
        await self.pace.until(line.at)
        try:
            await self._file(played)
            if played.number and not line.again:
                await self._acts(played)
        except Overdue:
            played.problems.append(("stuck", "the case did not come to where it was awaited"))
        except Refusal as refusal:
            played.problems.append(("refused", str(refusal)))
        except Unreadable as error:
            played.problems.append(("unreadable", str(error)))
        except TimeoutError:
            played.problems.append(("no_answer", "the node gave no answer"))
        finally:
            played.done = True

    async def _file(self, played: Played) -> None:
        line = played.line
        place = self.places[line.node]
        person = self._filer(line, place)
        filing = case_service_pb2.NewFiling()
        stated = {name: value for name, value in line.filing.items() if name != "materials"}
        ParseDict(stated, filing)
        filing.materials.extend(await self._materials(line, person))
        request = case_service_pb2.FileRequest(
            request_id=line.request_id, client=place.client, actor=person.actor, filing=filing
        )
        streamed = line.by == "applicant" and not line.again
        try:
            played.filed = await (place.calls.file_line if streamed else place.calls.file)(request)
        except Refusal as refusal:
            played.refused = refusal
            return
        played.number = played.filed.case_number
        if not line.again:
            self.by_case[played.number] = line

    async def _materials(self, line: Line, person: Person) -> list[Material]:
        """A repeated request names the same materials as the first."""
        return await person.hand_in(line.request_id, line.filing.get("materials", []))

    async def _acts(self, played: Played) -> None:
        acts = played.line.acts
        position = 0
        while position < len(acts):
            act = acts[position]
            await self.pace.until(act.at)
            if act.beside:
                both = (self._act(played, position), self._act(played, position + 1))
                await asyncio.gather(*both)
                position += 2
                continue
            await self._act(played, position)
            position += 1

    async def _act(self, played: Played, position: int) -> None:
        line = played.line
        act = line.acts[position]
        played.acts += 1
        number = played.number
        if act.part:
            number = await self.places[line.node].docket.part(played.number, act.part)
        if act.do == "await":
            await self._seen(line, number, act)
            return
        person = await self._person(line, number, act)
        known = self.places[line.node].docket.entries.get(number)
        self._since[number] = known.version if known else 0
        said = Said(line.request_id, f"{line.request_id}-{position}", number, act.do, act.when, act.fields)
        if isinstance(person, Officer) and act.do in READS:
            await person.place.docket.find(number, lambda entry: person.finds(entry, act.when))
            await person.place.papers.look_at(number, person.place, person.actor)
        try:
            await person.say(said, self.pace.clock)
        except Refusal as refusal:
            played.log.append((self.pace.clock.now(), act.who, act.do, refusal.code))
            if refusal.code != act.refused and not self._races(line, position):
                played.problems.append(("act_refused", f"{act.do}: {refusal}"))
            return
        if act.refused:
            played.problems.append(("act_not_refused", f"{act.do}: {act.refused}"))

    @staticmethod
    def _races(line: Line, position: int) -> bool:
        return line.acts[position].beside or (position > 0 and line.acts[position - 1].beside)

    async def _seen(self, line: Line, number: str, act: Act) -> None:
        """At the origin, and where it is owned."""
        since = self._since.get(number, 0)
        entry = await self.places[line.node].docket.find(number, lambda e: e.has_been(act.when, since))
        for region in {entry.owner} - {line.node}:
            await self.places[region].docket.find(number, lambda e: e.has_been(act.when, since))

    async def _person(self, line: Line, number: str, act: Act) -> Person:
        place = self.places[line.node]
        if act.who == "applicant":
            return Citizen(place, f"citizen-{line.request_id}")
        if act.who == "window":
            return Clerk(place, f"clerk-{line.filing['origin_area']}")
        entry = await place.docket.find(number, lambda entry: self._decided_by(entry) != "")
        there = self.places[self._decided_by(entry)]
        if not act.authority:
            entry = await there.docket.find(number, lambda entry: entry.authority != "")
        authority = act.authority or entry.authority
        return Head(there, authority) if act.who == "head" else there.officer(authority)

    @staticmethod
    def _decided_by(entry: Entry) -> str:
        """The region whose officers act: the owner, once it is handed over."""
        return entry.competent

    @staticmethod
    def _filer(line: Line, place: Place) -> Person:
        if line.by == "window":
            return Clerk(place, f"clerk-{line.filing['origin_area']}")
        return Citizen(place, f"citizen-{line.request_id}")
