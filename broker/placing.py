"""Where a reader begins in a partition, and how much is ahead of it. One rule for every backend; pure."""

import logging

from broker.bus import TopicPartition

log = logging.getLogger(__name__)


def first_offset_to_read(
    at: TopicPartition, asked: int | None, committed: int | None, earliest: int, end: int
) -> int:
    """The offset from which to read: the reader's own, else the committed one, else the earliest kept.

    One past the end belongs to another log (a broker restored from an older copy, or a topic made anew), so
    nothing is known and reading starts at the earliest. One below the earliest: what lay there is gone.
    """
    wanted = committed if asked is None else asked
    if wanted is None or wanted == 0:
        return earliest
    if wanted > end:
        log.warning("%s/%d: offset %d is past the end %d; reading from %d", *at, wanted, end, earliest)
        return earliest
    if wanted < earliest:
        log.warning("%s/%d: offset %d was deleted by age; reading from %d", *at, wanted, earliest)
        return earliest
    return wanted


def behind(committed: int | None, earliest: int, end: int) -> int:
    """How many messages a group that committed this has still to read, by the same rule."""
    if committed is None or not earliest <= committed <= end:
        return end - earliest
    return end - committed
