"""What is done around a call whose caller has gone."""

import asyncio
from types import SimpleNamespace
from typing import Any

import grpc
import pytest
import structlog

from nodes.rpc.interceptors import Errors


class Gone:
    """A context whose caller has hung up: the core can send him nothing."""

    async def abort_with_status(self, status: Any) -> None:
        raise grpc.aio.InternalError(f"cannot send {status.code}")


async def refuse(_request: Any, context: Any) -> None:
    await context.abort_with_status(SimpleNamespace(code="RESOURCE_EXHAUSTED"))


async def test_a_caller_who_is_gone_before_he_is_refused_is_no_failed_call() -> None:
    async def continuation(_details: Any) -> Any:
        return grpc.unary_unary_rpc_method_handler(refuse)

    details: Any = SimpleNamespace(method="/tongban.v1.CaseService/Act", invocation_metadata=())
    handler = await Errors(timeout_s=5).intercept_service(continuation, details)
    with structlog.testing.capture_logs() as logged, pytest.raises(asyncio.CancelledError):
        await handler.unary_unary(object(), Gone())
    assert logged == []
