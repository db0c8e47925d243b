"""One fault of each kind in the test run; `make fault` has all of them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from nodes.failpoints import POINTS
from tests.fault.cluster.points import act_of
from tests.fault.faults.arena import FAULTS
from tests.fault.run import Pace, tried

PACE = Pace(rate=1.5, before_s=2.0, after_s=1.0)
ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(240)
@pytest.mark.parametrize("name", ["node_killed"])
def test_no_promise_is_broken(name: str, tmp_path: Path) -> None:
    outcome = asyncio.run(tried(FAULTS[name], tmp_path, seed=1, pace=PACE))
    assert outcome.held, str(outcome)
    assert outcome.report.ends["done"] > 2


def test_every_failpoint_is_in_the_code_and_in_a_fault() -> None:
    code = "".join(
        path.read_text(encoding="utf-8")
        for path in sorted((ROOT / "nodes").rglob("*.py"))
        if path.name != "failpoints.py"
    )
    faults = (ROOT / "tests" / "fault" / "faults" / "failpoints.py").read_text(encoding="utf-8")
    for point in POINTS:
        assert code.count(f'failpoints.hit("{point}")') == 1
        assert f'"{point}"' in faults


@pytest.mark.parametrize(("point", "said"), [("relay.none", "kill:1"), ("relay.after_mark", "explode:1")])
def test_a_word_that_means_nothing_is_refused(point: str, said: str) -> None:
    with pytest.raises(ValueError, match=said if "mark" in point else point):
        act_of(point, said)
