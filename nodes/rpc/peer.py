"""The client to the other regions' nodes: materials, slices of traces, are you there.

Knows addresses, channels and what may go wrong on the way: every call has a deadline, a broken download goes
on where it stopped. Must not know why something is asked for. What a peer sends is checked before it is kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, TypeVar

import grpc
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from nodes.codec.errors import DecodeError
from nodes.codec.spans import take_spans
from nodes.codec.times import decode_time
from nodes.materials.errors import TooLarge
from nodes.materials.store import MaterialStore
from nodes.rpc.faults import Fault, Wrong, fault_of_call
from nodes.telemetry.spans import SpanRow
from tongban.v1 import peer_service_pb2 as pb
from tongban.v1.peer_service_pb2_grpc import PeerServiceStub

if TYPE_CHECKING:
    from tongban.v1.peer_service_pb2_grpc import PeerServiceAsyncStub

T = TypeVar("T")

TRIES: Final = 4
"""Attempts at a download that bring nothing new, before it is given up."""
PAUSE_S: Final = 0.1
STREAM_TIMES: Final = 60
"""A download may take so many times as long as a call; then it is resumed."""
_PASSING: Final = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.CANCELLED,
    }
)
_PROPAGATOR: Final = TraceContextTextMapPropagator()


@dataclass(frozen=True, slots=True)
class Pong:
    """What a peer says of itself: the contract versions it reads and writes, its business time."""

    region: str
    schema_min: int
    schema_max: int
    business_now: datetime


class Peers:
    """The nodes of the other regions. All of it belongs to one event loop."""

    def __init__(
        self, region: str, addresses: Mapping[str, str], materials: MaterialStore, *, timeout_s: float = 10.0,
        max_message_bytes: int = 4 * 1024 * 1024,
    ) -> None:  # fmt: skip
        """`addresses`: host:port by region, looked up when a region is first called; `timeout_s`: of a call,
        and of each piece of a stream.
        """
        self._region, self._addresses, self._materials = region, addresses, materials
        self._timeout_s = timeout_s
        self._options = (
            ("grpc.enable_http_proxy", 0),
            ("grpc.max_receive_message_length", max_message_bytes),
            ("grpc.keepalive_time_ms", 60_000),
            ("grpc.keepalive_timeout_ms", 10_000),
            ("grpc.initial_reconnect_backoff_ms", 200),
            ("grpc.max_reconnect_backoff_ms", 5_000),
        )
        self._channels: dict[str, grpc.aio.Channel] = {}
        self._fetching: dict[str, asyncio.Lock] = {}

    async def close(self) -> None:
        """Ends every call and connection."""
        channels, self._channels = list(self._channels.values()), {}
        await asyncio.gather(*(channel.close() for channel in channels))

    async def ping(self, region: str) -> Pong:
        """Whether the node of `region` is there. Raises Fault: PEER_UNREACHABLE, PEER_REFUSED."""
        stub = self._stub(region)
        request = pb.PingRequest(region=self._region)
        found = await _called(stub.Ping(request, timeout=self._timeout_s, metadata=_metadata()))
        with _understood():
            if found.region != region:
                raise DecodeError("region", "is not the region that was asked")
            return Pong(region, found.schema_min, found.schema_max, decode_time(found.business_now))

    async def trace_slice(self, region: str, case_number: str) -> Sequence[SpanRow]:
        """The spans of the case that `region` keeps. Raises what `ping` raises."""
        stub = self._stub(region)
        request = pb.GetTraceSliceRequest(region=self._region, case_number=case_number)
        found = await _called(stub.GetTraceSlice(request, timeout=self._timeout_s, metadata=_metadata()))
        with _understood():
            return take_spans(found.spans, region)

    async def fetch(self, region: str, case_number: str, sha256: str) -> None:
        """Bring a material of the case into this node's store, from where an earlier attempt stopped.

        `sha256`: hex. Its digest is checked; does nothing when it is here. Raises what `ping` raises,
        MaterialError.
        """
        lock = self._fetching.setdefault(sha256, asyncio.Lock())
        try:
            async with lock:
                await self._fetch(region, case_number, sha256)
        finally:
            if not lock.locked():
                self._fetching.pop(sha256, None)

    async def _fetch(self, region: str, case_number: str, sha256: str) -> None:
        tries = 0
        while not await self._materials.has(sha256):
            had = await self._materials.begun(sha256)
            try:
                size = await self._download(region, case_number, sha256, had)
            except Fault as fault:
                if any(wrong.code == "MATERIAL_OFFSET" for wrong in fault.wrong):
                    await self._materials.give_up(sha256)  # what is here is more than the peer has
                elif fault.code != "PEER_UNREACHABLE":
                    raise
                tries = 0 if await self._materials.begun(sha256) > had else tries + 1
                if tries >= TRIES:
                    raise
                await asyncio.sleep(PAUSE_S * 2**tries)
            else:
                await self._materials.finish(sha256, size)

    async def _download(self, region: str, case_number: str, sha256: str, offset: int) -> int:
        """One attempt: append what comes behind `offset`; the size of the whole."""
        request = pb.FetchMaterialRequest(
            region=self._region, case_number=case_number, sha256=bytes.fromhex(sha256), offset=offset
        )
        call = self._stub(region).FetchMaterial(
            request, timeout=self._timeout_s * STREAM_TIMES, metadata=_metadata()
        )
        size: int | None = None
        try:
            while isinstance(
                piece := await _called(self._soon(call.read())),
                pb.FetchMaterialResponse,
            ):
                if piece.offset != offset or size not in (None, piece.size):
                    raise Fault("PEER_REFUSED", [Wrong("offset", "MALFORMED")])
                size = piece.size
                if piece.chunk:
                    await self._materials.append(sha256, offset, piece.chunk)
                    offset += len(piece.chunk)
        except TooLarge:
            await self._materials.give_up(sha256)
            raise
        finally:
            call.cancel()
        if size is None or offset != size:
            raise Fault("PEER_UNREACHABLE")
        return size

    async def _soon(self, coming: Awaitable[T]) -> T:
        async with asyncio.timeout(self._timeout_s):
            return await coming

    def _stub(self, region: str) -> PeerServiceAsyncStub:
        address = self._addresses.get(region)
        if address is None:
            raise Fault("PEER_UNREACHABLE", [Wrong("region", "PEER_UNREACHABLE", "its address is not known")])
        if region not in self._channels:
            self._channels[region] = grpc.aio.insecure_channel(address, options=self._options)
        return PeerServiceStub(self._channels[region])


async def _called(call: Awaitable[T]) -> T:
    """The answer of a call. Raises Fault."""
    try:
        return await call
    except TimeoutError:
        raise Fault("PEER_UNREACHABLE") from None
    except grpc.aio.AioRpcError as error:
        meant = fault_of_call(error)
        if meant is None and error.code() in _PASSING:
            raise Fault("PEER_UNREACHABLE") from None
        if meant is None:
            raise Fault("PEER_REFUSED", [Wrong("", error.code().name)]) from None
        if meant.status in _PASSING:
            raise Fault("PEER_UNREACHABLE", retry_after_s=meant.retry_after_s) from None
        raise Fault("PEER_REFUSED", meant.wrong or [Wrong("", meant.code)]) from None


@contextmanager
def _understood() -> Iterator[None]:
    """What a peer sent has no form in our contract: Fault PEER_REFUSED that names the field."""
    try:
        yield
    except DecodeError as error:
        raise Fault("PEER_REFUSED", [Wrong(error.field, "MALFORMED", error.reason)]) from None


def _metadata() -> tuple[tuple[str, str], ...]:
    """The current hop, for the peer to link to."""
    carried: dict[str, str] = {}
    _PROPAGATOR.inject(carried)
    return tuple(carried.items())
