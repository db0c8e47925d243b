"""The whole main job on Kafka and PostgreSQL: the shipped input, four `tongban serve`, real gRPC.

What came of it is asked of the nodes by the rehearsal, and then read from the four databases by the
checker, which takes no node's word: every case where it should be, owner and mirrors equal, one connected
trace a case.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from nodes.business_time import HeldClock
from nodes.demo.lines import read_lines
from nodes.demo.rehearsal import begins, rehearse
from tests.e2e.provinces import REGIONS, provinces
from tests.fault.checker.judge import Places, check
from tests.integration.servers.clearing import cleared
from tests.servers.kafka import Kafka
from tests.servers.postgres import Postgres

PATIENCE_S = 120.0


@pytest.mark.timeout(600)
def test_the_shipped_input_comes_to_what_it_should_on_kafka_and_postgresql(
    kafka: Kafka, postgres: Postgres, tmp_path: Path
) -> None:
    asyncio.run(cleared(kafka.bootstrap))
    urls = {}
    for region in REGIONS:
        postgres.execute(
            f"drop database if exists main_{region} with (force)", f"create database main_{region}"
        )
        urls[region] = f"{postgres.base_url}/main_{region}"
    lines = read_lines()
    clock = HeldClock(begins(lines), tmp_path / "business-time")

    def more(region: str) -> Mapping[str, str]:
        return {
            "TONGBAN_BUS_URL": kafka.url,
            "TONGBAN_DATABASE_URL": urls[region],
            "TONGBAN_BUSINESS_CLOCK": str(tmp_path / "business-time"),
            "TONGBAN_REGISTERS": "rehearsal",
            "TONGBAN_POLL_S": "0.05",
        }

    with provinces(tmp_path, more) as nodes:
        outcome = asyncio.run(rehearse(nodes.addresses, clock, lines, patience_s=PATIENCE_S))
        assert not outcome.checked.differences
        assert not outcome.broken
        assert outcome.checked.cases > 250
        assert set(nodes.stop().values()) == {0}
    verdict = asyncio.run(check(Places(databases=urls, bus=kafka.url, business_now=clock.now())))
    assert not verdict.violations
    assert verdict.counts["cases"] >= outcome.checked.cases
