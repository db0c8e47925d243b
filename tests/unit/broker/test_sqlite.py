"""What the embedded bus promises beyond the contract: age, compaction, other processes, a file at fault."""

import asyncio
import itertools
import os
import signal
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from typing_extensions import override

from broker.bus import (
    BusError,
    BusTimeout,
    BusUnavailable,
    MemberFenced,
    Message,
    Subscription,
    TopicMissing,
    TopicSpec,
)
from broker.sqlite import SqliteBus, log
from broker.sqlite.schema import connect

TOPIC = "t"
DEADLINE_S = 30.0


class Clock:
    """Wall time that stands still until told, in Unix milliseconds."""

    def __init__(self) -> None:
        self.now_ms = 1_000_000

    def __call__(self) -> int:
        return self.now_ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest_asyncio.fixture
async def bus(tmp_path: Path, clock: Clock) -> AsyncIterator[SqliteBus]:
    bus = SqliteBus(tmp_path / "bus.db", clock_ms=clock, timeout_s=1.0)
    await bus.start()
    yield bus
    await bus.close()


async def values(subscription: Subscription, count: int) -> list[bytes | None]:
    got: list[bytes | None] = []
    deadline = time.monotonic() + DEADLINE_S
    while len(got) < count:
        assert time.monotonic() < deadline, got
        got += [d.message.value for d in await subscription.poll(timeout_s=0.5)]
    return got


async def test_aged_messages_are_trimmed_and_offsets_go_on(bus: SqliteBus, clock: Clock) -> None:
    await bus.ensure_topics([TopicSpec(TOPIC, 1, 1000), TopicSpec("keeps", 1, None)])
    for value in (b"1", b"2"):
        await bus.publish([Message(TOPIC, b"k", value), Message("keeps", b"k", value)])
        clock.now_ms += 600
    assert await bus.trim(clock.now_ms) == 1
    assert await values(bus.subscribe([TOPIC], "g", member="m"), 1) == [b"2"]
    assert await values(bus.subscribe(["keeps"], "g", member="m"), 2) == [b"1", b"2"]
    clock.now_ms += 1000
    assert await bus.trim(clock.now_ms) == 1
    [place] = await bus.publish([Message(TOPIC, b"k", b"3")])
    assert place.offset == 2
    [lag] = await bus.lag("nobody", [TOPIC])
    assert (lag.committed, lag.end, lag.lag) == (None, 3, 1)


async def test_a_clock_that_was_wrong_tears_no_hole(bus: SqliteBus, clock: Clock) -> None:
    await bus.ensure_topics([TopicSpec(TOPIC, 1, 1000)])
    for at_ms, value in ((9_000_000, b"future"), (1_000_000, b"old"), (5_000_000, b"new")):
        clock.now_ms = at_ms
        await bus.publish([Message(TOPIC, b"k", value)])
    assert await bus.trim(5_000_500) == 0
    assert await bus.trim(9_000_500) == 0
    assert await bus.trim(9_001_001) == 3


async def test_many_aged_messages_are_trimmed_step_by_step(bus: SqliteBus, clock: Clock) -> None:
    await bus.ensure_topics([TopicSpec(TOPIC, 2, 1000)])
    count = log.TRIM_STEP * 2 + 10
    await bus.publish([Message(TOPIC, str(n).encode(), b"") for n in range(count)])
    assert await bus.trim(clock.now_ms + 1001) == count


async def test_a_compacted_topic_keeps_the_last_of_each_key(bus: SqliteBus, clock: Clock) -> None:
    await bus.ensure_topics([TopicSpec(TOPIC, 1, None, compacted=True)])
    for key, value in ((b"a", b"1"), (b"b", b"1"), (b"a", b"2"), (b"b", None)):
        await bus.publish([Message(TOPIC, key, value)])
    assert await bus.trim(clock.now_ms) == 2
    assert await values(bus.subscribe([TOPIC], "g1", member="m"), 2) == [b"2", None]
    assert await bus.trim(clock.now_ms + log.TOMBSTONE_AGE_MS + 1) == 1
    late = bus.subscribe([TOPIC], "g2", member="m")
    assert await values(late, 1) == [b"2"]
    await bus.publish([Message(TOPIC, b"c", b"1")])
    assert await values(late, 1) == [b"1"]


async def test_a_second_process_under_the_same_name_fences_the_first(bus: SqliteBus) -> None:
    await bus.ensure_topics([TopicSpec(TOPIC, 1, None)])
    first, second = (bus.subscribe([TOPIC], "g", member="m") for _ in range(2))
    await first.poll(timeout_s=0)
    await second.poll(timeout_s=0)
    with pytest.raises(MemberFenced):
        await first.poll(timeout_s=DEADLINE_S)
    assert second.assigned()


async def test_a_subscription_notices_its_topic_being_deleted(bus: SqliteBus) -> None:
    await bus.ensure_topics([TopicSpec(TOPIC, 1, None)])
    reader = bus.subscribe([TOPIC], "g", member="m")
    await reader.poll(timeout_s=0)
    waiting = asyncio.create_task(reader.poll(timeout_s=DEADLINE_S))
    await bus.delete_topic(TOPIC)
    with pytest.raises(TopicMissing):
        await waiting
    await bus.ensure_topics([TopicSpec(TOPIC, 1, None)])
    await bus.publish([Message(TOPIC, b"k", b"anew")])
    assert await values(reader, 1) == [b"anew"]


async def test_a_foreign_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE cases (id INTEGER)")
    other.close()
    bus = SqliteBus(path)
    await bus.start()
    with pytest.raises(BusError, match="is not an embedded bus"):
        await bus.publish([Message(TOPIC, b"k", b"")])
    health = await bus.healthy()
    assert not health.ok
    assert "is not an embedded bus" in health.detail
    await bus.close()


def test_a_file_that_another_process_makes_ready_meanwhile_is_no_foreign_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "bus.db"
    others: list[sqlite3.Connection] = []

    class Slow(sqlite3.Connection):
        @override
        def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
            if sql == "PRAGMA user_version" and not others:
                monkeypatch.undo()
                others.append(connect(path, 1.0))
            return super().execute(sql, *parameters)

    monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=Slow))
    slow = connect(path, 1.0)
    assert others
    for connection in (slow, *others):
        assert connection.execute("SELECT count(*) FROM record").fetchone() == (0,)
        connection.close()


async def test_a_lock_held_too_long_is_a_passing_fault(bus: SqliteBus, tmp_path: Path) -> None:
    await bus.ensure_topics([TopicSpec(TOPIC, 1, None)])
    other = sqlite3.connect(tmp_path / "bus.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(BusUnavailable):
        await bus.publish([Message(TOPIC, b"k", b"refused")])
    other.execute("ROLLBACK")
    other.close()
    await bus.publish([Message(TOPIC, b"k", b"taken")])
    assert await values(bus.subscribe([TOPIC], "g", member="m"), 1) == [b"taken"]


async def test_a_full_disk_refuses_and_heals(tmp_path: Path) -> None:
    bus = SqliteBus(tmp_path / "bus.db")
    await bus.start()
    await bus.ensure_topics([TopicSpec(TOPIC, 1, None)])
    pages = await bus._writer.run(lambda c: int(c.execute("PRAGMA page_count").fetchone()[0]))

    def full(connect_as_before: "partial[sqlite3.Connection]") -> sqlite3.Connection:
        connection = connect_as_before()
        connection.execute(f"PRAGMA max_page_count = {pages + 2}")
        return connection

    plain = partial(connect, tmp_path / "bus.db", 1.0)
    bus._writer._connect = partial(full, plain)
    await bus._writer.run(lambda c: c.execute(f"PRAGMA max_page_count = {pages + 2}").fetchone())
    with pytest.raises(BusUnavailable, match="full"):
        await bus.publish([Message(TOPIC, b"k", bytes(500_000))])
    bus._writer._connect = plain
    bus._writer._drop_connection()
    await bus.publish([Message(TOPIC, b"k", b"taken")])
    assert await values(bus.subscribe([TOPIC], "g", member="m"), 1) == [b"taken"]
    await bus.close()


async def test_a_failing_job_takes_no_neighbour_with_it(bus: SqliteBus) -> None:
    await bus.ensure_topics([TopicSpec(TOPIC, 1, None)])
    lines: list[asyncio.Future[object]] = []

    def bad(connection: sqlite3.Connection) -> None:
        log.append(connection, [Message(TOPIC, b"k", b"rolled back")], 0)
        raise ZeroDivisionError

    for n in range(20):
        work = bus._writer.run(bad) if n == 7 else bus.publish([Message(TOPIC, b"k", str(n).encode())])
        lines.append(asyncio.ensure_future(work))
    results = await asyncio.gather(*lines, return_exceptions=True)
    assert [n for n, result in enumerate(results) if isinstance(result, BaseException)] == [7]
    assert isinstance(results[7], ZeroDivisionError)
    expected = [str(n).encode() for n in range(20) if n != 7]
    assert await values(bus.subscribe([TOPIC], "g", member="m"), 19) == expected


async def test_a_hanging_file_system_gives_a_timeout(bus: SqliteBus) -> None:
    await bus.ensure_topics([TopicSpec(TOPIC, 1, None)])
    release, hangs = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def hang(connection: sqlite3.Connection) -> None:
        loop.call_soon_threadsafe(hangs.set)
        asyncio.run_coroutine_threadsafe(release.wait(), loop).result(DEADLINE_S)

    hanging = asyncio.create_task(bus._writer.run(hang))
    await hangs.wait()
    with pytest.raises(BusTimeout):
        await bus.publish([Message(TOPIC, b"k", b"late")])
    release.set()
    with pytest.raises(BusTimeout):
        await hanging


READER = """
import asyncio, sys
from contextlib import suppress
from pathlib import Path
from broker.bus import NotAssigned
from broker.sqlite import SqliteBus

async def main():
    bus = SqliteBus(Path(sys.argv[1]), session_timeout_s=2.0)
    await bus.start()
    reader = bus.subscribe(["t"], "g", member=sys.argv[2])
    async for batch in reader.batches(max_records=7):
        for delivery in batch:
            sys.stdout.write(f"{delivery.partition} {delivery.message.value.decode()}\\n")
            sys.stdout.flush()
        with suppress(NotAssigned):  # lost while it was printed: whoever has it now prints it too
            await reader.commit([delivery.next_position for delivery in batch])

asyncio.run(main())
"""


async def spawn_reader(path: Path, member: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", READER, str(path), member, stdout=asyncio.subprocess.PIPE
    )


async def lines_of(process: asyncio.subprocess.Process, seen: set[int], order: dict[str, list[int]]) -> None:
    assert process.stdout is not None
    async for line in process.stdout:
        if not line.endswith(b"\n"):  # killed in the middle of it
            break
        partition, number = line.split()
        seen.add(int(number))
        order.setdefault(f"{process.pid}/{partition.decode()}", []).append(int(number))


async def stand_still(pid: int, path: Path) -> None:
    """Stops the process between two writes: within one it would keep the file's lock, as any would."""
    deadline = time.monotonic() + DEADLINE_S
    while True:
        os.kill(pid, signal.SIGSTOP)
        other = connect(path, 0.5)
        try:
            other.execute("BEGIN IMMEDIATE").execute("ROLLBACK")
        except sqlite3.OperationalError:
            os.kill(pid, signal.SIGCONT)
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)
        else:
            return
        finally:
            other.close()


async def test_processes_share_a_group_and_survive_a_kill_and_a_pause(tmp_path: Path) -> None:
    path = tmp_path / "bus.db"
    bus = SqliteBus(path)
    await bus.start()
    await bus.ensure_topics([TopicSpec(TOPIC, 6, None)])
    readers = [await spawn_reader(path, name) for name in "abc"]
    seen: set[int] = set()
    order: dict[str, list[int]] = {}
    listening = [asyncio.create_task(lines_of(reader, seen, order)) for reader in readers]
    try:
        sent = 0

        async def publish_until(holds: Callable[[], bool]) -> None:
            nonlocal sent
            deadline = time.monotonic() + DEADLINE_S
            while not holds():
                assert time.monotonic() < deadline
                await bus.publish([Message(TOPIC, str(sent % 50).encode(), str(sent).encode())])
                sent += 1

        await publish_until(lambda: len({line.split("/")[0] for line in order}) == 3)
        readers[0].kill()
        await publish_until(partial(lambda count: sent > count, sent + 200))
        await stand_still(readers[1].pid, path)
        await publish_until(partial(lambda count: sent > count, sent + 200))
        await until(lambda: seen == set(range(sent)))
        os.kill(readers[1].pid, signal.SIGCONT)
        await publish_until(partial(lambda count: sent > count, sent + 200))
        await until(lambda: seen == set(range(sent)))
    finally:
        for reader in readers:
            if reader.returncode is None:
                os.kill(reader.pid, signal.SIGCONT)
                reader.kill()
            await reader.wait()
        await asyncio.gather(*listening)
        await bus.close()
    for numbers in order.values():
        for key in range(50):
            of_key = [number for number in numbers if number % 50 == key]
            runs = sum(1 for before, after in itertools.pairwise(of_key) if after <= before)
            assert runs <= 2, f"{of_key} goes back more often than partitions changed hands"


async def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


async def test_an_idle_bus_uses_next_to_no_processor(bus: SqliteBus) -> None:
    await bus.ensure_topics([TopicSpec(TOPIC, 6, None)])
    readers = [bus.subscribe([TOPIC], f"g{n}", member="m") for n in range(4)]
    for reader in readers:
        await reader.poll(timeout_s=0)
    cpu_s, began = time.process_time(), time.monotonic()
    await asyncio.gather(*(reader.poll(timeout_s=2.0) for reader in readers))
    assert (time.process_time() - cpu_s) / (time.monotonic() - began) < 0.03
