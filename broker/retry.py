"""When to try again, and when to give a message up. The rule is pure; the waiting is tenacity's.

Knows failures by kind and number; must not know what failed or what a message means.

The dead-letter rule: a fault of the surroundings (bus, database, peer away) is no fault of the message, so it
is tried for ever. A message that cannot be understood will not be understood later: it is given up at once.
Anything else gets a few more chances, for it may be either.
"""

import asyncio
import contextlib
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from tenacity import AsyncRetrying, retry_if_exception_type, stop_never, wait_random_exponential

from broker.bus import BusUnavailable, Delivery, Message

DEAD_PREFIX: Final = "dead_"
"""Headers of a dead letter that say where it came from and why: `dead_topic`, `_partition`, `_offset`,
`_incarnation`, `_reason`. The message's own headers stay as they were."""

MAX_REASON_BYTES: Final = 500


class Failure(Enum):
    """What kind of failure it was."""

    SURROUNDINGS = auto()
    """Something the handling needs is away; the message has nothing to do with it."""
    UNREADABLE = auto()
    """Not understood, whoever reads it and whenever."""
    UNEXPECTED = auto()
    """An error nobody foresaw."""


@dataclass(frozen=True, slots=True)
class TryAgain:
    """Handle it again after `after_s` seconds."""

    after_s: float


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Put it aside as a dead letter and go on with the partition."""


@dataclass(frozen=True, slots=True)
class RetryRule:
    """Waits first_s, then twice as long each time up to longest_s; an unexpected failure is given up after
    max_attempts.
    """

    first_s: float = 0.1
    longest_s: float = 30.0
    max_attempts: int = 5


def next_step(failure: Failure, attempts: int, rule: RetryRule) -> TryAgain | GiveUp:
    """What follows after the `attempts`-th attempt (from 1) failed so."""
    if attempts < 1:
        raise ValueError(f"attempts: {attempts}; counted from 1")
    if failure is Failure.UNREADABLE or (failure is Failure.UNEXPECTED and attempts >= rule.max_attempts):
        return GiveUp()
    doublings = min(attempts - 1, 60)
    return TryAgain(min(rule.first_s * 2**doublings, rule.longest_s))


def dead_letter(delivery: Delivery, topic: str, reason: str) -> Message:
    """A copy for the dead-letter `topic`, with the place it came from. `reason` must hold no personal data;
    it is cut at MAX_REASON_BYTES bytes.
    """
    origin = {
        "topic": delivery.message.topic,
        "partition": str(delivery.partition),
        "offset": str(delivery.offset),
        "incarnation": delivery.incarnation,
        "reason": reason.encode()[:MAX_REASON_BYTES].decode(errors="ignore"),
    }
    added = tuple((DEAD_PREFIX + name, value.encode()) for name, value in origin.items())
    kept = tuple(header for header in delivery.message.headers if not header[0].startswith(DEAD_PREFIX))
    return Message(topic, delivery.message.key or b"-", delivery.message.value, kept + added)


def while_unavailable(rule: RetryRule, stopping: asyncio.Event) -> AsyncRetrying:
    """Tries for ever while the bus is away, with growing, scattered pauses that end early when `stopping` is
    set; then the last BusUnavailable is raised.

    Use: `async for attempt in while_unavailable(rule, stopping): with attempt: await bus.publish(...)`
    """

    async def pause(seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):  # wait_for may forget that its task was cancelled
                await stopping.wait()

    return AsyncRetrying(
        wait=wait_random_exponential(multiplier=rule.first_s, max=rule.longest_s),
        retry=retry_if_exception_type(BusUnavailable),
        stop=lambda state: stop_never(state) or stopping.is_set(),
        sleep=pause,
        reraise=True,
    )
