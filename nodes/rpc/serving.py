"""grpc health, a status a service, so that whoever spreads calls knows where to send them.

Knows which service needs what of the node. A node whose database is away serves its catalogue and its
operator, and nothing else.
"""

from __future__ import annotations

import asyncio
from typing import Final

import structlog
from grpc_health.v1 import health
from grpc_health.v1.health_pb2 import HealthCheckResponse

from nodes.operations.views import DOWN
from nodes.rpc.drain import ended
from nodes.rpc.ports import Operates

CASES: Final = "tongban.v1.CaseService"
CATALOGUE: Final = "tongban.v1.CatalogueService"
OPERATOR: Final = "tongban.v1.OperatorService"
PEER: Final = "tongban.v1.PeerService"
SERVICES: Final = (CASES, CATALOGUE, OPERATOR, PEER)
NEED_THE_NODE: Final = ("", CASES, PEER)
"""Services that need the whole node; "" stands for the server itself."""
log = structlog.get_logger("tongban.rpc")


class Serving:
    """The statuses of one server. `every_s`: wall seconds between looks at the node's health."""

    def __init__(self, operates: Operates, *, every_s: float) -> None:
        self.servicer = health.aio.HealthServicer()
        self._operates, self._every_s = operates, every_s
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Everything is served; from now on as the node's health says."""
        for service in ("", *SERVICES):
            await self.servicer.set(service, HealthCheckResponse.SERVING)
        self._task = asyncio.create_task(self._run(), name="serving")

    async def stop(self) -> None:
        """Nothing is served any more, for good."""
        if self._task is not None:
            await ended(self._task)
        await self.servicer.enter_graceful_shutdown()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._every_s)
            try:
                state = (await self._operates.health()).state
            except Exception as error:  # noqa: BLE001  # whatever a look at the node's health raises, it is not well
                log.warning("health is not known", error=type(error).__name__)
                state = DOWN
            said = HealthCheckResponse.NOT_SERVING if state == DOWN else HealthCheckResponse.SERVING
            for service in NEED_THE_NODE:
                await self.servicer.set(service, said)
