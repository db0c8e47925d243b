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
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, TypeAlias

import asyncpg
import grpc
import uvloop
from aiokafka.admin import AIOKafkaAdminClient, NewTopic  # noqa: TID251 - as in floor_node

from benchmarks import figures, peak
from benchmarks.figures import Spread, Step
from benchmarks.floor_node import TABLES
from benchmarks.grounds import Ground, ground
from benchmarks.meter import Meter
from benchmarks.pace import Outcome, offer, times
from benchmarks.plan import Plan, plan_of, with_plan
from tests.servers.process import free_port

BODY = bytes(range(33, 123)) * 10
"""900 bytes, about what a filing has."""
PARTITIONS = 2
Verb: TypeAlias = grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]
BACK_WITHIN_S = 20.0


class Floor:
    """Two nodes that are running, and the way to load them."""

    def __init__(self, ground: Ground, channel: grpc.aio.Channel, plan: Plan) -> None:
        self._ground, self._plan = ground, plan
        self._file: Verb = channel.unary_unary("/Floor/File")
        self._closed: Verb = channel.unary_unary("/Floor/Closed")
        self._meter = Meter(ground.processes())
        self._seed = plan.seed

    async def step(self, rate: float) -> Step:
        """Offers the rate for as long as the plan says, and waits until every case is back."""
        plan, self._seed = self._plan, self._seed + 1
        due = times(rate, plan.step_s, self._seed)
        before, watching = self._meter.cpu_s(), asyncio.create_task(self._meter.watch())
        began = time.time()
        shots = await offer(self._call, due)
        acked = {shot.said: shot for shot in shots if shot.outcome == "acked"}
        ended = await self._ends(set(acked))
        watching.cancel()
        after = self._meter.cpu_s()
        self._ground.check()
        first, last = began + plan.drop_s, began + plan.step_s - plan.drop_s
        steady = [name for name, at in ended.items() if first <= at < last]
        return Step(
            rate=rate, window_s=last - first, offered=len(due), acked=len(acked),
            refused=sum(s.outcome == "refused" for s in shots),
            failed=sum(s.outcome == "failed" for s in shots),
            whole=len(ended), per_s=len(steady) / (last - first),
            ack=Spread.of([shot.ended_s - shot.due_s for shot in acked.values()]),
            through=Spread.of([ended[name] - acked[name].due_s for name in steady]),
            cpu_ms={name: (after[name] - before[name]) * 1e3 / max(1, len(ended)) for name in after},
            rss_mb=self._meter.most_rss_mb(),
        )  # fmt: skip

    async def _call(self, _number: int) -> tuple[Outcome, str]:
        name = uuid.uuid4().hex
        try:
            await self._file(f"{name} ".encode() + BODY)
        except grpc.aio.AioRpcError as error:
            # Beyond a thousand calls that wait to be taken up, gRPC's core itself resets new ones.
            cancelled = error.code() is grpc.StatusCode.CANCELLED
            return "refused" if cancelled else "failed", error.code().name
        return "acked", name

    async def _ends(self, wanted: set[str]) -> dict[str, float]:
        ended: dict[str, float] = {}
        with suppress(TimeoutError):
            async with asyncio.timeout(BACK_WITHIN_S):
                while len(ended) < len(wanted):
                    told: dict[str, float] = json.loads(await self._closed(b""))
                    ended |= {name: at for name, at in told.items() if name in wanted}
                    await asyncio.sleep(0.05)
        return ended


@asynccontextmanager
async def running(ground: Ground, plan: Plan) -> AsyncIterator[Floor]:
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
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        await asyncio.wait_for(channel.channel_ready(), 30)
        try:
            yield Floor(ground, channel, plan)
        finally:
            ground.stop("floor-a", "floor-b")


async def measure(ground: Ground, plan: Plan) -> peak.Peak:
    """The floor's peak; prints every step."""
    print("floor: gRPC, grouped durable commits, Kafka, PostgreSQL; no rules, no spans, two messages a case")
    async with running(ground, plan) as floor:
        await floor.step(plan.start_rate)  # the first one warms up
        found = await peak.find(floor.step, start=plan.start_rate * 4, halvings=plan.halvings, runs=plan.runs)
    print(f"floor: {found.per_s:.0f} lifecycles/s\n")
    return found


def main() -> None:
    """Reads the command line."""
    given = with_plan(argparse.ArgumentParser(description=__doc__.partition("\n")[0])).parse_args()
    plan = plan_of(given)
    with ground(servers=True) as place:
        found = uvloop.run(measure(place, plan))
    report: dict[str, Any] = {
        "machine": figures.machine(),
        "floor": {"per_s": found.per_s, "steps": [figures.plain(s) for s in found.steps]},
    }
    if given.json:
        Path(given.json).write_text(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
