"""One look at a whole federation, and how it is told. Knows where its parts are found."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from statistics import mean

from tests.fault.cluster.cluster import Cluster
from tests.fault.servers import Servers
from tests.soak.gauges import WAITING, Sample, base_kb, in_use_kb, logs_kb, process, rows, tasks


async def sample(cluster: Cluster, on: Servers | None, minute: float) -> Sample:
    """All nodes, databases and the bus as they are now."""
    held = []
    for node in cluster.nodes.values():
        with suppress(OSError):  # of one that has just ended
            running = await asyncio.to_thread(tasks, int(node.settings["METRICS_PORT"]))
            held.append({**process(node.pid), "tasks": running})
    found = [await rows(url) for url in cluster.databases.values()]
    if on is None:
        bus_kb = in_use_kb(Path(cluster.bus.removeprefix("sqlite:///")))
    else:
        bus_kb = logs_kb(on.kafka.folder)
    return Sample(
        minute,
        {name: mean(each[name] for each in held) for name in held[0]},
        {name: sum(each[name] for each in found) for name in found[0]},
        bus_kb,
        sum([await base_kb(url) for url in cluster.databases.values()]),
    )


def told(seen: Sample) -> str:
    """A line of the table."""
    held, there = seen.process, seen.rows
    waiting = sum(there[name] for name in WAITING)
    return (
        f"{seen.minute:5.1f} min {held['rss_mb']:6.1f} MB {held['handles']:5.1f} files"
        f" {held['threads']:4.1f} threads {held['tasks']:5.1f} tasks |"
        f" {seen.cases:6} copies {there['open']:5} open {there['case_event']:7} events |"
        f" waiting {waiting:4} inbox {there['inbox']:6} answers {there['answer']:6}"
        f" tails {there['sent_tail']:6} spans {there['span']:6} + {there['span of open']:6}"
        f" letters {there['letters']:4} |"
        f" bus {seen.bus_kb:6} kB, databases {seen.base_kb:7} kB |"
    )
