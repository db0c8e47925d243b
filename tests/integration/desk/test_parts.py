"""Where the parts of a joint case are decided: by what is said of the applicant, or chosen part by part."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from nodes.codec.requests import NewFiling
from tests.integration.desk.federation import Node, federation, filing
from tongban.v1 import errors_pb2

TRANSFER = (("transfer_out", "310000"), ("transfer_in", "330100"))


def transfer(
    places: tuple[tuple[str, str], ...] = TRANSFER, part_areas: tuple[tuple[int, str], ...] = ()
) -> NewFiling:
    return replace(filing("TV-008"), places=places, part_areas=part_areas)


async def regions(origin: Node, new: NewFiling) -> dict[int, tuple[str, str]]:
    """Region and area of each part, by its position."""
    number = await origin.filed(new)
    case = await origin.until(number, lambda _: True)
    return {part.index: (part.region, part.area) for part in case.parts}


async def problems(origin: Node, new: NewFiling) -> dict[str, str]:
    answer = await origin.file(new)
    assert answer.refused
    return {f.field: f.code for f in errors_pb2.ErrorDetail.FromString(answer.body).fields}


async def test_a_place_chosen_for_one_part_counts_for_that_part_alone(tmp_path: Path) -> None:
    async with federation(tmp_path, "32") as (origin,):
        said = await regions(origin, transfer())
        assert {position: region for position, (region, _) in said.items()} == {1: "31", 2: "33"}
        chosen = await regions(origin, transfer(part_areas=((2, "340100"),)))
        assert chosen == {1: said[1], 2: ("34", "340100")}
        # What is chosen for every part need not be said of the applicant.
        alone = await regions(origin, transfer((), ((1, "310000"), (2, "330100"))))
        assert alone == said


async def test_a_choice_that_cannot_be_is_refused_by_its_field(tmp_path: Path) -> None:
    async with federation(tmp_path, "32") as (origin,):
        assert await problems(origin, transfer(part_areas=((3, "310000"),))) == {
            "filing.part_areas.3": "NO_SUCH_PART"
        }
        assert await problems(origin, transfer(part_areas=((1, "999999"),))) == {
            "filing.part_areas.1": "UNKNOWN_CODE"
        }
        assert await problems(origin, transfer(part_areas=((1, "440100"),))) == {
            "filing.part_areas.1": "OUTSIDE_FEDERATION"
        }
        assert await problems(origin, transfer((), ((1, "310000"),))) == {
            "filing.places.transfer_in": "NEEDS_CHOICE"
        }
        assert await problems(origin, filing(part_areas=((1, "310000"),))) == {
            "filing.part_areas": "NOT_JOINT"
        }
