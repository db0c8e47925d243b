"""How much a link of 30 ms takes from publishing: `python -m benchmarks.link`.

A broker of its own, reached once directly and once through a proxy that keeps every byte back for half the
round trip, each way. One kilobyte a message, six partitions, durable publishes as in `benchmarks.bus`. What
a request carries is sized so that the link is kept busy: lists lose little, a lone publish waits its round
trip.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import shutil
import tempfile
from pathlib import Path

from benchmarks.bus import lists, lone, median, opened, singles
from tests.fault.proxy.net import Net
from tests.fault.proxy.proxy import Weather
from tests.servers.kafka import Kafka
from tests.servers.process import LOOPBACK

LINK = "LINK"


async def measure(url: str, count: int) -> dict[str, float]:
    """The figures of one way in."""
    async with opened(url) as bus:
        await bus.publish([])
        return {
            "publishes/s, lists of 500": await median(lambda: lists(bus, count)),
            "publishes/s, 100 callers, single": await median(lambda: singles(bus, count // 4)),
            "ms a lone publish": await median(lambda: lone(bus, 50)),
        }


def main() -> None:
    """Measures both ways in, and prints them side by side."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--round-trip-ms", type=float, default=30.0)
    parser.add_argument("--count", type=int, default=20_000, help="messages a run")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="tongban-link-"))
    kafka = Kafka(folder / "kafka", routes=(LINK,))
    kafka.start()
    try:
        with Net() as net:
            route = kafka.routes[LINK]
            far = net.add("far", LOOPBACK, route.port, route.via)
            near = asyncio.run(measure(kafka.url, given.count))
            net.now(Weather(delay_s=given.round_trip_ms / 2000), "far")
            there = asyncio.run(measure(f"kafka://{far}", given.count))
    finally:
        kafka.stop()
        shutil.rmtree(folder, ignore_errors=True)
    print(
        f"Python {platform.python_version()}, {os.cpu_count()} cores, round trip {given.round_trip_ms:g} ms"
    )
    print(f"{'':34} {'near':>12} {'far':>12} {'far/near':>9}")
    for name, value in near.items():
        print(f"{name:34} {value:12,.1f} {there[name]:12,.1f} {there[name] / value:9.2f}")


if __name__ == "__main__":
    main()
