"""I1 and I2: nothing that was acknowledged is lost, nothing takes effect twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from tests.fault.checker.facts import Call, Event, World
from tests.fault.checker.facts import Violation as Found
from tests.fault.checker.names import violation
from tests.fault.checker.restored import beyond_recovery


def lost(world: World) -> Iterator[Found]:
    """lost_case, lost_on_the_way, lost_act."""
    gone = beyond_recovery(world)
    for call in world.history or ():
        if call.outcome == "acknowledged" and call.region in world.regions and not gone(call):
            if call.verb == "file":
                yield from _lost_case(world, call)
            else:
                yield from _lost_act(world, call)
    for number in world.numbers():
        yield from _lost_on_the_way(world, number)


def _lost_case(world: World, call: Call) -> Iterator[Found]:
    region = world.regions[call.region]
    missing = [
        word
        for word, there in (
            ("row", call.case_number in region.cases),
            ("document", call.case_number in region.filings),
            ("events", bool(region.events.get(call.case_number))),
        )
        if not there
    ]
    if missing:
        said = f"request {call.request_id} was acknowledged; no {', no '.join(missing)}"
        yield violation("lost_case", call.case_number, call.region, said)


def _lost_act(world: World, call: Call) -> Iterator[Found]:
    region = world.regions[call.region]
    if call.ask_id:
        if call.ask_id not in region.asks:
            said = f"{call.verb} {call.request_id} was given as ask {call.ask_id}; there is none"
            yield violation("lost_act", call.case_number, call.region, said)
        return
    events = region.events.get(call.case_number, ())
    if not any(e.core.caused_by == call.request_id and e.version <= call.version for e in events):
        said = f"{call.verb} {call.request_id} was applied as version {call.version}; no event names it"
        yield violation("lost_act", call.case_number, call.region, said)


def _lost_on_the_way(world: World, number: str) -> Iterator[Found]:
    latest = world.latest(number)
    if latest is None:
        return
    owner = latest.core.after.owner
    if owner not in world.regions or number in world.regions[owner].cases:
        return
    if not _queued(world, number, owner):
        said = f"version {latest.version} in {latest.region} makes {owner} its owner; it is in no queue"
        yield violation("lost_on_the_way", number, owner, said)


def _queued(world: World, number: str, owner: str) -> bool:
    """Whether an operator can see it: still to be sent, on the topic unread, held or parked."""
    there = world.regions[owner]
    if any(
        o.destination == owner and o.case_number == number for r in world.regions.values() for o in r.outbox
    ):
        return True
    if any(held == number for held, _ in there.held):
        return True
    if any(p.case_number == number and p.state == "parked" for p in there.parked):
        return True
    return any(
        record.key == number
        and record.destination == owner
        and record.offset >= there.offsets.get((record.topic, record.partition), ("", 0))[1]
        for record in world.records()
    )


def doubled(world: World) -> Iterator[Found]:
    """doubled_effect, number_given_twice."""
    yield from _event_ids(world)
    yield from _causes(world)
    yield from _requests(world)
    yield from _numbers(world)


def _event_ids(world: World) -> Iterator[Found]:
    places: dict[str, Event] = {}
    for event in world.events():
        first = places.setdefault(event.event_id, event)
        if (first.number, first.version) != (event.number, event.version):
            said = f"event {event.event_id} is also version {first.version} of {first.number}"
            yield violation("doubled_effect", event.number, event.region, said)


def _causes(world: World) -> Iterator[Found]:
    for region in world.regions.values():
        for number, events in region.events.items():
            first: dict[str, int] = {}
            for event in events:
                cause = event.core.caused_by
                if cause and first.setdefault(cause, event.version) != event.version:
                    said = f"versions {first[cause]} and {event.version} have the cause {cause}"
                    yield violation("doubled_effect", number, region.code, said)


def _requests(world: World) -> Iterator[Found]:
    """One request to one region brings one case."""
    brought: dict[tuple[str, str, str], str] = {}
    for number in world.numbers():
        path = world.path(number)
        if not path or not path[0].core.caused_by:
            continue
        core = path[0].core
        key = (core.author, core.filed.filing.client, core.caused_by)
        if brought.setdefault(key, number) != number:
            said = f"request {core.caused_by} brought {brought[key]} too"
            yield violation("doubled_effect", number, core.author, said)


def _numbers(world: World) -> Iterator[Found]:
    requests: dict[str, set[tuple[str, str, str]]] = defaultdict(set)
    for call in world.history or ():
        if call.verb == "file" and call.outcome == "acknowledged":
            requests[call.case_number].add(call.key)
    for number, keys in requests.items():
        if len(keys) > 1:
            said = f"given to the requests {', '.join(sorted(key[2] for key in keys))}"
            yield violation("number_given_twice", number, "", said)
    for number in world.numbers():
        first = {
            e.digest: r.code
            for r in world.regions.values()
            for e in r.events.get(number, ())
            if e.version == 1
        }
        if len(first) > 1:
            said = f"the filings in {' and '.join(sorted(first.values()))} are not the same"
            yield violation("number_given_twice", number, "", said)
