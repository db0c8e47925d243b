"""What many stored cases cost: the same load before and after, and pages of lists and single cases.

    python -m benchmarks.stored [--cases 1000000] [--rate 100] [--backends embedded,servers] [--json FILE]

Real nodes; both databases are filled with copies of one closed case while the nodes are quiet (see `bulk`).
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import uvloop

from benchmarks import bulk, federation, figures
from benchmarks.federation import Federation
from benchmarks.figures import HEAD, Spread
from benchmarks.grounds import Ground, ground
from benchmarks.plan import Plan, plan_of, with_plan
from benchmarks.trial import Trial
from tongban.v1 import case_pb2, case_service_pb2
from tongban.v1.case_service_pb2_grpc import CaseServiceStub

REGIONS = ["32", "31"]
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


async def measure(place: Ground, plan: Plan, rate: float, cases: int, *, servers: bool) -> dict[str, Any]:
    """Before, after, and the pages."""
    async with federation.running(place, REGIONS, servers=servers) as nodes:
        trial = Trial(place, plan, nodes.file, nodes.ends)
        await trial.step_of(rate / 2, plan.step_s, plan.drop_s)  # the first one warms up
        print(f"{'Kafka + PostgreSQL' if servers else 'embedded (SQLite)'}\n{HEAD}")
        before = await trial.step(rate)
        print(before.row())
        _, template = await nodes.file(0)
        await nodes.ends([template])
        began = time.perf_counter()
        for region in REGIONS:
            await bulk.fill(nodes.databases[region], template, cases)
        print(f"filled with {cases} cases in {time.perf_counter() - began:.0f} s")
        await trial.step_of(rate / 2, plan.step_s, plan.drop_s)
        after = await trial.step(rate)
        print(after.row(), flush=True)
        pages = await looks(nodes, [number for _, number in bulk.keys(min(cases, 20_000))])
        return {
            "servers": servers, "cases": cases, "before": asdict(before), "after": asdict(after),
            "pages": {name: asdict(spread) for name, spread in pages.items()},
        }  # fmt: skip


async def everything(place: Ground, plan: Plan, given: argparse.Namespace) -> dict[str, Any]:
    """What the command line asks for."""
    found = [
        await measure(place, plan, given.rate, given.cases, servers=backend == "servers")
        for backend in given.backends.split(",")
    ]
    return {"machine": figures.machine(), "seed": plan.seed, "stored": found}


def main() -> None:
    """Reads the command line."""
    parser = with_plan(argparse.ArgumentParser(description=__doc__.partition("\n")[0]))
    parser.add_argument("--backends", default="embedded,servers")
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--rate", type=float, default=100.0, help="lifecycles/s offered before and after")
    given = parser.parse_args()
    with ground(servers="servers" in given.backends) as place:
        report = uvloop.run(everything(place, plan_of(given), given))
    if given.json:
        Path(given.json).write_text(json.dumps(report, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
