"""What processes use: CPU seconds and memory, by name.

Knows process ids. Must not know what the processes do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress

import psutil

from tests.servers.process import family


class Meter:
    """Watches named processes with all their descendants."""

    def __init__(self, processes: Mapping[str, psutil.Process]) -> None:
        self._processes = dict(processes)
        self._most: dict[str, float] = {}

    def cpu_s(self) -> dict[str, float]:
        """CPU seconds used so far, those of descendants that have ended included."""
        return {name: _cpu_s(process) for name, process in self._processes.items()}

    def rss_mb(self) -> dict[str, float]:
        """Resident memory now. Shared pages of a family count once a process."""
        return {
            name: sum(_rss(process) for process in family(parent)) / 2**20
            for name, parent in self._processes.items()
        }

    async def watch(self, every_s: float = 0.5) -> None:
        """Notes the most memory of each process until it is cancelled."""
        while True:
            for name, value in self.rss_mb().items():
                self._most[name] = max(value, self._most.get(name, 0.0))
            await asyncio.sleep(every_s)

    def most_rss_mb(self) -> dict[str, float]:
        """The most that `watch` has seen since the last call of this."""
        most, self._most = self._most, {}
        return most


def _cpu_s(parent: psutil.Process) -> float:
    total = 0.0
    for process in family(parent):
        with suppress(psutil.NoSuchProcess):
            used = process.cpu_times()
            total += used.user + used.system + used.children_user + used.children_system
    return total


def _rss(process: psutil.Process) -> float:
    with suppress(psutil.NoSuchProcess):
        return float(process.memory_info().rss)
    return 0.0
