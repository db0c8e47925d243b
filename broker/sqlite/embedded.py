"""The embedded bus as the door describes it: `broker.bus.EventBus` over one SQLite file.

Knows the two threads, its subscriptions and the three tasks that serve them: one notices what other processes
wrote, one sends heartbeats, one sweeps. Must not know a group's or a record's rows: `groups` and `log` do.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar
from weakref import WeakValueDictionary

from typing_extensions import override

from broker.bus import (
    BusClosed,
    BusError,
    BusHealth,
    EventBus,
    Message,
    PartitionLag,
    PublishedAt,
    RebalanceHook,
    Start,
    TopicMismatch,
    TopicReport,
    TopicSpec,
    start_at_committed,
)
from broker.limits import MAX_MESSAGE_BYTES, check_messages, check_reader, check_specs
from broker.sqlite import groups, log
from broker.sqlite.reader import Reader
from broker.sqlite.schema import connect
from broker.sqlite.subscription import SqliteSubscription
from broker.sqlite.writer import GroupedWriter

WATCH_S: Final = (0.005, 0.05)
"""Shortest and longest pause between looks at what other processes wrote: short after a change, then
longer.
"""

TICKS_S: Final = 0.03
"""Longer than any kernel's tick, by which file times move."""

ASK_S: Final = 1.0
"""How often the database itself is asked for changes when its log file looks untouched."""

SWEEP_S: Final = 60.0
"""How often aged messages are looked for."""

T = TypeVar("T")
logger = logging.getLogger(__name__)


def wall_clock_ms() -> int:
    """Unix time in milliseconds."""
    return time.time_ns() // 1_000_000


@dataclass(slots=True, weakref_slot=True)
class _Family:
    """The buses of one event loop on one file: one of them watches it for all, and what each has written is
    told to all at once.
    """

    subscriptions: list[SqliteSubscription] = field(default_factory=list)
    watcher: asyncio.Task[Any] | None = None

    def watched_by_me(self) -> bool:
        """Whether the running task is the one that watches; it takes the place of one that has ended."""
        if self.watcher is None or self.watcher.done():
            self.watcher = asyncio.current_task()
        return self.watcher is asyncio.current_task()


_FAMILIES: Final[WeakValueDictionary[tuple[asyncio.AbstractEventLoop, Path], _Family]] = WeakValueDictionary()


class SqliteBus(EventBus):
    """See `broker.bus.EventBus`.

    path: the file, made with its folders when missing. session_timeout_s: a member that does not beat for so
    long loses its partitions. max_poll_interval_s: a member that does not poll for so long stops beating.
    timeout_s: how long to wait for the file (another process may hold the write lock) before BusTimeout.
    """

    def __init__(
        self,
        path: Path,
        *,
        session_timeout_s: float = 10.0,
        max_poll_interval_s: float = 300.0,
        timeout_s: float = 15.0,
        max_message_bytes: int = MAX_MESSAGE_BYTES,
        clock_ms: Callable[[], int] = wall_clock_ms,
    ) -> None:
        self._path = path
        self._log_file = path.with_name(path.name + "-wal")
        self._session_timeout_s = session_timeout_s
        self._max_poll_interval_s = max_poll_interval_s
        self._timeout_s = timeout_s
        self._max_message_bytes = max_message_bytes
        self._clock_ms = clock_ms
        self._threads: tuple[GroupedWriter, Reader] | None = None
        self._subscriptions: list[SqliteSubscription] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._family = _Family()

    @override
    async def start(self) -> None:
        if self._threads is not None:
            return
        self._family = _FAMILIES.setdefault((asyncio.get_running_loop(), self._path.resolve()), self._family)
        open_file = partial(connect, self._path, self._timeout_s * 0.8)
        self._threads = GroupedWriter(open_file, self._timeout_s), Reader(open_file, self._timeout_s)
        self._tasks = [asyncio.create_task(task) for task in (self._watch(), self._beat(), self._sweep())]

    @override
    async def close(self) -> None:
        if self._threads is None:
            return
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(subscription.close() for subscription in list(self._subscriptions)))
        writer, reader = self._threads
        self._threads = None
        await asyncio.gather(writer.close(), reader.close())

    @override
    async def publish(self, messages: Sequence[Message]) -> Sequence[PublishedAt]:
        check_messages(messages, self._max_message_bytes)
        if not messages:
            return []
        appended = await self._writer.run(partial(log.append, messages=messages, now_ms=self._clock_ms()))
        for subscription in self._family.subscriptions:
            subscription.tell_ends(appended.ends)
        return appended.places

    @override
    def subscribe(
        self,
        topics: Sequence[str],
        group: str,
        *,
        member: str,
        start: Start = start_at_committed,
        on_assigned: RebalanceHook | None = None,
        on_revoked: RebalanceHook | None = None,
    ) -> SqliteSubscription:
        check_reader(group, member)
        subscription = SqliteSubscription(
            self._writer,
            self._reader,
            topics,
            group,
            member,
            start,
            (on_assigned, on_revoked),
            self._session_timeout_s,
            self._forget,
        )
        self._subscriptions.append(subscription)
        self._family.subscriptions.append(subscription)
        return subscription

    def _forget(self, subscription: SqliteSubscription) -> None:
        self._subscriptions.remove(subscription)
        self._family.subscriptions.remove(subscription)

    @override
    async def ensure_topics(self, specs: Sequence[TopicSpec]) -> Sequence[TopicReport]:
        check_specs(specs)
        for report in await self.describe_topics(specs):
            if any(difference.field == "partitions" for difference in report.differences):
                raise TopicMismatch(
                    report.spec.name, report.differences, "make a new topic and drain the old one"
                )
        reports = []
        for spec in specs:
            created = await self._writer.run(partial(log.create_topic, spec=spec))
            reports.append(await self._reader.run(partial(log.describe, spec=spec, created=created)))
        return reports

    @override
    async def describe_topics(self, specs: Sequence[TopicSpec]) -> Sequence[TopicReport]:
        return [await self._reader.run(partial(log.describe, spec=spec)) for spec in specs]

    async def delete_topic(self, topic: str) -> None:
        """Removes a topic that has been drained, with every group's place in it. Raises TopicMissing."""
        await self._writer.run(partial(log.delete_topic, topic=topic))

    @override
    async def lag(self, group: str, topics: Sequence[str]) -> Sequence[PartitionLag]:
        return await self._reader.run(partial(groups.lag, group=group, topics=topics))

    @override
    async def incarnation(self, topic: str) -> str:
        return (await self._reader.run(partial(log.partitions, topic=topic)))[0].incarnation

    @override
    async def healthy(self) -> BusHealth:
        try:
            topics = await self._reader.run(log.count_topics)
        except BusError as error:
            return BusHealth(False, str(error))
        return BusHealth(True, f"embedded bus {self._path}, {topics} topics")

    async def trim(self, now_ms: int) -> int:
        """Deletes what is past its topic's retention at `now_ms` (Unix ms), and compacts; the number deleted.

        Runs by itself every minute; a call is for tests and for operators in a hurry.
        """
        total = 0
        while deleted := await self._writer.run(partial(log.trim_step, now_ms=now_ms), durable=False):
            total += deleted
        return total

    @property
    def _writer(self) -> GroupedWriter:
        if self._threads is None:
            raise BusClosed("the bus is not started")
        return self._threads[0]

    @property
    def _reader(self) -> Reader:
        if self._threads is None:
            raise BusClosed("the bus is not started")
        return self._threads[1]

    async def _watch(self) -> None:
        """Notices what was written by other processes, or by this one.

        Every commit writes to the log file beside the database, so that file's time is looked at, at the
        price of one system call. Its time moves in ticks of the kernel and two commits may share one: for
        some ticks after a change, and once in a while at all times, the database itself is asked.
        """
        pause_s, touched_ns, changed_at, asked_at = WATCH_S[1], 0, 0.0, 0.0
        while True:
            await asyncio.sleep(pause_s)
            if not self._family.watched_by_me() or not self._family.subscriptions:
                continue
            pause_s = min(pause_s * 1.5, WATCH_S[1])
            now, before_ns = time.monotonic(), touched_ns
            touched_ns = self._log_file_touched_ns()
            if touched_ns == before_ns and now > changed_at + TICKS_S and now < asked_at + ASK_S:
                continue
            asked_at = now
            change = await self._calmly(self._reader.change())
            if change is None:
                continue
            changed_at = time.monotonic()
            pause_s = WATCH_S[0]
            for subscription in self._family.subscriptions:
                subscription.tell(change)

    def _log_file_touched_ns(self) -> int:
        try:
            return self._log_file.stat().st_mtime_ns
        except OSError:
            return 0

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._session_timeout_s / 5)
            recent = time.monotonic() - self._max_poll_interval_s
            alive = [
                subscription.session
                for subscription in self._subscriptions
                if subscription.joined and subscription.polled_at > recent
            ]
            if alive:
                beat = partial(groups.beat, sessions=alive, timeout_s=self._session_timeout_s)
                await self._calmly(self._writer.run(beat, durable=False))

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            await self._calmly(self.trim(self._clock_ms()))

    async def _calmly(self, work: Coroutine[Any, Any, T]) -> T | None:
        """A background task outlives a file that cannot be used for a while; callers are told of it
        themselves.
        """
        try:
            return await work
        except BusError as error:
            logger.warning("embedded bus: %s", error)
            return None
