"""Which topics there are, what each shall be, and what is refused about them. Pure.

Knows addresses (a short name per destination, given by the caller) and topic specs; must not know what an
address stands for, nor a backend.

One inbox an address, which everybody writes and it alone reads; one dead-letter topic an address, where it
puts copies of what it could not handle; one compacted directory for all. Retention decides how long a
reader may be away: what is older than that is gone before it was read, so it must exceed the promised outage.
A partition count never changes: a key would move to another partition and lose its order.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from broker.bus import BusError, TopicReport, TopicSpec

DIRECTORY: Final = "tongban.directory"
ADDRESS: Final = re.compile(r"[a-z0-9]{1,32}", re.ASCII)
DAY_MS: Final = 24 * 3_600_000


class AddressRefused(BusError):
    """Not an address: 1 to 32 lower-case letters or digits, so that no two look alike and no dot splits a
    name.
    """

    def __init__(self, address: str) -> None:
        super().__init__(f"address: {address[:40]!r} is not 1 to 32 of a-z and 0-9")


class RetentionTooShort(BusError):
    """A topic would forget messages before the end of an outage that is promised to lose nothing."""

    def __init__(self, topic: str, retention_ms: int, promised_outage_ms: int) -> None:
        super().__init__(
            f"retention_ms: {retention_ms} of {topic} must exceed the promised outage of"
            f" {promised_outage_ms} ms; keep messages longer or promise less"
        )
        self.topic = topic


@dataclass(frozen=True, slots=True)
class TopicPlan:
    """The settings all topics share. retention_ms and promised_outage_ms in milliseconds of wall time."""

    partitions: int = 6
    retention_ms: int = 30 * DAY_MS
    promised_outage_ms: int = 14 * DAY_MS
    replication: int = 1
    min_insync: int = 1


def inbox(address: str) -> str:
    """The topic that `address` reads. Raises AddressRefused."""
    return f"tongban.inbox.{_checked(address)}"


def dead(address: str) -> str:
    """The topic of copies that `address` could not handle. Raises AddressRefused."""
    return f"tongban.dead.{_checked(address)}"


def specs(addresses: Iterable[str], plan: TopicPlan) -> tuple[TopicSpec, ...]:
    """Every topic of these addresses, and the directory. Raises AddressRefused, RetentionTooShort.

    The directory has one partition: its readers want all of it, in one order.
    """
    names = [name for address in addresses for name in (inbox(address), dead(address))]
    for name in names:
        _check_retention(name, plan.retention_ms, plan.promised_outage_ms)
    kept = [
        TopicSpec(name, plan.partitions, plan.retention_ms, False, plan.replication, plan.min_insync)
        for name in names
    ]
    return (*kept, TopicSpec(DIRECTORY, 1, None, True, plan.replication, plan.min_insync))


def check(reports: Sequence[TopicReport], plan: TopicPlan) -> None:
    """Raises RetentionTooShort for a topic that exists and keeps messages too briefly, whoever made it."""
    for report in reports:
        actual_ms = report.spec.retention_ms
        for difference in report.differences:
            if difference.field == "retention_ms":
                actual_ms = difference.actual
        if report.exists and actual_ms is not None:
            _check_retention(report.spec.name, actual_ms, plan.promised_outage_ms)


def _check_retention(topic: str, retention_ms: int, promised_outage_ms: int) -> None:
    if retention_ms <= promised_outage_ms:
        raise RetentionTooShort(topic, retention_ms, promised_outage_ms)


def _checked(address: str) -> str:
    if not ADDRESS.fullmatch(address):
        raise AddressRefused(address)
    return address
