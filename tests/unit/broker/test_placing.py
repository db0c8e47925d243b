"""Where a reader begins, and how much is ahead of it: both by one rule."""

import pytest

from broker.bus import TopicPartition
from broker.placing import behind, first_offset_to_read


@pytest.mark.parametrize("committed", [None, 0, 3, 4, 7, 10, 11, 99])
def test_the_lag_is_what_would_be_read(committed: int | None) -> None:
    at = TopicPartition("t", 0)
    assert behind(committed, 4, 10) == 10 - first_offset_to_read(at, None, committed, 4, 10)
