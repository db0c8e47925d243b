"""What a desk sees: waits end by a change, a broken stream goes on where it ended."""

import asyncio

import pytest

from nodes.demo.docket import Entry, Overdue
from tests.unit.demo.stage import NUMBER, change, entry, place, said
from tongban.v1.event_pb2 import EventCore

FILED = change(1, "Filed", "filed", 7)
HANDED_OVER = change(2, "HandedOver", "filed", 8)
RECEIVED = change(3, "Received", "filed", 9)
ACCEPTED = change(4, "Accepted", "accepted", 12)


async def test_a_wait_ends_with_the_change_that_it_waited_for() -> None:
    where = place("31")
    said(where).streams = [[FILED, HANDED_OVER, RECEIVED, ACCEPTED]]
    waiting = asyncio.create_task(where.docket.find(NUMBER, lambda e: e.state == "accepted"))
    where.docket.start()
    found = await waiting
    await where.docket.close()
    assert (found.version, found.origin, found.competent, found.owner) == (4, "32", "31", "31")
    assert not found.awaiting
    assert where.docket.changed == 4


async def test_a_case_handed_over_is_awaited_until_it_is_received() -> None:
    one = Entry(NUMBER)
    one.take(FILED.event.core)
    one.take(HANDED_OVER.event.core)
    assert one.awaiting
    one.take(RECEIVED.event.core)
    assert not one.awaiting


async def test_a_broken_stream_goes_on_behind_what_was_seen_and_takes_nothing_twice() -> None:
    where = place("31")
    said(where).streams = [[FILED, HANDED_OVER], [HANDED_OVER, RECEIVED]]
    told: list[int] = []
    where.docket.listen(lambda _, __, core: told.append(core.version))
    where.docket.start()
    await where.docket.find(NUMBER, lambda e: e.version == 3)
    await where.docket.close()
    assert said(where).asked[:2] == ["0", "8"]
    assert told == [1, 2, 3]


async def test_a_case_that_never_comes_is_overdue() -> None:
    where = place("31", patience_s=0.05)
    where.docket.entries[NUMBER] = entry(state="filed")
    with pytest.raises(Overdue):
        await where.docket.find(NUMBER, lambda e: e.state == "accepted")


async def test_a_part_is_found_by_its_lead_and_its_place() -> None:
    where = place("31")
    part = change(1, "Filed", "filed", 1, number="part")
    part.event.core.filed.filing.lead, part.event.core.filed.filing.part_index = NUMBER, 2
    said(where).streams = [[part]]
    where.docket.start()
    assert await where.docket.part(NUMBER, 2) == "part"
    await where.docket.close()


async def test_a_listener_is_told_region_case_and_event() -> None:
    where = place("31")
    said(where).streams = [[FILED]]
    told: list[tuple[str, str, EventCore]] = []
    where.docket.listen(lambda region, e, core: told.append((region, e.number, core)))
    where.docket.start()
    await where.docket.find(NUMBER, lambda e: e.version == 1)
    await where.docket.close()
    assert told == [("31", NUMBER, FILED.event.core)]
