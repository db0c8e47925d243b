"""How many messages a second the bus takes and gives: `python benchmarks/bus.py URL...`

One kilobyte a message, six partitions, durable publishes: one caller with lists of 500, 100 callers with
single messages, and one reader that polls up to 1,000 and commits each poll; beside them the time of a lone
publish, and from a lone publish to its reading by another bus object. A figure is the median of three runs.
"""

import argparse
import asyncio
import os
import platform
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from broker.bus import EventBus, Message, TopicSpec
from broker.url import open_bus

VALUE = os.urandom(500) + bytes(500)  # half of it can be compressed
HOUR_MS = 3_600_000


def messages(topic: str, count: int) -> list[Message]:
    """One kilobyte each, 1,000 keys."""
    headers = (("ce_id", b"0199b7a4-7e2c-7cc2-8d5d-6f6f6f6f6f6f"), ("ce_type", b"tongban.v1.EventBatch"))
    return [Message(topic, str(n % 1000).encode(), VALUE, headers) for n in range(count)]


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[EventBus]:
    """A started bus."""
    bus = open_bus(url)
    await bus.start()
    try:
        yield bus
    finally:
        await bus.close()


async def new_topic(bus: EventBus) -> str:
    """A topic of six partitions that no other run uses."""
    name = f"bench.{time.time_ns()}"
    await bus.ensure_topics([TopicSpec(name, 6, HOUR_MS)])
    return name


async def lists(bus: EventBus, count: int) -> float:
    """Publishes a second, 500 in a call."""
    topic = await new_topic(bus)
    sent = messages(topic, count)
    began = time.perf_counter()
    for begin in range(0, count, 500):
        await bus.publish(sent[begin : begin + 500])
    return count / (time.perf_counter() - began)


async def singles(bus: EventBus, count: int) -> float:
    """Publishes a second, 100 callers with one message a call."""
    topic = await new_topic(bus)
    waiting = iter(messages(topic, count))

    async def caller() -> None:
        for message in waiting:
            await bus.publish([message])

    began = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(100)))
    return count / (time.perf_counter() - began)


async def reads(bus: EventBus, count: int) -> float:
    """Reads a second, committed poll by poll."""
    topic = await new_topic(bus)
    sent = messages(topic, count)
    for begin in range(0, count, 5000):
        await bus.publish(sent[begin : begin + 5000])
    reader = bus.subscribe([topic], f"group.{topic}", member="m")
    await reader.poll(max_records=1)  # joining is not reading
    read, began = 1, time.perf_counter()
    while read < count:
        batch = await reader.poll(max_records=1000)
        read += len(batch)
        await reader.commit([delivery.next_position for delivery in batch])
    took = time.perf_counter() - began
    await reader.close()
    return count / took


async def lone(bus: EventBus, count: int) -> float:
    """Median milliseconds of a publish with nobody beside it."""
    topic = await new_topic(bus)
    took = []
    for message in messages(topic, count):
        began = time.perf_counter()
        await bus.publish([message])
        took.append(time.perf_counter() - began)
    return statistics.median(took) * 1000


async def across(bus: EventBus, url: str, count: int) -> float:
    """Median milliseconds from calling publish to the reader's poll, in another bus object, having it."""
    topic = await new_topic(bus)
    took = []
    async with opened(url) as elsewhere:
        reader = elsewhere.subscribe([topic], f"group.{topic}", member="m")
        await reader.poll(timeout_s=0.1)
        for message in messages(topic, count):
            reading = asyncio.create_task(reader.poll(timeout_s=30))
            await asyncio.sleep(0.02)
            began = time.perf_counter()
            await bus.publish([message])
            await reading
            took.append(time.perf_counter() - began)
    return statistics.median(took) * 1000


async def median(measure: Callable[[], Awaitable[float]]) -> float:
    """Of three runs."""
    return statistics.median([await measure() for _ in range(3)])


async def measure(url: str, count: int) -> None:
    """Prints the figures of one backend."""
    async with opened(url) as bus:
        cpu_s = time.process_time()
        rows = {
            "publishes/s, lists of 500": await median(lambda: lists(bus, count)),
            "publishes/s, 100 callers, single": await median(lambda: singles(bus, count // 4)),
            "reads/s, committed": await median(lambda: reads(bus, count)),
            "ms a lone publish": await median(lambda: lone(bus, 100)),
            "ms publish to read elsewhere": await median(lambda: across(bus, url, 50)),
        }
        cpu_s = time.process_time() - cpu_s
    print(f"{url.partition('?')[0]}  ({cpu_s:.1f} CPU s)")
    for name, value in rows.items():
        print(f"  {name:34} {value:12,.1f}")


def main() -> None:
    """Measures each URL given, or the embedded bus in a temporary folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("urls", nargs="*")
    parser.add_argument("--count", type=int, default=20_000, help="messages a run")
    given = parser.parse_args()
    print(
        f"Python {platform.python_version()}, {os.cpu_count()} cores, {given.count:,} messages of 1 kB a run"
    )
    with tempfile.TemporaryDirectory() as folder:
        for url in given.urls or [f"sqlite:///{Path(folder) / 'bus.db'}"]:
            asyncio.run(measure(url, given.count))


if __name__ == "__main__":
    main()
