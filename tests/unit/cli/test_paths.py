"""What a reader calls the fields that a refusal names."""

import pytest

from nodes.cli.filing.form import COLUMNS
from nodes.cli.filing.paths import FLAGS, column_of, flag_of


@pytest.mark.parametrize(
    ("field", "column", "flag"),
    [
        ("filing.applicant.id_no", "applicant_id_no", "--id"),
        ("filing.agent", "agent_name", "--agent"),
        ("filing.consent", "consent", "--consent"),
        ("filing.places.insured", "place_insured", "--place insured=AREA"),
        ("filing.part_areas.2", "part_area_2", "--part-area 2=AREA"),
        ("filing.facts.spouse", "fact_spouse", "--fact spouse=VALUE"),
        ("filing.delivery.way", "delivery_way", "--deliver"),
        ("filing.materials.0.sha256", "materials", "--material"),
        ("origin_area", "origin_area", "--origin"),
        ("place_household", "place_household", "--place household=AREA"),
        ("actor.role", "", ""),
        ("filing.places.moon", "", ""),
        ("", "", ""),
    ],
)
def test_a_field_has_its_column_and_its_flag(field: str, column: str, flag: str) -> None:
    assert (column_of(field), flag_of(field)) == (column, flag)


def test_every_flag_is_of_a_column_that_there_is() -> None:
    assert set(FLAGS) <= set(COLUMNS)
