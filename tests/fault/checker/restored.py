"""The one exception of I1: what was acknowledged after a backup and never sent is gone with its database.

Knows what counts as sent: it lies on a topic, or another region has it. Excuses nothing else, and counts it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from tests.fault.checker.facts import Call, World
from tongban.v1.event_pb2 import EventCore

KEPT_WITHIN_NS: Final = 1_000_000_000
"""A node writes its spans down within a second."""
Excuse = Callable[[Call], bool]


def beyond_recovery(world: World) -> Excuse:
    """Whether what a call was acknowledged for is gone, and may be."""
    if not world.restores:
        return lambda _: False
    asks, causes = set[str](), set[tuple[str, str]]()
    for ask_id, cause in _sent(world):
        asks.add(ask_id)
        causes.add(cause)
    for region in world.regions.values():
        asks |= {ask.ask_id for ask in region.asks.values() if ask.asker != region.code}
        for events in region.events.values():
            causes |= {(e.author, e.core.caused_by) for e in events if e.author != region.code}

    def gone(call: Call) -> bool:
        if not world.put_back(call) or call.outcome != "acknowledged" or call.region not in world.regions:
            return False
        own, number = world.regions[call.region], call.case_number
        if call.ask_id:
            return call.ask_id not in asks and call.ask_id not in own.asks
        if (call.region, call.request_id) in causes:
            return False
        if call.verb == "file":
            return number not in own.cases and number not in own.filings and not own.events.get(number)
        return all(event.core.caused_by != call.request_id for event in own.events.get(number, ()))

    return gone


def is_kept_filing(world: World, gone: Excuse) -> Excuse:
    """Whether an answer is made again from a filing that was sent: it must name the same case."""
    return lambda call: (
        call.verb == "file" and call.outcome == "acknowledged" and world.put_back(call) and not gone(call)
    )


def hops_gone(world: World) -> frozenset[str]:
    """Spans that were never sent, and are known by the messages that they sent after the backup."""
    return frozenset(
        record.hop
        for record in world.records()
        for r in world.restores
        if record.source == r.region
        and r.backup_ns - KEPT_WITHIN_NS <= record.at_ms * 1_000_000 <= r.restored_ns
    )


def roots_gone(world: World) -> frozenset[str]:
    """Cases whose first hop is gone: filed after the backup."""
    return frozenset(c.case_number for c in world.history or () if c.verb == "file" and world.put_back(c))


def counted(world: World) -> dict[str, int]:
    """What is beyond recovery: filings and acts, each once however often it was asked for."""
    gone = beyond_recovery(world)
    lost = {(call.verb == "file", call.key) for call in world.history or () if gone(call)}
    filings = sum(filing for filing, _ in lost)
    return {"filings beyond recovery": filings, "acts beyond recovery": len(lost) - filings}


def _sent(world: World) -> Iterator[tuple[str, tuple[str, str]]]:
    """Of everything on the topics: the ask, and author and cause of the event."""
    for record in world.records():
        if record.exchange is None or not record.destination:
            continue
        content = record.exchange.WhichOneof("content")
        if content == "ask":
            yield record.exchange.ask.ask_id, ("", "")
        elif content in {"events", "service_request"}:
            for item in getattr(record.exchange, content).records:
                core = EventCore.FromString(item.core)
                yield "", (core.author, core.caused_by)
