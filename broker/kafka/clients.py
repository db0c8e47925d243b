"""Settings shared by all of Kafka's clients, time limits round their calls, and their end even when they
hang.

Knows aiokafka's errors and how its clients get stuck; must not know topics or messages.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from aiokafka import errors

from broker.bus import BusError, BusTimeout, BusUnavailable

STOP_S: Final = 3.0
"""How long a client may take to stop before it is cut off."""

START_GRACE_S: Final = 1.0
"""How long an interrupted start is waited for before it is cut off."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class KafkaSettings:
    """bootstrap: "host:port[,host:port]". Times in seconds, sizes in bytes.

    request_timeout_s: one request. publish_timeout_s: a whole `publish`; longer than a broker's restart, so
    that it is ridden through. join_timeout_s: becoming a member. stuck_after_s: how long a reader may see
    messages ahead of it and get none before its client is built anew. max_batch_bytes: what one request
    carries for one partition; 128 KiB keeps a link of 30 ms busy. linger_ms: how long a request waits for
    company.
    """

    bootstrap: str
    client_id: str = "tongban"
    compression: str | None = "lz4"
    linger_ms: int = 0
    max_batch_bytes: int = 131_072
    request_timeout_s: float = 10.0
    publish_timeout_s: float = 30.0
    join_timeout_s: float = 60.0
    session_timeout_s: float = 10.0
    max_poll_interval_s: float = 300.0
    stuck_after_s: float = 30.0
    check_s: float = 5.0

    def common(self) -> dict[str, Any]:
        """Keyword arguments of every client of aiokafka."""
        return {
            "bootstrap_servers": self.bootstrap,
            "client_id": self.client_id,
            "request_timeout_ms": int(self.request_timeout_s * 1000),
            "metadata_max_age_ms": 30_000,
        }


def in_our_words(error: Exception) -> BusError:
    """An error of the client as one of the bus."""
    said = f"Kafka: {type(error).__name__} {error}".strip()
    passing = isinstance(error, OSError) or (
        isinstance(error, errors.KafkaError) and (error.retriable or isinstance(error, PASSING))
    )
    return BusUnavailable(said) if passing else BusError(said)


PASSING: Final = (
    errors.KafkaConnectionError,
    errors.KafkaTimeoutError,
    errors.NodeNotReadyError,
    errors.ProducerClosed,
    errors.ConsumerStoppedError,
    errors.UnknownMemberIdError,
    errors.OutOfOrderSequenceNumber,
)
"""Errors that pass when tried again, perhaps with a new client, though aiokafka does not call them
retriable.
"""


@asynccontextmanager
async def within(seconds: float, what: str) -> AsyncIterator[None]:
    """Raises BusTimeout, or the client's error in our words. BusUnavailable, too, when the client's inside
    was called off under the call: taken for a cancellation of the caller, it would end a loop for good.
    """
    try:
        async with asyncio.timeout(seconds):
            yield
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise BusUnavailable(f"Kafka's client gave up before it did {what}") from None
    except TimeoutError:
        raise BusTimeout(f"Kafka did not {what} within {seconds:g} s") from None
    except (errors.KafkaError, OSError) as error:
        raise in_our_words(error) from error


async def begin(start: Callable[[], Awaitable[None]], seconds: float, what: str) -> None:
    """Starts a client. One that is interrupted is left a moment to come to its end: cut off in the middle of
    its first question, aiokafka forgets the connection it asked on, and never closes it.

    Raises BusTimeout, or the client's error in our words; the caller then ends the client.
    """
    starting = asyncio.ensure_future(start())
    try:
        async with within(seconds, what):
            await asyncio.shield(starting)
    finally:
        await asyncio.wait([starting], timeout=START_GRACE_S)
        if not starting.done():
            starting.cancel()
            await asyncio.wait([starting], timeout=0.1)
        if starting.done() and not starting.cancelled():
            starting.exception()  # heard, if nobody else did


async def end(stop: Callable[[], Awaitable[None]], cut_off: Callable[[], Awaitable[None]]) -> None:
    """Stops a client; one that hangs or fails in stopping is cut off. Takes a few seconds at most, never
    raises.
    """
    for way in (stop, cut_off):
        stopping = asyncio.ensure_future(way())
        await asyncio.wait([stopping], timeout=STOP_S)
        if stopping.done() and not stopping.cancelled() and stopping.exception() is None:
            return
        stopping.cancel()
        await asyncio.wait([stopping], timeout=0.1)
        log.info("a Kafka client did not stop by itself")
