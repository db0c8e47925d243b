"""One node of a rehearsal as a process: forked, awaited, told to stop.

Knows a pipe and a child. Must not know what the node is asked for. A fork, not a new interpreter: what the
parent has imported is there at once, and the clock's cell is shared.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import signal
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Final

import uvloop

from broker.bus import BusError
from nodes.assembly import open_node
from nodes.config import NodeConfig
from nodes.store.errors import StoreError

START_S: Final = 60.0
STOP_S: Final = 20.0
_FORK: Final = multiprocessing.get_context("fork")


class CannotStart(Exception):
    """A rehearsal cannot begin. reason: key of the words that say why; values: what they are filled with."""

    def __init__(self, reason: str, **values: str) -> None:
        super().__init__(" ".join((reason, *values.values())))
        self.reason, self.values = reason, values


class NodeProcess:
    """Starts at once. `others`: nodes forked before, whose pipes this one must not keep open: by the end of
    its pipe a node learns that its rehearsal is no more, however that ended.
    """

    def __init__(self, config: NodeConfig, others: Sequence[NodeProcess]) -> None:
        self._region = config.region
        self._ours, theirs = _FORK.Pipe()
        kept = [self._ours, *(other._ours for other in others)]  # noqa: SLF001 - of the same class
        self._child = _FORK.Process(target=_run, args=(config, theirs, kept), name=f"node-{config.region}")
        self._child.start()
        theirs.close()

    def await_serving(self) -> None:
        """Return when it takes calls. Raises CannotStart with what it says."""
        try:
            problem = self._ours.recv() if self._ours.poll(START_S) else "no answer"
        except EOFError:
            problem = f"exit code {self._child.exitcode}"
        if problem:
            raise CannotStart("node_failed", region=self._region, error=problem)

    def stop(self) -> None:
        """Tell it to end, and do not wait."""
        self._ours.close()

    def await_end(self) -> None:
        """Return when it has ended, by force if it must be."""
        self._child.join(STOP_S)
        if self._child.is_alive():
            self._child.kill()
            self._child.join()


def _run(config: NodeConfig, pipe: Connection, not_ours: Sequence[Connection]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is interrupted too, and ends us in good order
    for other in not_ours:
        other.close()
    # A broker just started has no group coordinator for a second: the client asks again, and says so each
    # time. What lasts is in the node's own words.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    uvloop.run(_serve(config, pipe))


async def _serve(config: NodeConfig, pipe: Connection) -> None:
    try:
        node = await open_node(config)
    except (StoreError, BusError, OSError, ValueError) as error:
        pipe.send(str(error) or type(error).__name__)
        return
    pipe.send("")
    told = asyncio.Event()
    asyncio.get_running_loop().add_reader(pipe.fileno(), told.set)
    await told.wait()
    asyncio.get_running_loop().remove_reader(pipe.fileno())
    await node.close()
