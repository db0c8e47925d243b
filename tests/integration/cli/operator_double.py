"""The operator's side of the double of a node."""

import hashlib
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from typing_extensions import override

from nodes.business_time import BusinessClock
from tests.integration.cli import canned
from tongban.v1 import operator_service_pb2 as ops
from tongban.v1.operator_service_pb2_grpc import OperatorServiceServicer


class OperatorDouble(OperatorServiceServicer):
    """Answers of OperatorService; `health` and `letters` may be changed by a test."""

    health: ops.HealthResponse
    letters: list[ops.DeadLetter]

    async def _check(self, request: Any, context: Any) -> None:
        """What the whole double looks at before it answers."""

    @override
    async def Health(self, request: Any, context: Any) -> Any:
        await self._check(request, context)
        now = Timestamp()
        now.FromDatetime(BusinessClock().now())
        found = ops.HealthResponse()
        found.CopyFrom(self.health)
        found.business_now.CopyFrom(now)
        return found

    @override
    async def ListDead(self, request: Any, context: Any) -> Any:
        await self._check(request, context)
        return ops.ListDeadResponse(letters=self.letters)

    @override
    async def ShowDead(self, request: Any, context: Any) -> Any:
        await self._check(request, context)
        return ops.ShowDeadResponse(
            letter=self.letters[0],
            headers={"ce_type": "events"},
            size=812,
            sha256=hashlib.sha256(b"").digest(),
        )

    @override
    async def ReplayDead(self, request: Any, context: Any) -> Any:
        await self._check(request, context)
        return ops.ReplayDeadResponse(state="parked", detail="hash differs at version 4")

    @override
    async def DropDead(self, request: Any, context: Any) -> Any:
        await self._check(request, context)
        return ops.DropDeadResponse(resync=True)

    @override
    async def Trace(self, request: Any, context: Any) -> Any:
        await self._check(request, context)
        return canned.trace(request.case_number)

    @override
    async def Lanes(self, request: Any, context: Any) -> Any:
        await self._check(request, context)
        return ops.LanesResponse()
