"""The bars of a fault, read off samples."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.fault import gauge
from tests.fault.gauge import Gauge, Reading, Sample


def looks(*samples: Sample) -> Gauge:
    return Gauge({}, "sqlite:///none", samples=list(samples))


async def test_a_backlog_that_drains_too_slowly_is_told() -> None:
    """200 came in ten seconds and took seven to go once the first moved; five were asked for."""
    at = time.time() - 60
    held = [Sample(at + n, float(n), 20 * n) for n in range(1, 11)]
    gone = [Sample(at + 10 + n, n + 0.5, 200 - 25 * n) for n in range(1, 8)]
    free = [Sample(at + 18, 0.0, 0), Sample(at + 19, 0.0, 0)]
    found = await looks(*held, *gone, *free).reading(int(at * 1e9), int((at + 10) * 1e9))
    assert found.backlog == 200
    assert found.lag_s == pytest.approx(8.0, abs=0.5)
    assert found.times is not None
    assert found.times < gauge.DRAIN
    assert found.broken == [f"200 held back drained at {found.times:.1f} times the inflow"]


async def test_a_lag_that_stays_is_told_and_waited_for_in_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gauge, "WITHIN_S", 0.2)
    now = time.time()
    found = looks(*(Sample(now + n / 10, 30.0, 7) for n in range(20)))
    read = await found.reading(int((now - 1) * 1e9), int(now * 1e9))
    assert read == Reading(None, 7, 0.0, None, 1 / gauge.DRAIN)
    assert read.broken == ["the lag was not under 1 s within 0 s"]
    assert await found.calm(0.2) is None


async def test_calm_is_what_comes_not_what_was() -> None:
    now = time.time()
    found = looks(Sample(now - 2, 0.0, 0), Sample(now - 1, 0.0, 0))
    waiting = asyncio.create_task(found.calm(5.0))
    await asyncio.sleep(0.2)
    assert not waiting.done()
    found.samples += [Sample(time.time(), 0.0, 0), Sample(time.time(), 0.4, 1)]
    calm_s = await waiting
    assert calm_s is not None
    assert 0.0 < calm_s < 5.0
