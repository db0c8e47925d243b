"""What every bus promises: see `broker.bus`. Each test is one sentence of its door."""

import asyncio
import time

import pytest

from broker.bus import (
    EARLIEST,
    BusClosed,
    EventBus,
    LogPosition,
    Message,
    MessageRefused,
    MessageTooLarge,
    NotAssigned,
    PublishedAt,
    Subscription,
    TopicMismatch,
    TopicMissing,
    TopicPartition,
    TopicSpec,
    next_offset,
)
from tests.contract.bus.backend import (
    DEADLINE_S,
    HOUR_MS,
    BusBackend,
    commit,
    message,
    numbers,
    poll_until_shared,
    read,
)

pytestmark = pytest.mark.asyncio


async def test_delivered_to_every_group(backend: BusBackend) -> None:
    async with backend.opened() as bus:
        topic = await backend.topic(bus, partitions=3)
        readers = [bus.subscribe([topic], backend.name_for("group"), member="m") for _ in range(2)]
        await bus.publish([message(topic, n, key=str(n)) for n in range(20)])
        for reader in readers:
            assert sorted(numbers(await read(reader, 20))) == list(range(20))


async def test_same_key_keeps_order(backend: BusBackend) -> None:
    async with backend.opened() as bus:
        topic = await backend.topic(bus, partitions=4)
        sent = [message(topic, n, key=str(n % 7)) for n in range(300)]
        places: list[PublishedAt] = []
        for begin in range(0, 300, 30):
            places += await bus.publish(sent[begin : begin + 30])
        got = await read(bus.subscribe([topic], backend.name_for("group"), member="m"), 300)
    for key in {m.key for m in sent}:
        of_key = [d for d in got if d.message.key == key]
        assert [d.message for d in of_key] == [m for m in sent if m.key == key]
        assert len({d.partition for d in of_key}) == 1
    told = {(p.partition, p.offset) for p in places}
    assert told == {(d.partition, d.offset) for d in got}
    assert len({p.partition for p in places}) > 1


async def test_concurrent_publishers_lose_nothing(backend: BusBackend) -> None:
    async with backend.opened() as bus:
        topic = await backend.topic(bus, partitions=2)
        places = await asyncio.gather(*(bus.publish([message(topic, n, key=str(n))]) for n in range(200)))
        assert len({(place[0].partition, place[0].offset) for place in places}) == 200
        got = await read(bus.subscribe([topic], backend.name_for("group"), member="m"), 200)
        assert sorted(numbers(got)) == list(range(200))


async def test_uncommitted_is_redelivered(backend: BusBackend) -> None:
    group = backend.name_for("group")
    async with backend.opened() as bus:
        topic = await backend.topic(bus)
        await bus.publish([message(topic, n) for n in range(10)])
        reader = bus.subscribe([topic], group, member="m")
        got = await read(reader, 10)
        await commit(reader, got[:4])
        await reader.close()
        again = bus.subscribe([topic], group, member="m")
        assert numbers(await read(again, 6)) == [4, 5, 6, 7, 8, 9]


async def test_commit_survives_restart(backend: BusBackend) -> None:
    group = backend.name_for("group")
    async with backend.opened() as bus:
        topic = await backend.topic(bus)
        await bus.publish([message(topic, n) for n in range(5)])
        reader = bus.subscribe([topic], group, member="m")
        await commit(reader, await read(reader, 5))
    async with backend.opened() as bus:
        await bus.publish([message(topic, 5)])
        assert numbers(await read(bus.subscribe([topic], group, member="m"), 1)) == [5]
        [lag] = await bus.lag(group, [topic])
        assert (lag.committed, lag.end, lag.lag) == (5, 6, 1)


async def test_group_shares_partitions(backend: BusBackend) -> None:
    group = backend.name_for("group")
    async with backend.opened() as one, backend.opened() as two:
        topic = await backend.topic(one, partitions=4)
        members = [one.subscribe([topic], group, member="a"), two.subscribe([topic], group, member="b")]
        await poll_until_shared(members, 4)
        await one.publish([message(topic, n, key=str(n)) for n in range(40)])
        got = await asyncio.gather(*(read_all_of(one, member, topic, group) for member in members))
        assert sorted(n for part in got for n in part) == list(range(40))
        assert not set(got[0]) & set(got[1])


async def read_all_of(bus: EventBus, member: Subscription, topic: str, group: str) -> list[int]:
    """Reads and commits until the whole group has no lag."""
    got: list[int] = []
    deadline = time.monotonic() + DEADLINE_S
    while any(lag.lag for lag in await bus.lag(group, [topic])):
        assert time.monotonic() < deadline
        batch = await member.poll(timeout_s=0.1)
        got += numbers(batch)
        await commit(member, batch)
    return got


async def test_survivor_takes_over_from_a_killed_member(backend: BusBackend) -> None:
    group = backend.name_for("group")
    doomed = backend.bus()
    await doomed.start()
    async with backend.opened() as bus:
        topic = await backend.topic(bus, partitions=2)
        members = [bus.subscribe([topic], group, member="a"), doomed.subscribe([topic], group, member="b")]
        await poll_until_shared(members, 2)
        await backend.abandon(doomed)
        await bus.publish([message(topic, n, key=str(n)) for n in range(20)])
        got: set[int] = set()  # what the survivor had read but not committed comes again: at least once
        deadline = time.monotonic() + DEADLINE_S
        while got != set(range(20)):
            assert time.monotonic() < deadline
            got.update(numbers(await members[0].poll(timeout_s=0.5)))


async def test_restarted_member_gets_its_partitions_back(backend: BusBackend) -> None:
    group = backend.name_for("group")
    doomed = backend.bus()
    await doomed.start()
    topic = await backend.topic(doomed, partitions=2)
    before = doomed.subscribe([topic], group, member="m")
    await doomed.publish([message(topic, 1)])
    await read(before, 1)
    await backend.abandon(doomed)
    async with backend.opened() as bus:
        after = bus.subscribe([topic], group, member="m")
        assert numbers(await read(after, 1)) == [1]
        assert len(after.assigned()) == 2


async def test_rebalance_is_told(backend: BusBackend) -> None:
    group = backend.name_for("group")
    held: set[TopicPartition] = set()

    async def on_assigned(partitions: frozenset[TopicPartition]) -> None:
        assert not held & partitions
        held.update(partitions)

    async def on_revoked(partitions: frozenset[TopicPartition]) -> None:
        assert partitions <= held
        held.difference_update(partitions)

    async with backend.opened() as bus:
        topic = await backend.topic(bus, partitions=4)
        first = bus.subscribe([topic], group, member="a", on_assigned=on_assigned, on_revoked=on_revoked)
        second = bus.subscribe([topic], group, member="b")
        await first.poll(timeout_s=0.1)
        await poll_until_shared([first, second], 4)
        assert held == first.assigned()
        lost = next(iter(second.assigned()))
        with pytest.raises(NotAssigned):
            await first.commit([LogPosition(topic, lost.partition, 0, await bus.incarnation(topic))])


async def test_new_group_starts_at_earliest(backend: BusBackend) -> None:
    async with backend.opened() as bus:
        topic = await backend.topic(bus)
        await bus.publish([message(topic, n) for n in range(3)])
        reader = bus.subscribe([topic], backend.name_for("group"), member="m")
        assert numbers(await read(reader, 3)) == [0, 1, 2]


async def test_headers_survive(backend: BusBackend) -> None:
    headers = (("ce_id", b"1"), ("twice", b"a"), ("twice", b"b"), ("empty", b""), ("raw", bytes(range(256))))
    async with backend.opened() as bus:
        topic = await backend.topic(bus)
        sent = Message(topic, b"\x00\xff key", bytes(range(256)), headers)
        before_ms = time.time_ns() // 1_000_000
        await bus.publish([sent, Message(topic, b"k", None), Message(topic, b"k", b"")])
        got = await read(bus.subscribe([topic], backend.name_for("group"), member="m"), 3)
        assert got[0].message == sent
        assert [d.message.value for d in got[1:]] == [None, b""]
        assert before_ms - 1000 <= got[0].timestamp_ms <= time.time_ns() // 1_000_000 + 1000
        assert {d.incarnation for d in got} == {await bus.incarnation(topic)}


async def test_close_is_prompt(backend: BusBackend) -> None:
    bus = backend.bus()
    await bus.start()
    topic = await backend.topic(bus)
    reader = bus.subscribe([topic], backend.name_for("group"), member="m")
    await reader.poll(timeout_s=0)
    waiting = asyncio.create_task(reader.poll(timeout_s=600))
    endless = asyncio.create_task(anext(bus.subscribe([topic], "other", member="m").batches(), None))
    await asyncio.wait([waiting, endless], timeout=0.1)
    began = time.monotonic()
    await bus.close()
    assert await asyncio.wait_for(waiting, 5) == ()
    assert await asyncio.wait_for(endless, 5) is None
    assert time.monotonic() - began < 5
    await reader.close()
    with pytest.raises(BusClosed):
        await reader.poll()
    with pytest.raises(BusClosed):
        await bus.publish([message(topic, 1)])


async def test_waiting_reader_is_woken(backend: BusBackend) -> None:
    async with backend.opened() as bus, backend.opened() as elsewhere:
        topic = await backend.topic(bus)
        reader = bus.subscribe([topic], backend.name_for("group"), member="m")
        await reader.poll(timeout_s=0)
        for publisher in (bus, elsewhere):
            waiting = asyncio.create_task(read(reader, 1))
            await publisher.publish([message(topic, 1)])
            assert numbers(await asyncio.wait_for(waiting, 5)) == [1]


async def test_own_offsets_decide_where_reading_starts(backend: BusBackend) -> None:
    group = backend.name_for("group")
    asked: list[tuple[str, int, str]] = []

    async def start(topic: str, partition: int, incarnation: str) -> int | None:
        asked.append((topic, partition, incarnation))
        return next_offset(LogPosition(topic, partition, 3, incarnation), incarnation)

    async with backend.opened() as bus:
        topic = await backend.topic(bus)
        await bus.publish([message(topic, n) for n in range(6)])
        reader = bus.subscribe([topic], group, member="m")
        await commit(reader, await read(reader, 6))
        await reader.close()
        own = bus.subscribe([topic], group, member="m", start=start)
        assert numbers(await read(own, 3)) == [3, 4, 5]
        assert asked == [(topic, 0, await bus.incarnation(topic))]


async def test_unknown_incarnation_starts_at_earliest(backend: BusBackend) -> None:
    group = backend.name_for("group")
    async with backend.opened() as bus:
        topic = await backend.topic(bus)
        await bus.publish([message(topic, n) for n in range(5)])
        reader = bus.subscribe([topic], group, member="m")
        stored = (await read(reader, 5))[2].next_position
        await commit(reader, [])
        await reader.close()
        await backend.delete_topic(topic)
        assert next_offset(stored, "another incarnation") == EARLIEST
        await wait_until_missing(bus, topic)
        await bus.ensure_topics([TopicSpec(topic, 1, HOUR_MS)])
        assert await bus.incarnation(topic) != stored.incarnation
        await bus.publish([message(topic, n) for n in range(10, 15)])

        async def start(topic: str, partition: int, incarnation: str) -> int | None:
            return next_offset(stored, incarnation)

        anew = bus.subscribe([topic], group, member="m", start=start)
        assert numbers(await read(anew, 5)) == [10, 11, 12, 13, 14]


async def wait_until_missing(bus: EventBus, topic: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while (await bus.describe_topics([TopicSpec(topic, 1, HOUR_MS)]))[0].exists:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


async def test_offset_past_end_starts_at_earliest(backend: BusBackend) -> None:
    async def start(topic: str, partition: int, incarnation: str) -> int | None:
        return 4

    async with backend.opened() as bus:
        topic = await backend.topic(bus)
        await bus.publish([message(topic, n) for n in range(3)])
        reader = bus.subscribe([topic], backend.name_for("group"), member="m", start=start)
        assert numbers(await read(reader, 3)) == [0, 1, 2]


async def test_offset_at_end_waits_for_what_comes(backend: BusBackend) -> None:
    async def start(topic: str, partition: int, incarnation: str) -> int | None:
        return 3

    async with backend.opened() as bus:
        topic = await backend.topic(bus)
        await bus.publish([message(topic, n) for n in range(3)])
        reader = bus.subscribe([topic], backend.name_for("group"), member="m", start=start)
        assert not await reader.poll(timeout_s=0.2)
        await bus.publish([message(topic, 3)])
        assert numbers(await read(reader, 1)) == [3]


async def test_failed_start_is_asked_again(backend: BusBackend) -> None:
    failures = [OSError("the reader's database is down")]

    async def start(topic: str, partition: int, incarnation: str) -> int | None:
        if failures:
            raise failures.pop()
        return None

    async with backend.opened() as bus:
        topic = await backend.topic(bus)
        await bus.publish([message(topic, 1)])
        reader = bus.subscribe([topic], backend.name_for("group"), member="m", start=start)
        with pytest.raises(OSError, match="database is down"):
            await read(reader, 1)
        assert numbers(await read(reader, 1)) == [1]


async def test_topics_are_made_once_and_differences_said(backend: BusBackend) -> None:
    async with backend.opened() as bus:
        spec = TopicSpec(backend.name_for("topic"), 2, HOUR_MS)
        [missing] = await bus.describe_topics([spec])
        assert not missing.exists
        assert not missing.conforms
        [made] = await bus.ensure_topics([spec])
        assert made.created
        assert made.conforms
        [again] = await bus.ensure_topics([spec])
        assert not again.created
        assert again.conforms
        assert again.incarnation == made.incarnation
        [report] = await bus.ensure_topics([TopicSpec(spec.name, 2, 2 * HOUR_MS)])
        assert [(d.field, d.wanted, d.actual) for d in report.differences] == [
            ("retention_ms", 2 * HOUR_MS, HOUR_MS)
        ]
        with pytest.raises(TopicMismatch, match="partitions is 2, wanted 3"):
            await bus.ensure_topics([TopicSpec(spec.name, 3, HOUR_MS)])
        compacted = TopicSpec(backend.name_for("compacted"), 1, None, compacted=True)
        [made] = await bus.ensure_topics([compacted])
        assert made.conforms
        [report] = await bus.describe_topics([TopicSpec(compacted.name, 1, HOUR_MS)])
        assert {d.field for d in report.differences} == {"retention_ms", "compacted"}


async def test_missing_topic_is_said(backend: BusBackend) -> None:
    nowhere = backend.name_for("nowhere")
    async with backend.opened() as bus:
        with pytest.raises(TopicMissing):
            await bus.publish([message(nowhere, 1)])
        with pytest.raises(TopicMissing):
            await bus.subscribe([nowhere], backend.name_for("group"), member="m").poll()
        with pytest.raises(TopicMissing):
            await bus.incarnation(nowhere)
        with pytest.raises(TopicMissing):
            await bus.lag(backend.name_for("group"), [nowhere])


async def test_what_no_broker_takes_is_refused_before_anything_is_written(backend: BusBackend) -> None:
    async with backend.opened() as bus:
        topic = await backend.topic(bus)
        good = message(topic, 1)
        for field, bad in {
            "topic": Message("no/topic", b"k", b""),
            "key": Message(topic, b"", b"v"),
            "headers": Message(topic, b"k", b"v", (("", b""),)),
            "value": Message(topic, b"k", bytes(1_000_001)),
        }.items():
            with pytest.raises(MessageRefused) as refused:
                await bus.publish([good, bad])
            assert refused.value.field == field
        with pytest.raises(MessageTooLarge):
            await bus.publish([bad])
        large = Message(topic, b"k", bytes(999_000))
        await bus.publish([large])
        got = await read(bus.subscribe([topic], backend.name_for("group"), member="m"), 1)
        assert got[0].message == large
        assert got[0].offset == 0


async def test_health_tells(backend: BusBackend) -> None:
    async with backend.opened() as bus:
        health = await bus.healthy()
        assert health.ok, health.detail
    assert not (await bus.healthy()).ok
