"""What many stored cases cost: a federation that has them beside one that has none, and pages of the API.

    python -m benchmarks.stored [--cases 1000000] [--rates 100,300] [--rounds 5] [--backends embedded,servers]
        [--json FILE]

Real nodes. Of two federations alike, one has both databases filled with copies of one closed case while the
nodes are quiet (see `bulk`). They take turns: a machine whose speed changes is as kind to one as to the
other. A rate above what is carried gives the peak: what came out whole, a second.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import uvloop

from benchmarks import bulk, federation, figures
from benchmarks.federation import Federation
from benchmarks.figures import HEAD, Spread, Step
from benchmarks.grounds import Ground, ground
from benchmarks.plan import Plan, plan_of, with_plan
from benchmarks.trial import Trial
from tongban.v1 import case_pb2, case_service_pb2
from tongban.v1.case_service_pb2_grpc import CaseServiceStub

REGIONS = ["32", "31"]
NAMES = ("none", "many")
RATE = 50.0
PAGES = 200
ASKER = case_pb2.Actor(role=case_pb2.ROLE_OPERATOR, region="32", id="bench")


async def looks(nodes: Federation, numbers: list[str]) -> dict[str, Spread]:
    """Times of single pages of the origin's API, asked one after another."""
    stub: Any = CaseServiceStub(nodes.channel("32"))
    cursor = ""

    async def newest(_number: str) -> None:
        await stub.List(case_service_pb2.ListRequest(actor=ASKER, limit=50))

    async def onwards(_number: str) -> None:
        nonlocal cursor
        asked = case_service_pb2.ListRequest(actor=ASKER, limit=50, cursor=cursor)
        cursor = (await stub.List(asked)).next_cursor

    def by(**wanted: Any) -> Callable[[str], Awaitable[None]]:
        async def call(_number: str) -> None:
            wish = case_service_pb2.CaseFilter(**wanted)
            await stub.List(case_service_pb2.ListRequest(actor=ASKER, limit=50, filter=wish))

        return call

    async def track(number: str) -> None:
        await stub.Get(case_service_pb2.GetRequest(case_number=number, actor=ASKER))

    async def history(number: str) -> None:
        await stub.History(case_service_pb2.HistoryRequest(case_number=number, actor=ASKER))

    calls: dict[str, Callable[[str], Awaitable[None]]] = {
        "list, newest": newest, "list, page after page": onwards, "list, open": by(open=True),
        "list, in review": by(states=[case_pb2.CASE_STATE_IN_REVIEW]),
        "list, red": by(light=case_pb2.LIGHT_RED), "list, another matter": by(matter="HF-001"),
        "track": track, "history": history,
    }  # fmt: skip
    found = {}
    for name, call in calls.items():
        took = []
        for n in range(PAGES):
            began = time.perf_counter()
            await call(numbers[n * 7919 % len(numbers)])
            took.append(time.perf_counter() - began)
            if sum(took) > 10:
                break
        found[name] = Spread.of(took)
        print(f"  {name:24} p50 {found[name].p50:8.1f} ms  p95 {found[name].p95:8.1f} ms")
    return found


async def turns(trials: Sequence[Trial], rate: float, rounds: int) -> list[list[Step]]:
    """The steps of each trial, which go first by turns."""
    steps: list[list[Step]] = [[] for _ in trials]
    for n in range(rounds):
        order = range(len(trials)) if n % 2 == 0 else reversed(range(len(trials)))
        for at in order:
            steps[at].append(await trials[at].step(rate))
            print(f"{NAMES[at]:6}{steps[at][-1].row()}", flush=True)
    return steps


def compared(rate: float, steps: Sequence[Sequence[Step]]) -> dict[str, Any]:
    """Medians of both, the filled one last, and their ratios."""
    found: dict[str, Any] = {"rate": rate, "steps": [[asdict(step) for step in some] for some in steps]}
    of: dict[str, Callable[[Step], float]] = {
        "whole/s": lambda step: step.per_s,
        "acknowledged, p50 ms": lambda step: step.ack.p50,
        "CPU ms a lifecycle": lambda step: sum(step.cpu_ms.values()),
    }
    for name, value in of.items():
        none, many = (statistics.median(map(value, some)) for some in steps)
        found[name] = [none, many]
        print(f"  {rate:5.0f}/s  {name:22} none {none:8.1f}  many {many:8.1f}  ratio {many / none:.3f}")
    return found


async def measure(
    places: Sequence[Ground], plan: Plan, given: argparse.Namespace, *, servers: bool
) -> dict[str, Any]:
    """Both federations under load by turns, and the pages of the filled one."""
    async with AsyncExitStack() as stack:
        running = (federation.running(place, REGIONS, servers=servers, streams=True) for place in places)
        both = [await stack.enter_async_context(nodes) for nodes in running]
        trials = [
            Trial(place, plan, nodes.file, nodes.ends) for place, nodes in zip(places, both, strict=True)
        ]
        filled = both[-1]
        print(f"{'Kafka + PostgreSQL' if servers else 'embedded (SQLite)'}\n      {HEAD}")
        _, template = await filled.file(0)
        await filled.ends([template])
        began = time.perf_counter()
        for region in REGIONS:
            await bulk.fill(filled.databases[region], template, given.cases)
        print(f"filled with {given.cases} cases in {time.perf_counter() - began:.0f} s")
        for trial in trials:  # the first one warms up
            await trial.step_of(RATE, plan.step_s, plan.drop_s)
        rates = [float(rate) for rate in given.rates.split(",")]
        loads = [compared(rate, await turns(trials, rate, given.rounds)) for rate in rates]
        pages = await looks(filled, [number for _, number in bulk.keys(min(given.cases, 20_000))])
        return {
            "servers": servers, "cases": given.cases, "loads": loads,
            "pages": {name: asdict(spread) for name, spread in pages.items()},
        }  # fmt: skip


def main() -> None:
    """Reads the command line."""
    parser = with_plan(argparse.ArgumentParser(description=__doc__.partition("\n")[0]))
    parser.add_argument("--backends", default="embedded,servers")
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--rates", default="100,300", help="lifecycles/s that are offered, with commas")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    plan, found = plan_of(given), []
    for backend in given.backends.split(","):
        servers = backend == "servers"
        with ExitStack() as stack:
            places = [stack.enter_context(ground(servers=servers, name=f"-{name}")) for name in NAMES]
            found.append(uvloop.run(measure(places, plan, given, servers=servers)))
    report = {"machine": figures.machine(), "seed": plan.seed, "stored": found}
    if given.json:
        Path(given.json).write_text(json.dumps(report, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
