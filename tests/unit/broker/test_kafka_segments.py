"""Kafka forgets whole files only: how long one is written to follows from the retention."""

import pytest

from broker.bus import TopicSpec
from broker.kafka.cluster import segment_ms
from broker.topics import DAY_MS


@pytest.mark.parametrize(
    ("retention_ms", "expected"),
    [
        (None, 7 * DAY_MS),
        (30 * DAY_MS, 7 * DAY_MS),
        (2 * DAY_MS, DAY_MS // 2),
        (120_000, 30_000),
        (1, 10_000),
    ],
)
def test_a_file_is_written_to_for_a_quarter_of_the_retention(retention_ms: int | None, expected: int) -> None:
    assert segment_ms(TopicSpec("t", 1, retention_ms, compacted=retention_ms is None)) == expected
