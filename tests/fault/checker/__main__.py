"""The command line: a table of violations, and 1 when there is one.

0: every promise was kept; 1: not; 2: something could not be read.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sqlite3
import sys
from collections import Counter
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import asyncpg

from tests.fault.checker.facts import Restore
from tests.fault.checker.judge import Places, Verdict, check
from tests.fault.checker.names import NAMES
from tests.fault.checker.workdays import SHIPPED

SHOWN = 200


def main(arguments: list[str] | None = None) -> int:
    """Reads, judges, prints. Gives the exit code."""
    options = _parser().parse_args(arguments)
    places = Places(
        databases=dict(options.db),
        bus=options.bus,
        history=options.history,
        calendar=options.calendar,
        business_now=options.business_now,
        restores=options.restored,
        may_park=options.may_park,
    )
    try:
        verdict = asyncio.run(check(places))
    except (OSError, ValueError, sqlite3.Error, asyncpg.PostgresError) as error:
        sys.stderr.write(f"cannot be read: {error}\n")
        return 2
    sys.stdout.write((_json(verdict) if options.json else _table(verdict)) + "\n")
    return 1 if verdict.violations else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.fault.checker", description=__doc__)
    parser.add_argument("--db", action="append", required=True, type=_database, metavar="31=URL")
    parser.add_argument("--bus", metavar="URL", help="sqlite:///file or kafka://servers")
    parser.add_argument("--history", type=Path, metavar="FILE", help="what the load generator noted")
    parser.add_argument("--calendar", type=Path, default=SHIPPED, metavar="FILE", help="a calendar.toml")
    parser.add_argument("--business-now", type=_moment, metavar="ISO", help="business time that has passed")
    parser.add_argument("--restored", action="append", default=[], type=_restore, metavar="31=NS..NS")
    parser.add_argument("--may-park", action="store_true", help="poison was sent: copies may be parked")
    parser.add_argument("--json", action="store_true", help="the same as JSON")
    return parser


def _database(text: str) -> tuple[str, str]:
    region, equals, url = text.partition("=")
    if not equals or len(region) != 2:
        raise argparse.ArgumentTypeError("is not REGION=URL")
    return region, url


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise argparse.ArgumentTypeError("has no time zone")
    return moment


def _restore(text: str) -> Restore:
    region, url = _database(text)
    backup, _, restored = url.partition("..")
    return Restore(region, int(backup), int(restored))


def _table(verdict: Verdict) -> str:
    lines = [", ".join(f"{count} {word}" for word, count in verdict.counts.items())]
    lines += [
        f"{v.invariant:<4} {v.name:<20} {v.case or '-':<22} {v.region or '-':<3} {v.evidence}"
        for v in verdict.violations[:SHOWN]
    ]
    if len(verdict.violations) > SHOWN:
        lines.append(f"… and {len(verdict.violations) - SHOWN} more")
    for name, count in Counter(v.name for v in verdict.violations).most_common():
        lines.append(f"{count:>6} x {name}: {NAMES[name][1]}")
    lines.append("broken" if verdict.violations else "every promise was kept")
    return "\n".join(lines)


def _json(verdict: Verdict) -> str:
    said = {"counts": dict(verdict.counts), "violations": [asdict(v) for v in verdict.violations]}
    return json.dumps(said, ensure_ascii=False, indent=1)


if __name__ == "__main__":
    sys.exit(main())
