"""The server: servicers, limits, health and reflection put together, and brought to an end in good order.

Knows grpc.aio and what a node hands to its face. Must not know settings. Callers are not identified yet, so
the server binds loopback unless it is told that it may be insecure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any, Final

import grpc
import structlog
from grpc_health.v1 import health, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from nodes.materials.store import MaterialStore
from nodes.rpc import core
from nodes.rpc.cases import CaseFace
from nodes.rpc.catalogue import CatalogueFace
from nodes.rpc.drain import Drain
from nodes.rpc.gates import Crowd, Gate
from nodes.rpc.interceptors import Errors, Tracing
from nodes.rpc.lines import Lines
from nodes.rpc.operator import OperatorFace
from nodes.rpc.peers import PeerFace
from nodes.rpc.ports import (
    Business,
    FetchesMaterials,
    FilesAndActs,
    Follows,
    Looks,
    NotesMaterials,
    Operates,
)
from nodes.rpc.serving import SERVICES, Serving
from nodes.rpc.taking import Taking
from nodes.rpc.transfers import Transfers
from nodes.rpc.watching import Watching
from nodes.telemetry.recorder import HopTracer
from regions.calendar import WorkCalendar
from tongban.v1.case_service_pb2_grpc import add_CaseServiceServicer_to_server
from tongban.v1.catalogue_service_pb2_grpc import add_CatalogueServiceServicer_to_server
from tongban.v1.operator_service_pb2_grpc import add_OperatorServiceServicer_to_server
from tongban.v1.peer_service_pb2_grpc import add_PeerServiceServicer_to_server

REFLECTED: Final = (*SERVICES, health.SERVICE_NAME, reflection.SERVICE_NAME)
log = structlog.get_logger("tongban.rpc")


class NotLoopback(ValueError):
    """An address that others can reach, while callers are not identified; `field` names it."""

    field = "listen"

    def __init__(self) -> None:
        super().__init__("listen: not loopback, and callers are not identified; insecure allows it")


class CannotListen(OSError):
    """The address is taken, or is none of this machine's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a server takes. Sizes in bytes, times in wall seconds.

    `max_streams`: calls of any kind on one connection; `timeout_s`: a call that is no stream, and a line of
    one; `idle_s`: what an upload may send nothing; `window`: lines of a FileMany under way at once;
    `keepalive_s`: after that much silence a connection is tried; `handshake_s`: what a connection has to say
    that it speaks HTTP/2. `crowd`: who may have how much under way.
    """

    max_message_bytes: int = 4 * 1024 * 1024
    max_metadata_bytes: int = 8192
    max_streams: int = 1024
    crowd: Crowd = field(default_factory=Crowd)
    timeout_s: float = 10.0
    idle_s: float = 30.0
    window: int = 64
    keepalive_s: float = 30.0
    handshake_s: float = 10.0
    health_s: float = 2.0

    @property
    def options(self) -> tuple[tuple[str, int], ...]:
        """As gRPC's core knows them."""
        keepalive_ms = int(self.keepalive_s * 1000)
        return (
            ("grpc.max_receive_message_length", self.max_message_bytes),
            ("grpc.max_metadata_size", self.max_metadata_bytes),
            ("grpc.absolute_max_metadata_size", self.max_metadata_bytes),
            ("grpc.max_concurrent_streams", self.max_streams),
            ("grpc.keepalive_time_ms", keepalive_ms),
            ("grpc.keepalive_timeout_ms", max(1000, keepalive_ms // 3)),
            (
                "grpc.http2.ping_timeout_ms",
                max(1000, keepalive_ms // 3),
            ),  # without it a minute, whatever is above
            ("grpc.keepalive_permit_without_calls", 1),  # a connection that is half open is found either way
            ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
            ("grpc.server_handshake_timeout_ms", int(self.handshake_s * 1000)),
            ("grpc.so_reuseport", 0),  # a second server on the same port is a mistake, and said to be one
        )


class Face:
    """The gRPC face of one node."""

    def __init__(
        self, region: str, *, desk: FilesAndActs, reader: Looks, changes: Follows, operations: Operates,
        materials: MaterialStore, book: NotesMaterials, peers: FetchesMaterials, tracer: HopTracer,
        now: Business, calendar: WorkCalendar, limits: Limits,
        wait_s: Callable[[int], float] = lambda _known: 0.0, arrived: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        """`wait_s`: how long a filing or a verb that comes now would have to wait while so many are
        under way, wall seconds; `arrived`: is told of each call.
        """
        self._arrived = arrived
        self._limits = limits
        self._drain = Drain()
        self._serving = Serving(operations, every_s=limits.health_s)
        gate = Gate(limits.crowd, wait_s, arrived)
        lines = Lines(
            region,
            desk,
            tracer,
            self._drain,
            gate.pass_pace,
            window=limits.window,
            timeout_s=limits.timeout_s,
        )
        watching = Watching(changes, reader, self._drain)
        transfers = Transfers(region, materials, book, reader, peers, tracer, idle_s=limits.idle_s)
        self._cases = CaseFace(region, desk, reader, lines, watching, transfers)
        self._catalogue = CatalogueFace(now, calendar)
        self._operator = OperatorFace(region, operations)
        self._peer = PeerFace(region, reader, operations, materials, tracer, now)
        self.gate = gate
        self._interceptors = [Tracing(tracer), Errors(limits.timeout_s), gate]
        self._server: grpc.aio.Server | None = None

    async def start(self, listen: str, *, insecure: bool = False) -> str:
        """Serves at host:port and gives the address, with the real port where 0 was asked for.

        Raises NotLoopback for another address unless `insecure`, CannotListen.
        """
        host = listen.rpartition(":")[0]
        if not (insecure or is_loopback(host.strip("[]"))):
            raise NotLoopback
        core.begin()
        try:
            return await self._start(listen, host)
        except BaseException:
            core.end()
            raise

    async def _start(self, listen: str, host: str) -> str:
        server: Any = grpc.aio.server(
            interceptors=self._interceptors,
            options=self._limits.options,
            maximum_concurrent_rpcs=self._limits.crowd.everything,
        )
        taking: Any = Taking(
            server,
            self._interceptors,
            self.gate.refusal,
            self._arrived,
            most=2 * self._limits.crowd.everything,
        )
        add_CaseServiceServicer_to_server(self._cases, taking)
        add_CatalogueServiceServicer_to_server(self._catalogue, server)
        add_OperatorServiceServicer_to_server(self._operator, server)
        add_PeerServiceServicer_to_server(self._peer, server)
        health_pb2_grpc.add_HealthServicer_to_server(self._serving.servicer, server)
        reflection.enable_server_reflection(REFLECTED, server)
        try:
            port = server.add_insecure_port(listen)
        except RuntimeError:
            port = 0
        if not port:
            raise CannotListen(f"listen: {listen} cannot be had")
        await server.start()
        taking.start()
        await self._serving.start()
        self._server = server
        log.info("listening", listen_address=f"{host}:{port}")
        return f"{host}:{port}"

    async def close(self, drain_s: float) -> None:
        """Ends it: first health says so, then no new call is taken, those under way end. What is not done
        after `drain_s` is cancelled. Again: nothing.
        """
        server, self._server = self._server, None
        if server is None:
            return
        await self._serving.stop()
        self._drain.stop()
        await server.stop(drain_s)
        core.end()


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach that host."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
