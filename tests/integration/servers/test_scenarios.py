"""The scenarios of the embedded federation, the very same tests, on Kafka and PostgreSQL."""

import pytest

from tests.integration.desk.test_away import (
    test_a_node_that_ends_and_starts_again_goes_on_where_it_was,
    test_files_and_answers_while_the_bus_is_away_and_sends_later,
)
from tests.integration.desk.test_modes import (
    test_all_or_none_joins_or_lapses,
    test_correction_is_asked_through_the_origin,
)
from tests.integration.desk.test_skeleton import test_filed_in_one_province_settled_by_another

pytestmark = pytest.mark.usefixtures("servers")

__all__ = [
    "test_a_node_that_ends_and_starts_again_goes_on_where_it_was",
    "test_all_or_none_joins_or_lapses",
    "test_correction_is_asked_through_the_origin",
    "test_filed_in_one_province_settled_by_another",
    "test_files_and_answers_while_the_bus_is_away_and_sends_later",
]
