"""`track`: one case as it stands, and with --watch every change as it happens."""

import threading
from typing import Annotated

import grpc
import typer

from nodes.cli.call import Call, command
from nodes.cli.exits import Exit
from nodes.cli.failures import Failure, Problem, failure, refused
from nodes.cli.follow import Follow
from nodes.cli.names import code
from nodes.cli.reach import Node
from nodes.cli.screens.case import case_screen
from nodes.cli.screens.events import event_line
from nodes.cli.words import both
from regions.casenumber import parse_case_number
from regions.errors import RegionsError
from tongban.v1.case_pb2 import ROLE_OPERATOR, Actor, CaseState
from tongban.v1.case_service_pb2 import (
    CaseFilter,
    GetRequest,
    GetResponse,
    HistoryRequest,
    WatchRequest,
    WatchResponse,
)
from tongban.v1.event_pb2 import CaseEvent

AT_THE_OWNER = ("officer", "head", "node")
"""Roles that act where the case is owned."""
ENDED = frozenset({"refused", "acceptance_revoked", "withdrawn", "closed", "rated"})
LOOK_EVERY_S = 5.0
"""Silence after which the case itself is looked at, should the stream have missed something."""
PATIENCE = 24
"""Looks in vain (the node is away) before watching is given up: two minutes."""


def add(app: typer.Typer) -> None:
    """Join the application."""
    command(app, "track", acting=True)(track)


def case_number(text: str) -> str:
    """A case number as stored, from any of its printed forms. Raises Failure that says what is wrong."""
    try:
        return parse_case_number(text).text
    except RegionsError as error:
        reason = str(getattr(error, "reason", "malformed"))
        problem = Problem("CASE", reason.upper(), both(f"wrong.case_{reason}"))
        raise failure(Exit.USAGE, "bad_case_number", problems=[problem]) from None


def track(
    call: Call,
    case: Annotated[str, typer.Argument(help="help.case", metavar="CASE")],
    watch: Annotated[bool, typer.Option("--watch", help="help.track.watch")] = False,
    resume: Annotated[str, typer.Option("--resume", help="help.track.resume")] = "",
) -> None:
    """The case, and its changes until it ends."""
    number = case_number(case)
    role = call.role or "applicant"
    region, authority = where_to_act(call, number, role)
    with call.reach.open(case=number, region=region) as node:
        actor = call.actor(node, role, authority)
        found = node.ask(node.cases.Get, GetRequest(case_number=number, actor=actor))
        call.terminal.data(found, line=watch)
        call.terminal.show(*case_screen(found, call.words, role))
        if watch:
            _Watching(call, node, actor, found).follow(resume)


def where_to_act(call: Call, case: str, role: str) -> tuple[str, str]:
    """The region in which that role has to do with the case and, of an officer, its authority; "" where the
    case number and the flags already say enough. Raises Failure.
    """
    if role not in AT_THE_OWNER or call.reach.node or call.reach.region:
        return "", ""
    with call.reach.open(case=case) as node:
        actor = Actor(role=ROLE_OPERATOR, region=node.region, id=call.account or call.client)
        found = node.ask(node.cases.Get, GetRequest(case_number=case, actor=actor)).case
    owner = found.owner if found.owner in call.reach.known() else ""
    return owner, found.authority or found.filing.authority


class _Watching:
    """Changes of one case, each once and in order, whatever becomes of the stream."""

    def __init__(self, call: Call, node: Node, actor: Actor, found: GetResponse) -> None:
        self.call, self.node, self.actor = call, node, actor
        self.number, self.version = found.case.filing.case_number, found.case.version
        self.ended = code(CaseState, found.case.state) in ENDED
        self.token = ""
        self.in_vain = 0

    def follow(self, resume: str) -> None:
        """Until the case has ended. Raises Failure when the node stays away."""
        self.token = resume
        if not self.ended:
            self.call.terminal.note("note.watching")
        while not self.ended:
            self._stream()
        self.call.terminal.note("note.ended", token=self.token)

    def _stream(self) -> None:
        wanted = CaseFilter(case_numbers=[self.number])
        request = WatchRequest(resume_token=self.token, filter=wanted, actor=self.actor)
        stream = Follow[WatchResponse](self.node.cases.Watch(request))
        try:
            for change in stream.items(LOOK_EVERY_S):
                if change is None:
                    self._look()
                else:
                    self.token = change.resume_token
                    self._take(change.event)
                if self.ended:
                    return
        except grpc.RpcError as error:
            self._later(refused(error, self.node.place.address))
            self._look()
        else:
            self._later(failure(Exit.UNREACHABLE, "unavailable", address=self.node.place.address, details=""))
        finally:
            stream.cancel()

    def _look(self) -> None:
        try:
            found = self.node.ask(self.node.cases.Get, GetRequest(case_number=self.number, actor=self.actor))
            self.in_vain = 0
            if found.case.version > self.version:
                self._fill()
        except Failure as away:
            self._later(away)

    def _later(self, away: Failure) -> None:
        self.in_vain += 1
        threading.Event().wait(min(LOOK_EVERY_S, 0.1 * 2.0**self.in_vain))
        if away.end is not Exit.UNREACHABLE or self.in_vain > PATIENCE:
            raise away
        if self.in_vain == 1:
            self.call.terminal.note("note.away", token=self.token)

    def _take(self, event: CaseEvent) -> None:
        if event.core.version > self.version + 1:
            self._fill()
        elif event.core.version == self.version + 1:
            self._print(event)

    def _fill(self) -> None:
        request = HistoryRequest(case_number=self.number, actor=self.actor)
        for event in self.node.ask(self.node.cases.History, request).events:
            if event.core.version > self.version:
                self._print(event)

    def _print(self, event: CaseEvent) -> None:
        self.version = event.core.version
        self.ended = code(CaseState, event.core.after.state) in ENDED
        self.call.terminal.data(WatchResponse(resume_token=self.token, event=event), line=True)
        self.call.terminal.show(event_line(event, self.call.words))
