"""The node's own steps, taken in the transaction that makes them possible.

A case that an authority decides by rule is then settled in one commit and told in one message, where a commit
and a message a step would cost most of a lifecycle. Knows when own steps are taken: once all other work of a
batch is done, on every case that it changed and that this region owns. Must not know which steps there are
(`automatic` says so), nor of joint cases as a whole, which take more than one case. What fails here is undone
by itself, and left to `automatic`, which looks at the stored case again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import structlog

from nodes.cases.case import Actor, Case, Role
from nodes.cases.commands import Command
from nodes.desk.batch import Batch
from nodes.desk.hops import OwnHop
from nodes.desk.sheet import Sheet
from nodes.telemetry.recorder import HopTracer

NextStep = Callable[[Case], Sequence[Command]]
"""What the node does next to a case, () for nothing."""
MOST: Final = 8
"""Steps in a row; no case needs as many."""
log = structlog.get_logger("tongban.desk")


class OwnSteps:
    """Done last in each transaction."""

    def __init__(self, next_step: NextStep, tracer: HopTracer) -> None:
        self._next_step, self._tracer = next_step, tracer

    async def __call__(self, batch: Batch) -> None:
        """Take what is next of every case that the batch changed, until it is somebody else's turn."""
        region = batch.context.region
        hop = OwnHop(self._tracer, "own_step")
        for sheet in batch.sheets.values():
            if sheet.written and not sheet.parked and sheet.owned_by(region):
                self._settle(batch, sheet, hop)
                await batch.turns.pause()
        batch.keep_spans(hop)

    def _settle(self, batch: Batch, sheet: Sheet, hop: OwnHop) -> None:
        actor = Actor(Role.NODE, batch.context.region, "rule")
        try:
            for _ in range(MOST):
                assert sheet.case is not None
                if not (commands := self._next_step(sheet.case)):
                    batch.settled.add(sheet.number)
                    return
                with batch.attempt([sheet.number]):
                    sheet.trace_parent = hop(sheet.number, sheet.trace_parent)
                    for command in commands:
                        sheet.decide(batch.context, command, actor, batch.now)
        except Exception as error:  # noqa: BLE001  # it must not take the work down that made it possible
            log.info("an own step waits", case_number=sheet.number, error=type(error).__name__)
