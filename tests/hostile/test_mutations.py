"""Ten thousand messages and bytes that are wrong in ways nobody thought of: each is read or refused by name,
and memory stays flat. `make fuzz` tries a million.
"""

from __future__ import annotations

import random
import tracemalloc
from collections import Counter
from pathlib import Path
from typing import Any

import grpc
import pytest

from broker.bus import Delivery
from nodes.rpc.faults import fault_of_call
from tests.hostile.decoders import DECODERS, assert_opened, read
from tests.hostile.mutate import deliveries, mutated, mutated_bytes
from tests.hostile.samples import encoded, messages
from tests.hostile.world import CASE_TABLES, assert_clean, world
from tests.integration.rpc.faces import request

SEED = 20261123
ENVELOPES, BYTES, CARRIED, CALLED = 6_000, 4_000, 400, 200
FLAT_BYTES = 2_000_000


def test_mutated_envelopes_are_opened_or_refused_with_a_reason() -> None:
    good = messages()
    for offset, message in enumerate(good):
        assert not assert_opened(Delivery(message, 0, offset, 1_790_000_000_000, "i"))
    reasons: Counter[str] = Counter()
    half = ENVELOPES // 2
    for delivery in deliveries(SEED, good, half):
        reasons[assert_opened(delivery)] += 1
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for at in range(half, ENVELOPES, 500):
        for delivery in deliveries(SEED + at, good, 500):
            reasons[assert_opened(delivery)] += 1
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < FLAT_BYTES
    assert sum(reasons.values()) == ENVELOPES
    assert reasons["BAD_ENVELOPE"] > ENVELOPES // 10
    assert reasons["BAD_MESSAGE"] > ENVELOPES // 10


@pytest.mark.parametrize("name", DECODERS)
def test_mutated_bytes_are_read_or_refused_by_name(name: str) -> None:
    rng = random.Random(SEED)
    good = encoded()[name]
    for _ in range(BYTES // len(DECODERS)):
        read(name, mutated_bytes(rng, rng.choice(good)))


async def test_a_node_takes_mutated_messages_and_calls_and_serves_on(tmp_path: Path) -> None:
    rng = random.Random(SEED)
    async with world(tmp_path) as w:
        before = w.state(CASE_TABLES)
        good = messages()
        wrong = [mutated(rng, rng.choice(good)) for _ in range(CARRIED)]
        await w.taken_in("32", wrong)
        letters = await w.letters("32")
        assert len(letters) > CARRIED // 2
        for letter in letters:
            assert_clean(letter.detail)
        body = request().SerializeToString()
        channel: Any = w.origin.caller.channel
        told: Counter[str] = Counter()
        for _ in range(CALLED):
            call = channel.unary_unary("/tongban.v1.CaseService/Act")
            try:
                await call(mutated_bytes(rng, body), timeout=10)
                told["answered"] += 1
            except grpc.aio.AioRpcError as error:
                fault = fault_of_call(error)
                told[fault.code if fault else f"bare {error.code().name}"] += 1
                assert_clean(f"{error.details()} {fault.wrong if fault else ''}")
        assert not [code for code in told if code == "INTERNAL" or code.startswith("bare ")], told
        assert w.state(CASE_TABLES) == before
        await w.serves()
