"""How a command finds and calls a node.

Knows addresses, channels and stubs. Must not know what is asked. A node is named by --node, else by
--region, else by the settings, else by the case number or the area at hand, looked up among the nodes that
`make up` has noted down and the peers of the settings.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import grpc

from nodes.cli.defaults import Defaults
from nodes.cli.exits import Exit
from nodes.cli.failures import failure, refused
from regions.region import atlas
from tongban.v1.case_pb2 import ROLE_OPERATOR, Actor
from tongban.v1.case_service_pb2_grpc import CaseServiceStub
from tongban.v1.catalogue_service_pb2_grpc import CatalogueServiceStub
from tongban.v1.operator_service_pb2 import HealthRequest
from tongban.v1.operator_service_pb2_grpc import OperatorServiceStub
from tongban.v1.peer_service_pb2_grpc import PeerServiceStub

Request = TypeVar("Request")
Answer = TypeVar("Answer")

MAX_ANSWER_BYTES: Final = 64 * 1024 * 1024
OPTIONS: Final = (("grpc.enable_http_proxy", 0), ("grpc.max_receive_message_length", MAX_ANSWER_BYTES))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a node is: its region ("" when not known) and host:port."""

    region: str
    address: str


class Node:
    """A channel to one node and its stubs; use `Reach.node`, which closes it."""

    def __init__(self, place: Place, timeout_s: float) -> None:
        self.place = place
        self.timeout_s = timeout_s
        self._channel = grpc.insecure_channel(place.address, options=OPTIONS)
        self._region = place.region
        self.cases = CaseServiceStub(self._channel)
        self.catalogue = CatalogueServiceStub(self._channel)
        self.operator = OperatorServiceStub(self._channel)
        self.peer = PeerServiceStub(self._channel)

    @property
    def region(self) -> str:
        """The node's region; asked of it when the address alone was known. Raises Failure."""
        if not self._region:
            health = self.ask(self.operator.Health, HealthRequest(actor=Actor(role=ROLE_OPERATOR)))
            self._region = health.region
        return self._region

    def ask(self, method: grpc.UnaryUnaryMultiCallable[Request, Answer], request: Request) -> Answer:
        """One call, within the time-out. Raises Failure."""
        with self.translated():
            return method(request, timeout=self.timeout_s)

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Turn what gRPC raises inside into Failure."""
        try:
            yield
        except grpc.RpcError as error:
            raise refused(error, self.place.address) from None

    def close(self) -> None:
        """Free the channel; open streams end."""
        self._channel.close()


@dataclass(frozen=True, slots=True)
class Reach:
    """Which nodes there are, and which one was chosen by --node and --region."""

    defaults: Defaults
    node: str = ""
    region: str = ""
    timeout_s: float = 10.0

    def known(self) -> dict[str, str]:
        """Addresses by region: the peers of the settings, over them the running nodes of the file."""
        return {**self.defaults.peers, **self._running()}

    def find(self, *, case: str = "", area: str = "", region: str = "") -> Place:
        """The node for a case number, an area or a region. Raises Failure that says how to name one."""
        nodes = self.known()
        if self.node:
            return Place(_region_of(self.node, nodes), self.node)
        wanted = self.region or region
        if not wanted and self.defaults.node:
            return Place(_region_of(self.defaults.node, nodes), self.defaults.node)
        wanted = wanted or case[:2] or area[:2] or self.defaults.region
        if not wanted and len(nodes) == 1:
            wanted = next(iter(nodes))
        if not wanted:
            known = " | ".join(sorted(nodes)) or "31 | 32 | 33 | 34"
            raise failure(Exit.USAGE, "which_node" if nodes else "no_node", regions=known)
        if wanted not in nodes:
            raise failure(Exit.UNREACHABLE, "node_unknown", region=wanted, file=self.defaults.nodes_file)
        return Place(wanted, nodes[wanted])

    @contextmanager
    def open(self, *, case: str = "", area: str = "", region: str = "") -> Iterator[Node]:
        """The node that `find` finds, closed afterwards."""
        node = Node(self.find(case=case, area=area, region=region), self.timeout_s)
        try:
            yield node
        finally:
            node.close()

    def _running(self) -> Mapping[str, str]:
        file = self.defaults.nodes_file
        try:
            found: Any = json.loads(file.read_text("utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError):
            raise failure(Exit.SETTINGS, "nodes_file", file=file) from None
        if not isinstance(found, dict) or not all(
            region in atlas().regions and isinstance(address, str) for region, address in found.items()
        ):
            raise failure(Exit.SETTINGS, "nodes_file", file=file)
        return found


def _region_of(address: str, nodes: Mapping[str, str]) -> str:
    return next((region for region, known in nodes.items() if known == address), "")
