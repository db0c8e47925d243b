"""Good messages and good bytes of every kind, for a mutation to begin with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

import uuid_utils
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from broker.bus import Message
from broker.topics import inbox
from nodes.codec.carry import carry, subject_of
from nodes.codec.exchange import KIND_OF, Ask, Exchange, encode_exchange
from nodes.codec.record import encode_event
from nodes.codec.snapshot import encode_case, encode_filing
from tests.integration.rpc.faces import actor, request
from tests.property.codec import strategies as some
from tests.property.codec.test_exchange import contents
from tongban.v1 import case_pb2, command_pb2
from tongban.v1 import case_service_pb2 as pb


def drawn(strategy: st.SearchStrategy[object], count: int) -> list[object]:
    """Values of a strategy, the same every time."""
    found: list[object] = []

    @settings(
        max_examples=count, database=None, derandomize=True, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(strategy)
    def keep(value: object) -> None:
        found.append(value)

    keep()
    return found


def message_of(content: Exchange, source: str = "31") -> Message:
    """From 31 to 32."""
    if isinstance(content, Ask):
        content = replace(content, asker=source, actor=replace(content.actor, region=source))
    subject = subject_of(content, source, "32")
    return carry(
        encode_exchange(content), kind=KIND_OF[type(content)], topic=inbox("32"), subject=subject,
        source=source, message_id=uuid_utils.uuid7().hex, wall_s=1_790_000_000.0,
        traceparent=f"00-{'ab' * 16}-{'cd' * 8}-01",
    )  # fmt: skip


@cache
def messages(each: int = 4) -> list[Message]:
    """Some of every kind that regions send."""
    return [message_of(value) for kind in contents for value in drawn(contents[kind], each)]  # type: ignore[arg-type]


@cache
def encoded(each: int = 6) -> Mapping[str, list[bytes]]:
    """Some bytes that each decoder of `decoders` reads."""
    events = drawn(some.event_with(st.one_of(*map(some.value, some.BODIES))), each * 4)
    records = [
        encode_event(
            event, "32050020260930000100001231", event_id=uuid_utils.uuid7().bytes,  # type: ignore[arg-type]
            prev_hash=b"" if event.version == 1 else bytes(32), recipients=("31",), salt=bytes(16),  # type: ignore[attr-defined]
        )
        for event in events
    ]  # fmt: skip
    withdrawn = pb.ActRequest(
        request_id="r", client="c", actor=actor("window"), case_number="C1",
        command=command_pb2.Command(withdraw=command_pb2.Withdraw(reason="x")),
    )  # fmt: skip
    filings = [encode_filing(value)[0] for value in drawn(some.filings, each)]  # type: ignore[arg-type]
    return {
        "exchange": [m.value or b"" for m in messages(2)],
        "record": [r.core for r in records],
        "private": [r.core + r.private for r in records],
        "case": [encode_case(value) for value in drawn(some.cases, each)],  # type: ignore[arg-type]
        "filing": filings,
        "file": [request().SerializeToString()],
        "act": [withdrawn.SerializeToString()],
        "spans": [b"", b"\x0a\x02\x0a\x00"],
        "filter": [
            pb.CaseFilter(
                matter="HF-003", states=[case_pb2.CASE_STATE_FILED], case_numbers=["C1"]
            ).SerializeToString()
        ],
        "delivery": [
            bytes([len(m.headers)])
            + b"".join(bytes([len(h := n.encode() + b"=" + v)]) + h for n, v in m.headers)
            + (m.value or b"")
            for m in messages(1)
        ],
    }
