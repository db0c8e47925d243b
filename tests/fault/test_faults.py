"""Faults of some kinds under pytest; `make test` has all of them behind it."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import cast

import pytest

from nodes.failpoints import POINTS
from tests.fault.campaign import Pace, campaign
from tests.fault.cluster.cluster import Cluster
from tests.fault.cluster.points import act_of
from tests.fault.faults import arena
from tests.fault.faults.arena import EMBEDDED, FAULTS, SERVERS
from tests.fault.proxy.net import Net
from tests.fault.run import grounds, line, table

ROOT = Path(__file__).parents[2]
SHOWN = {
    "processes": ("node_killed", "relay_killed", "consumer_killed", "commit_unknown", "bus_held"),
    "clocks": ("messages_late",),
}
"""What `make test-fast` shows of them."""


@pytest.mark.timeout(240)
@pytest.mark.parametrize("names", SHOWN.values(), ids=SHOWN)
def test_no_promise_is_broken(names: tuple[str, ...], tmp_path: Path) -> None:
    done = asyncio.run(campaign([FAULTS[name] for name in names], tmp_path, seed=1, pace=Pace(rate=2.0)))
    assert done.held, "\n".join([*(line(done.backend, x) for x in done.outcomes), table(done)])
    assert done.report.ends["done"] > 2


def test_faults_share_a_federation_only_on_the_same_ground() -> None:
    for backend in (EMBEDDED, SERVERS):
        there = grounds(list(FAULTS), backend)
        assert all(len({fault.ground(backend) for fault in group}) == 1 for group in there)
        assert {fault.name for group in there for fault in group} == {
            name for name, fault in FAULTS.items() if backend in fault.on
        }


async def test_a_fault_under_which_filing_goes_on_lasts_until_somebody_has_filed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """People come at random: in three seconds, at one a second, it may be that nobody comes."""
    monkeypatch.setattr(arena, "LOOK_S", 0.001)
    looks = iter([[], [], [0.02]])
    monkeypatch.setattr(arena.Arena, "filed", lambda *_: next(looks))
    place = arena.Arena(cast("Cluster", None), cast("Net", None), random.Random(1), files_on=True)
    await place.lasts(0, 0)
    assert next(looks, None) is None, "it looked until somebody had"
    monkeypatch.setattr(arena.Arena, "filed", lambda *_: [])
    monkeypatch.setattr(arena, "FILES_WITHIN_S", 0.01)
    await place.lasts(0, 0)  # and no longer than that: whether filing went on is told afterwards


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
