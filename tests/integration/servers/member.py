"""One process of a region's node, without faces, at the command of a test.

    python -m tests.integration.servers.member '{"region": "31", "process": "a", ...}'

Prints "ready"; then reads lines `{"id": 1, "verb": "file", ...}` and answers each with a line of the same id,
as soon as it is done: several may be under way. Ends when its input ends.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from nodes.assembly import NodeConfig, open_parts
from nodes.business_time import HeldClock
from nodes.cases.commands import Accept, Command, FinishStep, PreCheck, StartReview
from nodes.desk.work import Answer, DeskError
from nodes.store.errors import StoreError
from tests.integration.desk.federation import Node, filing
from tongban.v1 import case_service_pb2, errors_pb2

VERBS: dict[str, Command] = {
    "pre_check": PreCheck(),
    "accept": Accept(),
    "start_review": StartReview(),
    "finish_step": FinishStep("ok"),
}


def config_of(given: dict[str, Any]) -> NodeConfig:
    """The values of a node, out of JSON."""
    folder, clock = Path(given.pop("folder")), given.pop("clock", None)
    if clock is not None:
        given["clock"] = HeldClock.shared(Path(clock))
    return NodeConfig(listen="127.0.0.1:0", materials_dir=folder / given["region"], poll_s=0.05, **given)


class Member:
    """What a test may ask of this process."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self._gate = asyncio.Event()
        self._gate.set()
        self._passed = 0
        bus = node.parts.bus
        publish = bus.publish

        async def through_the_gate(messages: Any) -> Any:
            if not self._gate.is_set():
                self._say({"at_the_gate": len(messages)})
                await self._gate.wait()
            done = await publish(messages)
            self._passed += 1
            return done

        bus.publish = through_the_gate  # type: ignore[method-assign]  # a failpoint between reading and sending

    async def file(self, request_id: str, origin: str, place: str) -> dict[str, Any]:
        new = filing(origin=origin, places=(("fund_centre", place),))
        answer = await self.node.file(new, request_id=request_id)
        if answer.refused:
            return _refused(answer)
        return {"number": case_service_pb2.FileResponse.FromString(answer.body).case_number}

    async def act(self, number: str, command: str, request_id: str, expected: int = 0) -> dict[str, Any]:
        answer = await self.node.act(number, VERBS[command], request_id=request_id, expected=expected)
        if answer.refused:
            return _refused(answer)
        return {"version": case_service_pb2.ActResponse.FromString(answer.body).applied_version}

    async def settle(self, number: str) -> dict[str, Any]:
        await self.node.until(number, lambda c: not c.awaiting_receipt)
        await self.node.settle(number)
        return {}

    async def until_received(self, number: str) -> dict[str, Any]:
        """The version of a case once it is here."""
        return {"version": (await self.node.until(number, lambda c: not c.awaiting_receipt)).version}

    async def close_gate(self) -> dict[str, Any]:
        """The next publish waits, and says so."""
        self._gate.clear()
        return {}

    async def open_gate(self) -> dict[str, Any]:
        self._gate.set()
        return {}

    async def told(self) -> dict[str, Any]:
        parts = self.node.parts
        return {
            "passed": self._passed,
            "problems": [parts.relay.problem, parts.inbox.problem, parts.timers.problem],
        }

    async def answer(self, line: bytes) -> None:
        """Do what a line asks for."""
        asked = json.loads(line)
        number, verb = asked.pop("id"), asked.pop("verb")
        do: Callable[..., Awaitable[dict[str, Any]]] = getattr(self, verb)
        try:
            found = await do(**asked)
        except (DeskError, StoreError, AssertionError) as error:
            found = {"error": type(error).__name__, "said": str(error)}
        self._say({"id": number, **found})

    @staticmethod
    def _say(words: dict[str, Any]) -> None:
        sys.stdout.write(json.dumps(words) + "\n")
        sys.stdout.flush()


def _refused(answer: Answer) -> dict[str, Any]:
    return {"refused": errors_pb2.ErrorDetail.FromString(answer.body).code}


async def main(given: dict[str, Any]) -> None:
    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async with AsyncExitStack() as stack:
        member = Member(Node(await open_parts(config_of(given), stack)))
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        tasks = set()
        while line := await lines.readline():
            task = asyncio.create_task(member.answer(line))
            tasks.add(task)
            task.add_done_callback(tasks.discard)


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
