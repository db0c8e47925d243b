"""The command line: drives nodes that run already, and writes the history."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from tests.fault.traffic.drive import drive
from tests.fault.traffic.plan import SHARES, planned


def main() -> int:
    """Gives 0 when every journey came to its end."""
    parser = argparse.ArgumentParser(prog="python -m tests.fault.traffic", description=__doc__)
    parser.add_argument("--node", action="append", required=True, metavar="31=HOST:PORT")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=5.0, help="journeys a second")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--patience", type=float, default=60.0, help="seconds for each answer and state")
    parser.add_argument("--only", action="append", default=[], choices=sorted(SHARES))
    parser.add_argument("--history", type=Path, required=True)
    options = parser.parse_args()
    nodes = dict(node.split("=", 1) for node in options.node)
    journeys = planned(
        options.seed, rate=options.rate, seconds=options.seconds, regions=sorted(nodes), only=options.only
    )
    report = asyncio.run(drive(journeys, nodes, options.history, patience_s=options.patience))
    sys.stdout.write(f"{report}\n")
    return 0 if report.ends["done"] == len(journeys) else 1


if __name__ == "__main__":
    sys.exit(main())
