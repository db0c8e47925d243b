"""How many verified lifecycles a second the federation carries, how long they take and what they cost.

    python -m benchmarks.load [--short] [--backends embedded,servers,floor] [--regions 32,31] [--json FILE]

Real nodes (`tongban serve`, a process each) over real gRPC, an open loop, on one machine with the load and
the servers. A lifecycle is filed in one province, decided by rule in another, delivered, closed, and back at
the origin; it counts only if both databases have it whole. Until there is trust between provinces nothing is
sealed, signed or receipted, and the figures say so.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import uvloop

from benchmarks import closed, federation, figures, floor, messages, overload, peak
from benchmarks.figures import HEAD, Step
from benchmarks.filings import ASKS, EVENTS
from benchmarks.grounds import Ground, ground
from benchmarks.plan import Plan, plan_of, with_plan
from benchmarks.trial import Trial

WITHOUT = "without sealing, signatures and receipts, which come with the trust between provinces"


async def measure(
    place: Ground,
    plan: Plan,
    regions: list[str],
    *,
    servers: bool,
    processes: int = 1,
    streams: bool = False,
) -> dict[str, Any]:
    """Idle use, the peak, what 70 % of it feels like, the closed loop, and what three times the peak does."""
    name = "Kafka + PostgreSQL" if servers else "embedded (SQLite)"
    way = "lines of streams" if streams else "calls"
    print(f"{name}: {' -> '.join(regions)}, filed by {way}, {WITHOUT}")
    async with federation.running(
        place, regions, servers=servers, processes=processes, streams=streams
    ) as nodes:
        trial = Trial(place, plan, nodes.file, nodes.ends)
        await trial.step_of(plan.start_rate, plan.step_s / 2, plan.drop_s / 2)  # the first one warms up
        idle = await trial.idle(plan.idle_s)
        print("idle: " + ", ".join(f"{k} {v:.1%}" for k, v in idle.items() if k.startswith("node")))
        found = await peak.find(trial.step, start=plan.start_rate, halvings=plan.halvings, runs=plan.runs)
        print(f"{name}: {found.per_s:.0f} lifecycles/s")
        calm = await _told(trial, found.per_s * 0.7, plan)
        report: dict[str, Any] = {
            "backend": name, "regions": regions, "processes": processes, "filed_by": way,
            "events": EVENTS, "asks": ASKS, "without": WITHOUT,
            "per_s": found.per_s,
            "idle_share_of_a_core": idle, "rss_mb": trial.rss_mb(), "at_70_percent": asdict(calm),
            "steps": [asdict(step) for step in found.steps],
        }  # fmt: skip
        rounds = await closed.measure(place, plan, nodes.file_by_call, nodes.ends)
        report["closed"] = asdict(rounds)
        report["lifecycles"] = trial.whole + sum(each.whole for each in rounds.rounds)
        report["messages"] = dict(await messages.count(nodes.bus, regions))
        print(messages.row(report["messages"], report["lifecycles"]))
        if plan.overload_s:
            report["overload"] = await overload.measure(
                nodes.file_by_call,
                nodes.ends,
                per_s=found.per_s,
                storm_s=plan.overload_s,
                calm=calm.ack,
                seed=plan.seed,
            )
        print("memory: " + ", ".join(f"{k} {v:.0f} MB" for k, v in trial.rss_mb().items()) + "\n")
    return report


async def _told(trial: Trial, rate: float, plan: Plan) -> Step:
    print(HEAD)
    step = await trial.step_of(rate, plan.step_s, plan.drop_s)
    print(step.row())
    return step


async def everything(place: Ground, plan: Plan, given: argparse.Namespace) -> dict[str, Any]:
    """What the command line asks for."""
    regions = given.regions.split(",")
    machine = figures.machine()
    print("; ".join(f"{name} {value}" for name, value in machine.items()) + f"; seed {plan.seed}\n")
    report: dict[str, Any] = {"machine": machine, "seed": plan.seed, "backends": []}
    for backend in given.backends.split(","):
        if backend == "floor":
            report["floor"] = floor.report_of(*await floor.measure(place, plan))
        else:
            found_here = await measure(
                place,
                plan,
                regions,
                servers=backend == "servers",
                processes=given.processes,
                streams=given.streams,
            )
            report["backends"].append(found_here)
        _keep(report, given.json)  # what comes next may fail
    ours = next((b for b in report["backends"] if b["backend"].startswith("Kafka")), None)
    if "floor" in report and ours is not None:
        floor_ = report["floor"]
        open_, closed_ = ours["per_s"] / floor_["per_s"], ours["closed"]["per_s"] / floor_["closed"]["per_s"]
        print(f"of the floor of this run: {open_:.0%}, in the closed loop {closed_:.0%}")
    return report


def _keep(report: dict[str, Any], path: str) -> None:
    if path:
        Path(path).write_text(json.dumps(report, indent=2, ensure_ascii=False))


def main() -> None:
    """Reads the command line."""
    parser = with_plan(argparse.ArgumentParser(description=__doc__.partition("\n")[0]))
    parser.add_argument("--backends", default="embedded,servers,floor")
    parser.add_argument("--regions", default="32,31", help="two regions, or all four: each files to the next")
    parser.add_argument("--streams", action="store_true", help="file by lines of streams, as platforms do")
    parser.add_argument("--processes", type=int, default=1, help="of the first region, on one PostgreSQL")
    given = parser.parse_args()
    wants_servers = given.backends != "embedded"
    with ground(servers=wants_servers) as place:
        uvloop.run(everything(place, plan_of(given), given))


if __name__ == "__main__":
    main()
