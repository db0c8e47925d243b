"""One node of the floor: it takes cases in, commits them in groups, passes them on, and does nothing else.

No rules, no trust, no spans, no versions: what is left is what gRPC, durable grouped commits and Kafka cost
by themselves. Of a case three groups are committed, at A when it is filed, at B, and at A when it is back,
and two messages travel. Uses none of the project's own code.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Iterable
from typing import Any

import asyncpg
import grpc
import uvloop
from aiokafka import (  # noqa: TID251 - the floor is what lies below our own bus
    AIOKafkaConsumer,
    AIOKafkaProducer,
    ConsumerRecord,
)

GROUP = 200
TABLES = """
create table cases (id text primary key, state text not null, version int not null, body bytea not null);
create table events (case_id text, version int, body bytea not null, primary key (case_id, version));
create table outbox (case_id text primary key, body bytea not null);
create table inbox (source text, id text, primary key (source, id));
"""
NEW_CASE = "insert into cases select unnest($1::text[]), $3, $4, unnest($2::bytea[])"
NEW_EVENT = "insert into events select unnest($1::text[]), $3, unnest($2::bytea[])"
TO_SEND = "insert into outbox select unnest($1::text[]), unnest($2::bytea[])"
SENT = "delete from outbox where case_id = any($1::text[])"
SEEN = "insert into inbox select $2, unnest($1::text[]) on conflict do nothing returning id"
CLOSED = "update cases set state = 'closed', version = 2 where id = any($1::text[])"
Pending = tuple[str, bytes, asyncio.Future[None]]


class Node:
    """A, where cases are filed and come back to, or B, which decides them."""

    def __init__(self, name: str, peer: str) -> None:
        self.name, self.peer = name, peer
        self.closed: dict[str, float] = {}
        self._pending: asyncio.Queue[Pending] = asyncio.Queue()
        self._sending: set[asyncio.Task[None]] = set()
        self._pool: Any = None
        self._producer: Any = None
        self._consumer: Any = None

    async def open(self, database: str, bootstrap: str) -> None:
        """Connects to everything."""
        self._pool = await asyncpg.create_pool(database, min_size=2, max_size=4)
        self._producer = AIOKafkaProducer(
            bootstrap_servers=bootstrap, enable_idempotence=True, acks="all", max_batch_size=128 * 1024
        )
        await self._producer.start()
        self._consumer = AIOKafkaConsumer(
            f"floor.{self.name}", bootstrap_servers=bootstrap, group_id=f"floor.{self.name}",
            auto_offset_reset="earliest", enable_auto_commit=False, fetch_max_wait_ms=100,
        )  # fmt: skip
        await self._consumer.start()

    async def file(self, request: bytes, _context: object) -> bytes:
        """A filing, `<id> <body>`: answered when it is durable."""
        name, _, body = request.partition(b" ")
        durable: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pending.put_nowait((name.decode(), body, durable))
        await durable
        return name

    async def closed_since(self, request: bytes, _context: object) -> bytes:
        """The cases that came back, with the moment; those are forgotten here."""
        del request
        told, self.closed = self.closed, {}
        return json.dumps(told).encode()

    async def take_in(self) -> None:
        """Commits what has queued up, as long as it runs."""
        while True:
            group = [await self._pending.get()]
            while len(group) < GROUP and not self._pending.empty():
                group.append(self._pending.get_nowait())
            names, bodies = [name for name, _, _ in group], [body for _, body, _ in group]
            async with self._pool.acquire() as link, link.transaction():
                await link.execute(NEW_CASE, names, bodies, "filed", 1)
                await link.execute(NEW_EVENT, names, bodies, 1)
                await link.execute(TO_SEND, names, bodies)
            for _, _, durable in group:
                durable.set_result(None)
            self._pass_on(names, bodies)

    async def exchange(self) -> None:
        """Takes messages from the peer, as long as it runs."""
        while True:
            found = await self._consumer.getmany(timeout_ms=1000, max_records=500)
            if messages := [message for batch in found.values() for message in batch]:
                await self._receive(messages)
                await self._consumer.commit()

    async def _receive(self, messages: Iterable[ConsumerRecord]) -> None:
        given = {message.key.decode(): message.value for message in messages}
        async with self._pool.acquire() as link, link.transaction():
            new = [row["id"] for row in await link.fetch(SEEN, list(given), self.peer)]
            bodies = [given[name] for name in new]
            await link.execute(NEW_EVENT, new, bodies, 2)
            if self.name == "b":
                await link.execute(NEW_CASE, new, bodies, "decided", 2)
                await link.execute(TO_SEND, new, bodies)
            else:
                await link.execute(CLOSED, new)
        if self.name == "b":
            self._pass_on(new, bodies)
        else:
            self.closed |= dict.fromkeys(new, time.time())

    def _pass_on(self, names: list[str], bodies: list[bytes]) -> None:
        task = asyncio.create_task(self._send(names, bodies))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _send(self, names: list[str], bodies: list[bytes]) -> None:
        topic = f"floor.{self.peer}"
        sent = [
            await self._producer.send(topic, body, key=name.encode())
            for name, body in zip(names, bodies, strict=True)
        ]
        await asyncio.gather(*sent)
        async with self._pool.acquire() as link:
            await link.execute(SENT, names)


async def serve(name: str, peer: str, database: str, bootstrap: str, port: int) -> None:
    """Serves until the process is stopped."""
    node = Node(name, peer)
    await node.open(database, bootstrap)
    server = grpc.aio.server()
    calls: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
        verb: grpc.unary_unary_rpc_method_handler(handler)
        for verb, handler in (("File", node.file), ("Closed", node.closed_since))
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("Floor", calls),))
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    async with asyncio.TaskGroup() as group:
        group.create_task(node.take_in())
        group.create_task(node.exchange())


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    for word in ("name", "peer", "database", "bootstrap"):
        parser.add_argument(word)
    parser.add_argument("port", type=int)
    given = parser.parse_args()
    uvloop.run(serve(given.name, given.peer, given.database, given.bootstrap, given.port))


if __name__ == "__main__":
    main()
