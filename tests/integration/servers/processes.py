"""Processes of one region, seen from the test: started, asked, paused, killed."""

from __future__ import annotations

import asyncio
import itertools
import json
import signal
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path
from typing import Any

from tests.integration.desk.federation import Ground


class Gone(Exception):
    """The process ended before it answered."""


class Remote:
    """One process, see `member`."""

    def __init__(self, process: Process, name: str) -> None:
        self._process, self.name = process, name
        self._killed = False
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._listening: asyncio.Task[None] | None = None
        self.at_the_gate = asyncio.Event()

    @classmethod
    async def started(cls, ground: Ground, folder: Path, region: str, process: str, **given: Any) -> Remote:
        """Returns when the node runs."""
        config = {
            "region": region,
            "process": process,
            "folder": str(folder),
            "database_url": ground.database_url(region),
            "bus_url": ground.bus_url,
            **given,
        }
        program = (sys.executable, "-m", "tests.integration.servers.member", json.dumps(config))
        log = (folder / f"{region}-{process}.log").open("ab")
        child = await asyncio.create_subprocess_exec(*program, stdin=PIPE, stdout=PIPE, stderr=log)
        log.close()
        made = cls(child, process)
        assert child.stdout is not None
        while (line := await child.stdout.readline()) != b"ready\n":
            assert line, (folder / f"{region}-{process}.log").read_text()[-4000:]
        made._listening = asyncio.create_task(made._listen())
        return made

    async def _listen(self) -> None:
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            if not line.startswith(b"{"):
                continue  # a line of the log
            words = json.loads(line)
            if "at_the_gate" in words:
                self.at_the_gate.set()
            elif (asked := self._waiting.pop(words.pop("id", 0), None)) is not None:
                asked.set_result(words)
        for asked in self._waiting.values():
            asked.set_exception(Gone())

    async def ask(self, verb: str, **given: Any) -> dict[str, Any]:
        """The answer. Raises Gone."""
        number = next(self._ids)
        asked: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = asked
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"id": number, "verb": verb, **given}).encode() + b"\n")
        return await asked

    async def done(self, verb: str, **given: Any) -> dict[str, Any]:
        """The answer of what must succeed."""
        answer = await self.ask(verb, **given)
        assert not {"error", "refused"} & answer.keys(), (verb, given, answer)
        return answer

    def pause(self) -> None:
        """The process stands still."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """It goes on."""
        self._process.send_signal(signal.SIGCONT)

    async def kill(self) -> None:
        """kill -9."""
        self._killed = True
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        if self._listening is not None:
            await self._listening

    async def end(self) -> None:
        """An orderly end, unless it was killed; the exit code must be 0."""
        if self._killed:
            return
        assert self._process.stdin is not None
        self._process.stdin.close()
        await asyncio.wait_for(self._process.wait(), 30)
        assert self._process.returncode == 0
