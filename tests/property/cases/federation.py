"""Regions that keep one case, and a network that loses, doubles and shuffles what they tell each other.

Nodes apply what they are told as the protocol says: version n + 1 is applied, an older one must be the same
event, a later one is held. Nothing here decides anything: that is the machine's, and is compared with the
model elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from nodes.cases import commands as c
from nodes.cases import machine
from nodes.cases.case import Actor, Case
from nodes.cases.events import Event, HandedOver


@dataclass(frozen=True)
class Ask:
    """What a region that does not own the case asks of the owner."""

    id: str
    verb: str
    letter: str
    word: str
    command: c.Command
    actor: Actor
    submitted_at: datetime
    forwarded: bool = False


@dataclass(frozen=True)
class Message:
    """Events n to m of the case, the whole of it, or an ask."""

    to: str
    events: tuple[Event, ...] = ()
    ask: Ask | None = None


@dataclass
class Node:
    """One region's copy: owner or mirror."""

    region: str
    case: Case | None = None
    history: list[Event] = field(default_factory=list)
    held: dict[int, Event] = field(default_factory=dict)

    @property
    def owns(self) -> bool:
        return self.case is not None and self.case.owner == self.region

    def apply(self, events: tuple[Event, ...]) -> None:
        for event in events:
            if event.version <= len(self.history):
                assert self.history[event.version - 1] == event, "a fork"
            else:
                self.held[event.version] = event
        while len(self.history) + 1 in self.held:
            following = self.held.pop(len(self.history) + 1)
            self.case = machine.evolve(self.case, following)
            self.history.append(following)


@dataclass
class Federation:
    """The nodes and what is on its way between them."""

    nodes: dict[str, Node]
    wires: list[Message] = field(default_factory=list)

    def owner(self) -> Node | None:
        """The node that may write; None while the ownership itself is on its way."""
        owning = [node for node in self.nodes.values() if node.owns]
        newest = max(owning, key=lambda node: len(node.history), default=None)
        known = max(len(node.history) for node in self.nodes.values())
        return newest if newest is not None and len(newest.history) == known else None

    def newest(self) -> Node:
        """The node that knows most."""
        return max(self.nodes.values(), key=lambda node: len(node.history))

    def write(self, node: Node, events: tuple[Event, ...]) -> None:
        """Commit, then tell every other party; to whom it is handed over gets the whole history."""
        if not events:
            return
        before = {p.region for p in node.case.parties} if node.case else set()
        node.apply(events)
        assert node.case is not None
        told = before | {p.region for p in node.case.parties}
        handed = {e.body.to for e in events if isinstance(e.body, HandedOver)}
        for region in sorted(told - {node.region}):
            self.wires.append(Message(region, tuple(node.history) if region in handed else events))

    def send(self, ask: Ask, to: str) -> None:
        self.wires.append(Message(to, ask=ask))

    def forward(self, node: Node, ask: Ask) -> None:
        """A former owner forwards an ask once."""
        if node.case is not None and not ask.forwarded:
            self.send(replace(ask, forwarded=True), node.case.owner)

    def repair(self) -> None:
        """What acknowledgements bring about in the end: whoever lacks events is sent them again."""
        newest = self.newest()
        assert newest.case is not None
        parties = {p.region for p in newest.case.parties} | {newest.case.owner}
        for region in sorted(parties):
            if len(self.nodes[region].history) < len(newest.history):
                self.wires.append(Message(region, tuple(newest.history)))
