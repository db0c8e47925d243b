"""I5: no version is missing, each event follows from the bytes of the one before, and order is kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise

from tests.fault.checker.facts import Event, Record, Region, World
from tests.fault.checker.facts import Violation as Found
from tests.fault.checker.names import violation
from tongban.v1.exchange_pb2 import EventBatch, ServiceRequest


def ordered(world: World) -> Iterator[Found]:
    """hole, broken_chain, swapped_order, unfilled_hole."""
    for region in world.regions.values():
        for number, events in region.events.items():
            yield from _holes(region, number, events)
            yield from _chain(region, number, events)
            yield from _written(region, number, events)
        for number, version in region.held:
            yield violation("unfilled_hole", number, region.code, f"version {version} is held")
        for number, version in region.gaps:
            said = f"the hole from version {version} on is open"
            yield violation("unfilled_hole", number, region.code, said)
    yield from _sent(world)


def _replaced(region: Region, number: str) -> set[int]:
    """The versions that a snapshot took the place of."""
    return {
        version
        for r in region.resyncs
        if r.case_number == number and r.to_version is not None
        for version in range(r.from_version, r.to_version + 1)
    }


def _holes(region: Region, number: str, events: Sequence[Event]) -> Iterator[Found]:
    there = {event.version for event in events}
    missing = set(range(1, max(there) + 1)) - there
    if missing and (missing := missing - _replaced(region, number)):
        said = f"{', '.join(map(str, sorted(missing)))} of {max(there)} missing"
        yield violation("hole", number, region.code, said)


def _chain(region: Region, number: str, events: Sequence[Event]) -> Iterator[Found]:
    digests = {event.version: event.digest for event in events}
    for event in events:
        core = event.core
        for said in _contradictions(event):
            yield violation("broken_chain", number, region.code, f"version {event.version}: {said}")
        before = b"" if event.version == 1 else digests.get(event.version - 1)
        if before is not None and core.prev_hash != before:
            said = f"version {event.version} follows {core.prev_hash.hex()[:16]}, not {before.hex()[:16]}"
            yield violation("broken_chain", number, region.code, said)


def _contradictions(event: Event) -> Iterator[str]:
    core = event.core
    if event.hash != event.digest:
        yield f"the stored hash is {event.hash.hex()[:16]}, the bytes have {event.digest.hex()[:16]}"
    for word, stored, said in (
        ("number", event.number, core.case_number),
        ("version", event.version, core.version),
        ("author", event.author, core.author),
        ("epoch", event.epoch, core.epoch),
        ("event_id", event.event_id.replace("-", ""), core.event_id.hex()),
    ):
        if stored != said:
            yield f"{word} is {stored}, its bytes say {said}"


def _written(region: Region, number: str, events: Sequence[Event]) -> Iterator[Found]:
    """`events` come in order of writing."""
    for earlier, later in pairwise(events):
        if later.version < earlier.version:
            said = f"version {later.version} was written after {earlier.version}"
            yield violation("swapped_order", number, region.code, said)


def _sent(world: World) -> Iterator[Found]:
    """On a topic no version of a case comes before the one before it was there to be known."""
    known: dict[tuple[str, str], set[int]] = defaultdict(set)
    for region in world.regions.values():
        for number, events in region.events.items():
            own = {event.version for event in events if event.author == region.code}
            known[region.code, number] |= own | _replaced(region, number)
    for partition in world.partitions or ():
        if partition.first:
            continue  # its beginning was trimmed
        for record in partition.records:
            first, last = versions(record)
            if not last:
                continue
            there = known[record.destination, record.key]
            if first > 1 and first - 1 not in there:
                said = (
                    f"version {first} stands at {record.topic}/{record.partition}/{record.offset}"
                    f" before {first - 1}"
                )
                yield violation("swapped_order", record.key, record.destination, said)
            there.update(range(1 if _whole(record) else first, last + 1))


def versions(record: Record) -> tuple[int, int]:
    """The versions that a message brings, (0, 0) for none."""
    exchange = record.exchange
    if exchange is None or not record.destination:
        return 0, 0
    batch: EventBatch | ServiceRequest
    match exchange.WhichOneof("content"):
        case "events":
            batch = exchange.events
        case "service_request":
            batch = exchange.service_request
        case "snapshot":
            return 1, exchange.snapshot.case.version
        case _:
            return 0, 0
    return batch.from_version, batch.from_version + len(batch.records) - 1


def _whole(record: Record) -> bool:
    return record.exchange is not None and record.exchange.WhichOneof("content") == "snapshot"
