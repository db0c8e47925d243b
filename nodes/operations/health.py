"""How a node is, part by part, asked of the parts themselves when somebody wants to know.

Knows what each part's failure means for the node: without its database it can do nothing; without the bus it
files and answers, and only the other regions wait. Must not know who asks. No look takes longer than the
time-out, whatever hangs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import Final, Protocol

from broker.bus import BusError, EventBus, TopicReport, TopicSpec
from nodes.operations.views import DEGRADED, DOWN, UP, HealthView, PartView
from nodes.store.errors import StoreError
from nodes.store.store import Store

OLD_S: Final = 60.0
"""Wall seconds after which a message that still waits to be sent is worth an operator's look."""
MUCH_LAG: Final = 10_000
"""Messages behind which the inbox is said to lag."""
_ORDER: Final = (UP, DEGRADED, DOWN)

Check = Callable[[], Awaitable[str]]
"""What is wrong with a part in words, "" when nothing is."""
NO_CHECKS: Final[Mapping[str, Check]] = MappingProxyType({})


class Room(Protocol):
    """A room that says of itself why it does not get on, "" when it does; and may say in `told` what is worth
    knowing of it all the same.
    """

    @property
    def problem(self) -> str:
        """In words, without personal data."""
        ...


class Health:
    """`rooms` and `checks` by the names under which they are shown; `topics`: what they shall be."""

    def __init__(
        self, store: Store, bus: EventBus, *, inbox: str, group: str, topics: Sequence[TopicSpec],
        rooms: Mapping[str, Room], now: Callable[[], datetime], wall_s: Callable[[], float], version: str,
        checks: Mapping[str, Check] = NO_CHECKS, timeout_s: float = 2.0,
    ) -> None:  # fmt: skip
        """`inbox`: this region's topic, read by `group`; `now`: business time; `version`: the program's."""
        self._store, self._bus = store, bus
        self._inbox, self._group, self._topics = inbox, group, topics
        self._rooms, self._checks = dict(rooms), dict(checks)
        self._now, self._wall_s, self._version = now, wall_s, version
        self._timeout_s = timeout_s
        self._since: dict[str, tuple[str, float]] = {}

    async def look(self) -> HealthView:
        """Every part now, asked side by side. Raises nothing."""
        counts = {"waiting": 0, "lag": 0, "parked": 0}
        looks: dict[str, tuple[Check, str]] = {
            "database": (self._database, DOWN),
            "bus": (self._bus_answers, DEGRADED),
            "topics": (self._topics_are_right, DEGRADED),
            "outbox": (partial(self._outbox, counts), DEGRADED),
            "lag": (partial(self._lags, counts), DEGRADED),
            "letters": (partial(self._letters, counts), DEGRADED),
            **{name: (check, DEGRADED) for name, check in self._checks.items()},
        }
        said = await asyncio.gather(*(self._said(check) for check, _ in looks.values()))
        parts = [
            self._part(name, problem, worst)
            for (name, (_, worst)), problem in zip(looks.items(), said, strict=True)
        ]
        parts += [
            self._part(name, room.problem, DEGRADED, getattr(room, "told", ""))
            for name, room in self._rooms.items()
        ]
        return HealthView(
            max((part.state for part in parts), key=_ORDER.index), tuple(parts), counts["waiting"],
            counts["lag"], counts["parked"], self._now(), self._version,
        )  # fmt: skip

    async def _said(self, check: Check) -> str:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await check()
        except TimeoutError:
            return f"no answer within {self._timeout_s:g} s"
        except (BusError, StoreError, OSError) as error:
            return str(error) or type(error).__name__
        except Exception as error:  # noqa: BLE001  # who asks how a node is must get an answer
            return type(error).__name__

    def _part(self, name: str, problem: str, worst: str, told: str = "") -> PartView:
        state = worst if problem else UP
        before, since = self._since.get(name, ("", 0.0))
        if before != state:
            since = self._wall_s()
            self._since[name] = (state, since)
        return PartView(name, state, problem or told, since)

    async def _database(self) -> str:
        async with self._store.write(durable=False) as unit:
            await unit.database_time_s()
        return ""

    async def _bus_answers(self) -> str:
        found = await self._bus.healthy()
        return "" if found.ok else found.detail

    async def _topics_are_right(self) -> str:
        return "; ".join(_wrong(r) for r in await self._bus.describe_topics(self._topics) if not r.conforms)

    async def _outbox(self, counts: dict[str, int]) -> str:
        async with self._store.read(aside=True) as unit:
            found = await unit.outbox_counts()
        counts["waiting"] = sum(count for count, _ in found.values())
        wall = self._wall_s()
        late = ", ".join(name for name, (_, oldest) in sorted(found.items()) if wall - oldest > OLD_S)
        return f"messages have waited for more than {OLD_S:g} s to be sent to {late}" if late else ""

    async def _lags(self, counts: dict[str, int]) -> str:
        lag = counts["lag"] = sum(p.lag for p in await self._bus.lag(self._group, [self._inbox]))
        return f"{lag} messages are not yet read" if lag > MUCH_LAG else ""

    async def _letters(self, counts: dict[str, int]) -> str:
        async with self._store.read(aside=True) as unit:
            parked = counts["parked"] = await unit.count_parked()
        return f"messages that wait for an operator: {parked}" if parked else ""


def _wrong(report: TopicReport) -> str:
    if not report.exists:
        return f"{report.spec.name} does not exist"
    found = ", ".join(f"{d.field} is {d.actual}, wanted {d.wanted}" for d in report.differences)
    return f"{report.spec.name}: {found}"
