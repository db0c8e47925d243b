"""The one thread that writes: it commits whatever has queued up as one group, so that many callers share one
synchronisation of the disk. Knows jobs on a connection; must not know what they write.

A job is a function of the connection. It may refuse with a BusError as long as it has written nothing yet;
its neighbours are not touched by that. A job that fails in another way is taken out, rolled back and told,
and its neighbours run again: so jobs must be functions of the file alone, safe to run twice.
"""

import asyncio
import logging
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from broker.bus import BusClosed, BusError, BusTimeout, BusUnavailable

T = TypeVar("T")
Job = Callable[[sqlite3.Connection], T]
GROUP_LIMIT: Final = 1000
"""Jobs in one transaction at most, so that the first of them does not wait long."""

CLOSE_S: Final = 3.0
"""How long closing waits for a thread that is in the file system."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Queued:
    job: Job[Any]
    answer: asyncio.Future[Any]
    durable: bool


def unavailable(error: Exception) -> BusUnavailable:
    """A complaint of SQLite or the file system in the words of the bus."""
    return BusUnavailable(f"the embedded bus cannot be used: {error}")


class GroupedWriter:
    """Runs jobs in grouped transactions on a thread and a connection of its own, opened when first needed."""

    def __init__(self, connect: Callable[[], sqlite3.Connection], timeout_s: float) -> None:
        self._connect = connect
        self._timeout_s = timeout_s
        self._queue: queue.SimpleQueue[_Queued | None] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._connection: sqlite3.Connection | None = None
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="bus-writer", daemon=True)
        self._thread.start()

    async def run(self, job: Job[T], *, durable: bool = True) -> T:
        """The job's result once it is committed; on the disk itself when `durable`, else kept across restarts
        of the process. Raises what the job raised, BusUnavailable, BusTimeout, BusClosed.
        """
        if self._closed:
            raise BusClosed("the bus is closed")
        answer: asyncio.Future[T] = self._loop.create_future()
        self._queue.put(_Queued(job, answer, durable))
        try:
            async with asyncio.timeout(self._timeout_s):
                return await answer
        except TimeoutError:
            raise BusTimeout(f"the embedded bus did not commit within {self._timeout_s} s") from None

    async def close(self) -> None:
        """Commits what is queued and ends the thread; gives up on a thread that hangs in the file system."""
        self._closed = True
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join, CLOSE_S)

    def _work(self) -> None:
        last = False
        while not last:
            group, last = self._next_group()
            if group:
                outcomes = self._run_group(group)
                try:
                    self._loop.call_soon_threadsafe(_settle, outcomes)
                except RuntimeError:
                    log.debug("the event loop ended before %d answers", len(outcomes))
        self._drop_connection()

    def _next_group(self) -> tuple[list[_Queued], bool]:
        group: list[_Queued] = []
        queued = self._queue.get()
        while queued is not None:
            group.append(queued)
            if len(group) >= GROUP_LIMIT:
                return group, False
            try:
                queued = self._queue.get_nowait()
            except queue.Empty:
                return group, False
        return group, True

    def _run_group(self, group: Sequence[_Queued]) -> list[tuple[_Queued, Any, Exception | None]]:
        waiting = [queued for queued in group if not queued.answer.cancelled()]
        outcomes: list[tuple[_Queued, Any, Exception | None]] = []
        while waiting:
            answered: list[tuple[_Queued, Any, Exception | None]] = []
            current: _Queued | None = None
            try:
                connection = self._open(durable=any(queued.durable for queued in waiting))
                connection.execute("BEGIN IMMEDIATE")
                for current in waiting:
                    try:
                        answered.append((current, current.job(connection), None))
                    except BusError as refused:
                        answered.append((current, None, refused))
                connection.execute("COMMIT")
                return outcomes + answered
            except (sqlite3.OperationalError, OSError, BusError) as error:
                self._drop_connection()
                failure = error if isinstance(error, BusError) else unavailable(error)
                return outcomes + [(queued, None, failure) for queued in waiting]
            except Exception as error:  # noqa: BLE001 - a job's own fault, whatever it is: it alone fails
                self._drop_connection()
                outcomes += [(queued, None, error) for queued in waiting if queued is current]
                waiting = [queued for queued in waiting if queued is not current] if current else []
        return outcomes

    def _open(self, *, durable: bool) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = self._connect()
        self._connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        return self._connection

    def _drop_connection(self) -> None:
        """Closing rolls back what is open; the next group opens anew, so a passing fault heals by itself."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _settle(outcomes: Sequence[tuple[_Queued, Any, Exception | None]]) -> None:
    for queued, result, error in outcomes:
        if queued.answer.done():
            continue
        if error is None:
            queued.answer.set_result(result)
        else:
            queued.answer.set_exception(error)
