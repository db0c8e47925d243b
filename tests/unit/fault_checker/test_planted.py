"""Every violation that the checker can name is planted into a copy of a healthy run, and must be named."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.fault.checker.judge import check
from tests.fault.checker.names import NAMES
from tests.unit.fault_checker.healthy import Run, healthy_run
from tests.unit.fault_checker.more_plants import PLANTS
from tests.unit.fault_checker.plants import Plant


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return asyncio.run(healthy_run(tmp_path_factory.mktemp("healthy")))


def test_a_healthy_run_breaks_no_promise(healthy: Run) -> None:
    verdict = asyncio.run(check(healthy.places))
    assert not verdict.violations
    assert verdict.whole >= set(healthy.cases.values())
    assert verdict.counts["sent"] == verdict.counts["applied"] > 30
    assert verdict.counts["dead letters"] == 0


@pytest.mark.parametrize("plant", PLANTS, ids=[plant.damage.__name__ for plant in PLANTS])
def test_what_is_planted_is_named(plant: Plant, healthy: Run, tmp_path: Path) -> None:
    run = healthy.copy(tmp_path / "run")
    plant.damage(run)
    verdict = asyncio.run(check(run.places))
    named = {v.name for v in verdict.violations}
    assert named == {plant.name} | plant.follows, "\n".join(map(str, verdict.violations[:20]))


def test_every_name_is_planted() -> None:
    assert {plant.name for plant in PLANTS} == set(NAMES)
