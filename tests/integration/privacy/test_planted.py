"""A person is planted in two provinces and looked for where none may be: spans, logs, metrics, third parties.

The planted words are a name, an identity number, a telephone, an address and free text. They must be found at
the parties of the case (or the test looks in the wrong place), and nowhere else.
"""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from prometheus_client import generate_latest

from nodes.cases.case import Role, State
from nodes.cases.commands import Accept, PreCheck, Withdraw
from nodes.cases.filing import Delivery, Party
from nodes.telemetry.logs import configure_logs
from tests.integration.desk.federation import Node, federation, filing

NAME, AGENT = "植标人甲乙", "植标代办丙丁"
ID_NO, AGENT_ID = "110105194912310038", "11010519491231002X"
PHONE, ADDRESS = "13900005555", "植标路九十九号"
REASON = "植标理由戊己"
PLANTED = (NAME, AGENT, ID_NO, AGENT_ID, PHONE, ADDRESS, REASON)


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    said = io.StringIO()
    configure_logs("json", "debug", said)
    yield said
    structlog.reset_defaults()


def everything(file: Path) -> str:
    """All of a database as text: names and values, blobs as far as they are text."""
    rows = []
    with sqlite3.connect(file) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            for row in database.execute(f'SELECT * FROM "{table}"'):  # names from the schema itself
                rows += [v.decode("utf-8", "replace") if isinstance(v, bytes) else str(v) for v in row]
    return "\n".join(rows)


def table(file: Path, name: str) -> str:
    with sqlite3.connect(file) as database:
        return repr(database.execute(f'SELECT * FROM "{name}"').fetchall())  # a constant


async def live_through(origin: Node, competent: Node) -> str:
    applicant = Party("person", NAME, "identity_card", ID_NO, phone=PHONE)
    agent = Party("person", AGENT, "identity_card", AGENT_ID)
    posted = Delivery("courier", ADDRESS)
    number = await origin.filed(filing(applicant=applicant, agent=agent, mandate="m-1", delivery=posted))
    await competent.until(number, lambda c: not c.awaiting_receipt)
    await competent.applied(number, PreCheck())
    await competent.applied(number, Accept())
    await origin.act(number, Withdraw(REASON), Role.APPLICANT)
    await competent.until(number, lambda c: c.state is State.WITHDRAWN)
    await origin.until(number, lambda c: c.state is State.WITHDRAWN)
    return number


async def test_no_person_in_spans_logs_metrics_or_at_a_third_province(
    tmp_path: Path, log: io.StringIO
) -> None:
    async with federation(tmp_path, "32", "31", "34") as (origin, competent, third):
        await live_through(origin, competent)
        for node in (origin, competent, third):
            await node.parts.telemetry.flush()
    for region in ("32", "31"):
        kept = everything(tmp_path / f"{region}.db")
        assert all(word in kept for word in (NAME, ID_NO)), "the parties of a case know whose it is"
        spans = table(tmp_path / f"{region}.db", "span")
        assert spans != "[]"
        assert not [word for word in PLANTED if word in spans]
    assert not [word for word in PLANTED if word in everything(tmp_path / "34.db")]
    told = generate_latest(competent.parts.metrics.registry).decode()
    assert "tongban" in told
    assert not [word for word in PLANTED if word in told]
    assert not [word for word in PLANTED if word in log.getvalue()]
