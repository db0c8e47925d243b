"""An operator who looks at each node's dead letters and drops what is rubbish: what no case waits for.

Knows the operator's face of the wire.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

import grpc

from tests.fault.traffic.caller import OPTIONS
from tongban.v1 import operator_service_pb2 as op
from tongban.v1.case_pb2 import Actor, Role

FACE: Final = "/tongban.v1.OperatorService/"
PAGE: Final = 200
WITHIN_S: Final = 10.0


async def cleared(nodes: Mapping[str, str]) -> int:
    """How many were dropped. `nodes`: region -> host:port; one that is away is left for the next time."""
    dropped = 0
    for region, address in nodes.items():
        async with grpc.aio.insecure_channel(address, OPTIONS) as channel:
            with suppress(grpc.aio.AioRpcError):
                dropped += await _cleared(channel, Actor(role=Role.ROLE_OPERATOR, region=region, id="p1"))
    return dropped


async def _cleared(channel: grpc.aio.Channel, operator: Actor) -> int:
    found = await _call(
        channel, "ListDead", op.ListDeadRequest(actor=operator, limit=PAGE), op.ListDeadResponse
    )
    rubbish = [letter.id for letter in found.letters if not letter.case_number]
    for each in rubbish:
        request = op.DropDeadRequest(actor=operator, request_id=f"drop-{each}", id=each, reason="rubbish")
        await _call(channel, "DropDead", request, op.DropDeadResponse)
    return len(rubbish)


async def _call(channel: grpc.aio.Channel, name: str, request: Any, kind: Any) -> Any:
    call: Any = channel.unary_unary(
        FACE + name, request_serializer=type(request).SerializeToString, response_deserializer=kind.FromString
    )
    return await call(request, timeout=WITHIN_S)
