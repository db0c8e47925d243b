"""I11: sent = applied + parked + dead-lettered, and nothing is left over once the federation has settled."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from tests.fault.checker.facts import Record, Region, World
from tests.fault.checker.facts import Violation as Found
from tests.fault.checker.names import violation
from tests.fault.checker.order import versions
from tongban.v1.event_pb2 import EventRecord


def flowed(world: World) -> Iterator[Found]:
    """unsent_message, unread_message, unapplied_message, unacknowledged, unanswered_ask,
    missing_dead_letter.
    """
    for region in world.regions.values():
        yield from _left(region)
    yield from _unread(world)
    for record in world.records():
        if record.destination in world.regions:
            yield from _unapplied(world, record)
    if world.partitions is not None:
        copies = {record.dead_from for record in world.records()}
        for region in world.regions.values():
            for letter in region.parked:
                place = (letter.topic, letter.partition, letter.log_offset)
                if place not in copies:
                    said = f"letter {letter.id} of {'/'.join(map(str, place))}"
                    yield violation("missing_dead_letter", letter.case_number, region.code, said)


def _left(region: Region) -> Iterator[Found]:
    for row in region.outbox:
        said = f"row {row.id}: {row.kind} {row.from_version}-{row.to_version} {row.ref} to {row.destination}"
        yield violation("unsent_message", row.case_number, region.code, said)
    for tail in region.tails:
        if tail.acked_version < tail.sent_version:
            said = f"{tail.destination} was sent {tail.sent_version} and has {tail.acked_version}"
            yield violation("unacknowledged", tail.case_number, region.code, said)
    for ask in region.asks.values():
        if ask.asker == region.code and ask.state == "pending":
            yield violation("unanswered_ask", ask.case_number, region.code, f"ask {ask.ask_id}")


def _unread(world: World) -> Iterator[Found]:
    for partition in world.partitions or ():
        for code, region in world.regions.items():
            if partition.topic != f"tongban.inbox.{code}":
                continue
            incarnation, read = region.offsets.get((partition.topic, partition.number), ("", 0))
            if partition.incarnation and incarnation not in {"", partition.incarnation}:
                read = 0
            if partition.records and read <= partition.records[-1].offset:
                said = f"{partition.topic}/{partition.number} is read up to {read} of {partition.end}"
                yield violation("unread_message", "", code, said)


def _unapplied(world: World, record: Record) -> Iterator[Found]:
    region = world.regions[record.destination]
    place = (record.topic, record.partition, record.offset)
    if any((p.topic, p.partition, p.log_offset) == place for p in region.parked):
        return
    if record.offset >= region.offsets.get(place[:2], ("", 0))[1]:
        return  # unread, which is another's word
    where = "/".join(map(str, place))
    if record.exchange is None:
        said = f"{where} cannot be read and was not put aside"
        yield violation("unapplied_message", record.key, region.code, said)
        return
    first, last = versions(record)
    kind = record.exchange.WhichOneof("content")
    if kind == "snapshot" or not last or _waits(region, record.key):
        return
    records: Sequence[EventRecord] = getattr(record.exchange, kind or "").records
    there = {event.version: event.digest for event in region.events.get(record.key, ())}
    replaced = [r for r in region.resyncs if r.case_number == record.key]
    for version, item in enumerate(records, first):
        if any(r.from_version <= version <= (r.to_version or version) for r in replaced):
            continue
        if there.get(version) != hashlib.sha256(item.core).digest():
            said = f"version {version} of {where} was read and is not there"
            yield violation("unapplied_message", record.key, region.code, said)


def _waits(region: Region, number: str) -> bool:
    """Whether the case is parked: what comes meanwhile is asked for again when it goes on."""
    return any(p.case_number == number and p.state == "parked" for p in region.parked)


def counts(world: World) -> dict[str, int]:
    """What was sent and what became of it, in events: each version of a case to each destination once."""
    sent: set[tuple[str, str, int]] = set()
    for record in world.records():
        first, last = versions(record)
        sent.update((record.destination, record.key, version) for version in range(first, last + 1) if last)
    applied = {(d, n, v) for d, n, v in sent if d in world.regions and _has(world.regions[d], n, v)}
    parked = [p for r in world.regions.values() for p in r.parked]
    return {
        "sent": len(sent),
        "applied": len(applied),
        "parked": sum(p.state == "parked" for p in parked),
        "dead letters": len(parked),
    }


def _has(region: Region, number: str, version: int) -> bool:
    row = region.cases.get(number)
    return row is not None and row.version >= version
