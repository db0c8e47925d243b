"""The floor: how many bare lifecycles A -> B -> A this machine carries, and what each costs.

    python -m benchmarks.floor [--short] [--json FILE]

A Kafka, a PostgreSQL and two nodes that know no rule (see `floor_node`), a process each, under the same load
as `benchmarks.load`: open loop over gRPC, the rate doubled and halved until the peak is found. What Tongban's
own nodes do is more; how much more is told by comparing the two in one run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, TypeAlias

import asyncpg
import grpc
import uvloop
from aiokafka.admin import AIOKafkaAdminClient, NewTopic  # noqa: TID251 - as in floor_node

from benchmarks import closed, figures, peak
from benchmarks.closed import Closed
from benchmarks.floor_node import TABLES
from benchmarks.grounds import Ground, ground
from benchmarks.pace import Outcome
from benchmarks.plan import Plan, plan_of, with_plan
from benchmarks.trial import Trial
from tests.servers.process import free_port

BODY = bytes(range(33, 123)) * 10
"""900 bytes, about what a filing has."""
PARTITIONS = 2
Verb: TypeAlias = grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]
BACK_WITHIN_S = 20.0
ANY_SIZE: Final = [("grpc.max_receive_message_length", -1)]
"""For the answer that names every case of a step: some 110 bytes each, and tens of thousands of them."""


class Floor:
    """Two nodes that are running, and the way to load them."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._file: Verb = channel.unary_unary("/Floor/File")
        self._closed: Verb = channel.unary_unary("/Floor/Closed")

    async def file(self, _number: int) -> tuple[Outcome, str]:
        """One filing; see `pace.Call`."""
        name = uuid.uuid4().hex
        try:
            await self._file(f"{name} ".encode() + BODY)
        except grpc.aio.AioRpcError as error:
            # Beyond a thousand calls that wait to be taken up, gRPC's core itself resets new ones.
            cancelled = error.code() is grpc.StatusCode.CANCELLED
            return "refused" if cancelled else "failed", error.code().name
        return "acked", name

    async def ends(self, numbers: Sequence[str]) -> dict[str, float]:
        """When the cases were back at A; waits for them, in bounds."""
        wanted = set(numbers)
        ended: dict[str, float] = {}
        with suppress(TimeoutError):
            async with asyncio.timeout(BACK_WITHIN_S):
                while len(ended) < len(wanted):
                    told: dict[str, float] = json.loads(await self._closed(b""))
                    ended |= {name: at for name, at in told.items() if name in wanted}
                    await asyncio.sleep(0.05)
        return ended


@asynccontextmanager
async def running(ground: Ground) -> AsyncIterator[Floor]:
    """Databases, topics and both nodes, made and started."""
    assert ground.kafka is not None
    assert ground.postgres is not None
    admin = AIOKafkaAdminClient(bootstrap_servers=ground.kafka.bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(f"floor.{name}", PARTITIONS, 1) for name in "ab"])
    finally:
        await admin.close()
    port = free_port()
    for name, peer, at in (("a", "b", port), ("b", "a", free_port())):
        database = ground.postgres.url(f"floor_{name}")
        link = await asyncpg.connect(database)
        await link.execute(TABLES)
        await link.close()
        words = [name, peer, database, ground.kafka.bootstrap, str(at)]
        ground.run(f"floor-{name}", ["benchmarks.floor_node", *words])
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=ANY_SIZE) as channel:
        await asyncio.wait_for(channel.channel_ready(), 30)
        try:
            yield Floor(channel)
        finally:
            ground.stop("floor-a", "floor-b")


async def measure(ground: Ground, plan: Plan) -> tuple[peak.Peak, Closed]:
    """The floor's peak, in the open and in the closed loop; prints every step."""
    print("floor: gRPC, grouped durable commits, Kafka, PostgreSQL; no rules, no spans, two messages a case")
    async with running(ground) as floor:
        trial = Trial(ground, plan, floor.file, floor.ends)
        await trial.step(plan.start_rate)  # the first one warms up
        found = await peak.find(trial.step, start=plan.start_rate * 4, halvings=plan.halvings, runs=plan.runs)
        print(f"floor: {found.per_s:.0f} lifecycles/s")
        round_ = await closed.measure(ground, plan, floor.file, floor.ends)
    print()
    return found, round_


def report_of(found: peak.Peak, rounds: Closed) -> dict[str, Any]:
    """The figures for JSON."""
    return {"per_s": found.per_s, "steps": [asdict(s) for s in found.steps], "closed": asdict(rounds)}


def main() -> None:
    """Reads the command line."""
    given = with_plan(argparse.ArgumentParser(description=__doc__.partition("\n")[0])).parse_args()
    plan = plan_of(given)
    with ground(servers=True) as place:
        found, rounds = uvloop.run(measure(place, plan))
    report: dict[str, Any] = {"machine": figures.machine(), "floor": report_of(found, rounds)}
    if given.json:
        Path(given.json).write_text(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
