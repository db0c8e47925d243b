"""Writes what a federation of an earlier release left behind: its databases and a bus file, as SQL text.

    cd CHECKOUT-OF-THE-EARLIER-RELEASE && PYTHONPATH=.:proto python …/tests/upgrade/write.py OUT

Runs on that release's own code, and uses of it only what its own tests stand on. Three nodes leave one case
closed, one in review, one whose filing lies unread on the bus, one whose decision does, one that the bus
never got, and an answer to be given again. `left.json` says what that is. `left/` was written by the nodes of
83ce349, which were among the first.
"""

import asyncio
import gzip
import json
import os
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, "")  # the earlier release's own modules, not those beside this file

from broker.bus import BusUnavailable
from nodes.business_time import BusinessClock
from nodes.cases.case import Actor, Role, State
from nodes.cases.commands import Accept, PreCheck, StartReview
from nodes.codec.requests import FileRequest
from tests.integration.desk.federation import federation, filing
from tongban.v1.case_service_pb2 import FileResponse

START = "2026-11-23T10:00:00+08:00"
FINGERPRINT = bytes(range(32))


async def leave(folder: Path, out: Path) -> None:
    """The nodes' day; ends the process."""
    clock = BusinessClock(datetime.fromisoformat(START), time.time())
    said: dict[str, Any] = {}
    async with federation(folder, "32", "31", "33", clock=clock) as (origin, competent, third):
        for name in ("closed", "in_review"):
            said[name] = await origin.filed(filing())
            await competent.until(said[name], lambda c: not c.awaiting_receipt)
        await competent.settle(said["closed"])
        await origin.until(said["closed"], lambda c: c.state is State.CLOSED)
        for command in (PreCheck(), Accept(), StartReview()):
            await competent.applied(said["in_review"], command)
        await origin.until(said["in_review"], lambda c: c.state is State.IN_REVIEW)
        said["decided_unread"] = await third.filed(filing(origin="330100"))
        await competent.until(said["decided_unread"], lambda c: not c.awaiting_receipt)
        await third.until(said["decided_unread"], lambda c: not c.awaiting_receipt)
        answer = await asked(origin)
        said["answer"] = answer.body.hex()
        said["answered"] = FileResponse.FromString(answer.body).case_number
        await competent.until(said["answered"], lambda c: not c.awaiting_receipt)
        await origin.until(said["answered"], lambda c: not c.awaiting_receipt)
    async with federation(folder, "31", clock=clock) as (competent,):
        await competent.settle(said["decided_unread"])
        await sent(competent)
    async with federation(folder, "32", clock=clock) as (origin,):
        said["filed_unread"] = await origin.filed(filing())
        await sent(origin)

        async def away(_: Any) -> None:
            raise BusUnavailable("away")

        setattr(origin.parts.bus, "publish", away)  # noqa: B010
        said["unsent"] = await origin.filed(filing())
        dumped(folder, out)  # what a kill would leave: an orderly end would wait for the bus
        said["wall_s"] = time.time()
        (out / "left.json").write_text(json.dumps(said, indent=1) + "\n")
        sys.stdout.flush()
        os._exit(0)


async def asked(origin: Any) -> Any:
    """A filing whose answer will be asked for again."""
    request = FileRequest("test", "once", Actor(Role.APPLICANT, "32", "a1"), filing())
    return await origin.parts.desk.file(request, FINGERPRINT)


async def sent(node: Any) -> None:
    """Once its outbox is empty."""
    async with asyncio.timeout(30):
        while True:
            async with node.parts.store.read() as unit:
                waiting = await unit.lane_counts()
            if not waiting:
                return
            await asyncio.sleep(0.02)


def dumped(folder: Path, out: Path) -> None:
    """Each database as SQL text."""
    for each in ("31", "32", "33", "bus"):
        with closing(sqlite3.connect(folder / f"{each}.db")) as link:
            keep = [
                f"PRAGMA {name}={link.execute(f'PRAGMA {name}').fetchone()[0]};"
                for name in ("auto_vacuum", "application_id", "user_version")
            ]
            text = "\n".join([*keep, *link.iterdump()])
        (out / f"{each}.sql.gz").write_bytes(gzip.compress(text.encode(), mtime=0))


def main() -> None:
    """The command line."""
    out = Path(sys.argv[1]).resolve()
    out.mkdir(parents=True, exist_ok=True)
    asyncio.run(leave(Path(tempfile.mkdtemp()), out))


if __name__ == "__main__":
    main()
