"""How long and how hard a benchmark measures: the long form by the protocol, the short one for every day.

Knows the command line's words for it. Must not know what is measured.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """step_s: how long a rate is offered. drop_s: what is not counted at its begin and at its end.
    start_rate: lifecycles/s with which the search begins. halvings, runs: see `peak.find`. idle_s: how long
    nothing is asked. overload_s: how long three times the peak is, 0 for not at all. filings: in the closed
    loop, a round; rounds: of it.
    """

    step_s: float
    drop_s: float
    start_rate: float
    halvings: int
    runs: int
    seed: int
    idle_s: float
    overload_s: float
    filings: int
    rounds: int


def with_plan(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """The same words for every benchmark."""
    parser.add_argument("--short", action="store_true", help="less than 90 s; figures are rougher")
    parser.add_argument("--step-s", type=float, default=0, help="seconds that a rate is offered")
    parser.add_argument("--overload-s", type=float, default=0, help="seconds of three times the peak")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", default="", help="write the figures into this file")
    return parser


def plan_of(given: argparse.Namespace) -> Plan:
    """The plan that the command line asks for."""
    step_s = given.step_s or (5.0 if given.short else 50.0)
    drop_s = step_s / 5 if step_s < 45 else 15.0
    return Plan(
        step_s=step_s, drop_s=drop_s, start_rate=50, halvings=1 if given.short else 3,
        runs=0 if given.short else 3, seed=given.seed, idle_s=2.0 if given.short else 10.0,
        overload_s=given.overload_s or (0.0 if given.short else 15.0),
        filings=1_500 if given.short else 6_000, rounds=1 if given.short else 3,
    )  # fmt: skip
