"""The bars of a fault, read off samples."""

from __future__ import annotations

import asyncio
import itertools
import time
from contextlib import suppress

import pytest

from tests.fault import gauge, looking
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


async def test_a_look_that_is_cancelled_or_hangs_ends_no_looking(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client whose server goes away may do either from its inside."""
    monkeypatch.setattr(gauge, "EVERY_S", 0.01)
    monkeypatch.setattr(gauge, "LOOK_WITHIN_S", 0.05)
    monkeypatch.setattr(looking, "LET_GO_S", 0.05)
    count, held = itertools.count(1), asyncio.Event()

    async def look(_: Gauge) -> Sample:
        match next(count):
            case 1:
                raise asyncio.CancelledError
            case 2:
                raise RuntimeError("whatever it is")
            case 3:
                while not held.is_set():  # it does not let itself be called off
                    with suppress(asyncio.CancelledError):
                        await held.wait()
        return Sample(time.time(), 0.0, 0)

    monkeypatch.setattr(Gauge, "_look", look)
    async with looks().open() as found:
        assert await found.calm(5.0) is not None
        held.set()
    assert next(count) > 5


async def test_a_run_that_sees_nothing_says_so_and_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gauge, "WITHIN_S", 0.2)
    found = Gauge({"31": "sqlite:////none/at/all"}, "sqlite:////none/either")
    async with found.open():
        now = time.time_ns()
        read = await found.reading(now - 1, now)
    assert read.lag_s is None
    assert read.broken == ["nothing could be seen in 0 s: OperationalError: unable to open database file"]
