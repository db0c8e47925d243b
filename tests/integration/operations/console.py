"""The operator's desk of nodes under test, and peers that are reached within the process."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.metadata import version

from broker.topics import inbox, specs
from nodes.assembly import REGIONS
from nodes.desk.work import Answer
from nodes.operations.health import NO_CHECKS, Check, Health, Room
from nodes.operations.operations import Operations
from nodes.operations.traces import Traces
from nodes.rpc.roles import is_party
from nodes.store.rows import ParkedRow
from nodes.store.store import Store
from nodes.telemetry.spans import SpanRow
from tests.integration.desk.federation import Node
from tongban.v1 import errors_pb2, operator_service_pb2

_ids = itertools.count(1)


@dataclass
class Neighbours:
    """Asks the other consoles for `region`; one that is not there does not answer."""

    region: str = ""
    consoles: dict[str, Console] = field(default_factory=dict)

    async def trace_slice(self, region: str, case_number: str) -> Sequence[SpanRow]:
        shown = partial(is_party, region=self.region)
        return await self.consoles[region].operations.slice(case_number, shown)


class Console:
    """One operator at one node."""

    def __init__(self, node: Node, neighbours: Neighbours) -> None:
        parts = node.parts
        region = node.region
        health = health_of(node, parts.store)
        asking = replace(neighbours, region=region)
        traces = Traces(parts.store, parts.reader, region, asking, flush=parts.telemetry.flush)
        self.node = node
        self.operations = Operations(parts.store, parts.writer, health, traces)
        neighbours.consoles[region] = self

    async def parked(self) -> tuple[ParkedRow, ...]:
        return (await self.operations.letters(limit=50, cursor="", settled=False)).letters

    async def replayed(self, letter_id: str) -> tuple[str, str]:
        answer = await self.replay(letter_id)
        assert not answer.refused, answer.body
        said = operator_service_pb2.ReplayDeadResponse.FromString(answer.body)
        return said.state, said.detail

    async def replay(self, letter_id: str, request_id: str = "", fingerprint: bytes = b"a body") -> Answer:
        return await self.operations.replay(
            letter_id, operator="p1", request_id=request_id or f"q{next(_ids)}", fingerprint=fingerprint
        )

    async def drop(self, letter_id: str, reason: str, request_id: str = "") -> Answer:
        return await self.operations.drop(
            letter_id, reason=reason, operator="p1", request_id=request_id or f"q{next(_ids)}",
            fingerprint=reason.encode(),
        )  # fmt: skip


def health_of(
    node: Node, store: Store, *, checks: Mapping[str, Check] = NO_CHECKS, timeout_s: float = 2.0
) -> Health:
    """As assembly puts it together."""
    parts = node.parts
    rooms: dict[str, Room] = {
        "inbox": parts.inbox, "relay": parts.relay, "timers": parts.timers, "automatic": parts.automatic,
        "changes": parts.changes,
    }  # fmt: skip
    return Health(
        store, parts.bus, inbox=inbox(node.region), group=parts.inbox.group,
        topics=specs(REGIONS, parts.config.topic_plan), rooms=rooms, now=parts.context.now,
        wall_s=parts.context.wall_s, version=version("tongban"), checks=checks, timeout_s=timeout_s,
    )  # fmt: skip


def consoles(*nodes: Node) -> tuple[Console, ...]:
    neighbours = Neighbours()
    return tuple(Console(node, neighbours) for node in nodes)


def refusal(answer: Answer) -> Mapping[str, str]:
    """The codes of a refusal by field."""
    assert answer.refused
    return {f.field: f.code for f in errors_pb2.ErrorDetail.FromString(answer.body).fields}
