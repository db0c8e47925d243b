"""I9: nothing appears that nobody sent, and what was rolled back is never seen."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from tests.fault.checker.facts import Event, Record, World
from tests.fault.checker.facts import Violation as Found
from tests.fault.checker.names import violation
from tongban.v1.case_pb2 import Role
from tongban.v1.event_pb2 import EventCore

PEOPLE = {Role.ROLE_APPLICANT, Role.ROLE_WINDOW, Role.ROLE_OFFICER, Role.ROLE_HEAD, Role.ROLE_OPERATOR}


def phantoms(world: World) -> Iterator[Found]:
    """phantom_case, phantom_event, phantom_ask, phantom_act."""
    own = {(e.number, e.version, e.digest) for e in world.events() if e.region == e.author}
    for event in world.events():
        key = (event.number, event.version, event.digest)
        if event.author in world.regions and key not in own:
            said = f"version {event.version} by {event.author}, which does not have it"
            yield violation("phantom_event", event.number, event.region, said)
    for record in world.records():
        if record.destination:
            yield from _said(world, record, own)
    if world.history is not None:
        yield from _unasked(world)


def _said(world: World, record: Record, own: set[tuple[str, int, bytes]]) -> Iterator[Found]:
    if record.exchange is None:
        return
    where = f"{record.topic}/{record.partition}/{record.offset}"
    match record.exchange.WhichOneof("content"):
        case "events":
            records = record.exchange.events.records
        case "service_request":
            records = record.exchange.service_request.records
        case "ask":
            ask = record.exchange.ask
            asker = world.regions.get(ask.asker)
            if asker is not None and ask.ask_id not in asker.asks:
                yield violation("phantom_ask", record.key, ask.asker, f"ask {ask.ask_id} at {where}")
            return
        case _:
            return
    for item in records:
        core = EventCore.FromString(item.core)
        key = (core.case_number, core.version, hashlib.sha256(item.core).digest())
        if core.author in world.regions and key not in own:
            said = f"version {core.version} at {where} by {core.author}, which does not have it"
            yield violation("phantom_event", record.key, record.destination, said)


def _unasked(world: World) -> Iterator[Found]:
    """Whatever a person did was asked for: by a call of the history, or by an ask that another region has."""
    wanted = {(call.region, call.request_id) for call in world.history or () if call.outcome != "refused"}
    refused = {(call.region, call.request_id) for call in world.history or ()} - wanted
    asks = {ask_id for region in world.regions.values() for ask_id in region.asks}
    for event in world.events():
        if event.region != event.author:
            continue
        core = event.core
        cause = (core.author, core.caused_by)
        if cause in wanted or cause in refused or core.caused_by in asks:
            continue
        if core.type == "Filed":
            if not _part_of_a_lead(world, event):
                said = f"filed by request {core.caused_by or 'unnamed'}, which nobody sent"
                yield violation("phantom_case", event.number, event.region, said)
        elif core.by in PEOPLE or core.caused_by:
            said = (
                f"version {event.version}, {core.type}, by {core.caused_by or 'nothing'}, which nobody sent"
            )
            yield violation("phantom_act", event.number, event.region, said)


def _part_of_a_lead(world: World, event: Event) -> bool:
    lead = event.core.filed.filing.lead
    return bool(lead) and any(
        e.core.type == "PartFiled" and e.core.part_filed.case_number == event.number for e in world.path(lead)
    )
