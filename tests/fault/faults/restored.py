"""A node whose database is put back from a backup, while people go on filing and deciding.

Knows the command line of backups. What it acknowledges last never leaves it: that is lost, and counted.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import asyncpg

from tests.fault.checker.facts import Restore
from tests.fault.checker.history import History, read_history
from tests.fault.cluster.node import NodeProcess
from tests.fault.faults.arena import Arena, fault
from tests.fault.faults.messages import still
from tests.fault.traffic.caller import Callers
from tests.fault.traffic.filings import filing_of
from tests.fault.traffic.plan import Journey
from tongban.v1.case_pb2 import Actor, Role
from tongban.v1.case_service_pb2 import FileRequest, FileResponse

LOST: Final = 3
INCARNATION: Final = slice(14, 18)
"""Of a case number, behind its place and its day."""


@fault()
async def restored(arena: Arena) -> None:
    """A node is put back from a backup taken under traffic: it takes back what it did since, then writes."""
    (node,) = arena.some(1)
    place = arena.cluster.folder / f"backup-{node.region}"
    taken = await asyncio.to_thread(_tongban, arena, node, "backup", "--to", str(place))
    await arena.lasts(4, 60)
    with still(arena):
        lost = [await _filed(arena, node, f"lost-{count}") for count in range(LOST)]
        await asyncio.to_thread(node.kill)
    stopped_ns = time.time_ns()
    back = await asyncio.to_thread(_tongban, arena, node, "restore", "--from", str(place), "--replace")
    backup_ns = int(taken["dump"]["taken_wall_s"] * 1e9)
    arena.cluster.restores.append(Restore(node.region, backup_ns, stopped_ns))
    started_ns = time.time_ns()
    await asyncio.to_thread(node.start)
    number = await _filed(arena, node, "first")
    arena.holds(
        number[INCARNATION] > max(lost)[INCARNATION], f"{number} is not under a new incarnation, after {lost}"
    )
    done_ns = int((await _recovered(arena.cluster.databases[node.region]))["done_wall_s"] * 1e9)
    early = [
        call
        for call in read_history(arena.cluster.history)
        if (call.region, call.outcome) == (node.region, "acknowledged")
        and call.start_ns >= started_ns
        and call.end_ns < done_ns
    ]
    arena.holds(not early, f"{len(early)} calls were acknowledged by a node that was catching up")
    arena.note(
        f"{node.region} is back under incarnation {back['incarnation']},"
        f" read-only for {(done_ns - started_ns) / 1e9:.1f} s"
    )


async def _recovered(database: str) -> dict[str, Any]:
    """What the database says of the last catching up."""
    text = "SELECT value FROM node_meta WHERE key = 'recovered'"
    if database.startswith("sqlite:///"):
        with closing(sqlite3.connect(database.removeprefix("sqlite:///"))) as file:
            said = file.execute(text).fetchone()[0]
    else:
        link = await asyncpg.connect(database)
        try:
            said = await link.fetchval(text)
        finally:
            await link.close()
    found: dict[str, Any] = json.loads(said)
    return found


async def _filed(arena: Arena, node: NodeProcess, word: str) -> str:
    """Filed there, and acknowledged: the case's number."""
    other = next(region for region in arena.cluster.nodes if region != node.region)
    name = f"restored-{node.region}-{node.starts}-{word}"
    request = FileRequest(
        request_id=name, client="restored",
        actor=Actor(role=Role.ROLE_APPLICANT, region=node.region, id=name),
        filing=filing_of(Journey(name, 0.0, "plain", node.region, other, other, 0)),
    )  # fmt: skip
    with History(arena.cluster.history) as history:
        async with Callers({node.region: node.address}, history) as callers:
            answer = await callers.file(node.region, request)
    return FileResponse.FromString(answer.answer).case_number


def _tongban(arena: Arena, node: NodeProcess, *words: str) -> dict[str, Any]:
    """What the command line says of that node's database and materials. Raises RuntimeError."""
    where = (
        *("--region", node.region, "--database-url", arena.cluster.databases[node.region]),
        *("--materials-dir", str(Path(node.settings["MATERIALS_DIR"])), "--json"),
    )
    command = [sys.executable, "-m", "nodes", *words, *where]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"tongban {words[0]}: {done.stderr.strip()[-500:]}")
    said: dict[str, Any] = json.loads(done.stdout)
    return said
