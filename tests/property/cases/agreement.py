"""What must hold once every message has arrived: one history, one case, no effect twice."""

from __future__ import annotations

from dataclasses import replace

from nodes.cases import machine
from nodes.cases.case import Case
from nodes.cases.events import Event, Filed, Unknown
from tests.property.cases.federation import Federation

ESSENCE = (
    *("state", "owner", "epoch", "version", "clocks", "parties", "authority", "step", "lacks", "procedure"),
    *("suspension", "calendar_version"),
)
"""What `after` tells, so that a mirror that does not know an event keeps it."""


def the_mirrors_agree(net: Federation) -> None:
    """Every party has the owner's history and case; nobody has anything else."""
    newest = net.newest()
    assert newest.case is not None
    parties = {p.region for p in newest.case.parties} | {newest.case.owner}
    for node in net.nodes.values():
        if node.region in parties:
            assert node.history == newest.history
            assert node.case == newest.case
        assert node.history == newest.history[: len(node.history)]
    assert [event.version for event in newest.history] == list(range(1, len(newest.history) + 1))
    epochs = [event.epoch for event in newest.history]
    assert epochs == sorted(epochs)
    after_alone_keeps_the_essence(newest.history)


def no_effect_twice(history: list[Event]) -> None:
    """An ask has one effect, however often it arrives."""
    causes = [event.caused_by for event in history if event.caused_by]
    assert len(causes) == len(set(causes)), causes


def every_event_is_its_owners(history: list[Event]) -> None:
    """Written by who owned the case, under the epoch that held."""
    owner, epoch = history[0].author, 1
    for event in history:
        assert (event.author, event.epoch) == (owner, epoch), event
        owner, epoch = event.after.owner, event.after.epoch


def after_alone_keeps_the_essence(history: list[Event]) -> None:
    """A mirror of an older version, to which every event but the filing is unknown."""
    case: Case | None = None
    mirror: Case | None = None
    for event in history:
        case = machine.evolve(case, event)
        told = event if isinstance(event.body, Filed) else replace(event, body=Unknown("newer"))
        mirror = machine.evolve(mirror, told)
        for name in ESSENCE:
            assert getattr(case, name) == getattr(mirror, name), name
