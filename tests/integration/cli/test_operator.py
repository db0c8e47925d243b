"""The operator's commands: dead letters, topics, migrations, the doctor; and what starts nodes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from broker.url import BusUrlError
from regions.errors import DataError
from tests.integration.cli.conftest import Run
from tests.integration.cli.double import NodeDouble, requests_of
from tongban.v1.operator_service_pb2 import PartHealth


def test_dead_letters_are_replayed_and_dropped(run: Run, node: NodeDouble) -> None:
    again = run("dead", "replay", "dl-7", "--node", node.address)
    assert (again.exit_code, "hash differs" in again.output) == (9, True)
    assert run("dead", "drop", "dl-7", "--node", node.address).exit_code == 2
    dropped = run("dead", "drop", "dl-7", "--reason", "forged", "--node", node.address)
    assert dropped.exit_code == 0
    assert "snapshot" in dropped.output
    assert requests_of(node, "DropDeadRequest")[0].reason == "forged"
    node.letters = []
    assert "Nothing is put aside" in run("dead", "list", "--node", node.address).output


def test_topics_are_made_and_checked_and_the_doctor_looks_at_all(
    run: Run, node: NodeDouble, running: Callable[..., None]
) -> None:
    bus = ("--bus-url", "sqlite:///bus.db")
    missing = run("topics", "--check", *bus)
    assert (missing.exit_code, "there is no bus file" in missing.output) == (9, True)
    assert not Path("bus.db").exists()
    assert run("topics", *bus).exit_code == 0
    assert run("topics", "--check", *bus).exit_code == 0
    database = ("--database-url", "sqlite:///node.db")
    assert json.loads(run("migrate", *database, "--json").stdout)["before"] == ""
    assert "already" in run("migrate", *database).output
    assert "CREATE TABLE" in run("migrate", "--sql", "postgresql").output
    running(node)
    well = run("doctor", *bus, *database, "--json")
    states = {found["name"]: found["state"] for found in json.loads(well.stdout)["findings"]}
    assert well.exit_code == 0, states
    assert states["Jiangsu 32"] == "up"
    node.health.parked = 1
    node.health.parts.append(PartHealth(name="relay", state="degraded", detail="31 is away"))
    ill = run("doctor", *bus, *database, unknown_settings=("TONGBAN_LISTENN",))
    assert ill.exit_code == 9
    assert "31 is away" in ill.output
    assert "TONGBAN_LISTENN" in ill.output


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (BusUrlError("scheme", "'pigeon' is no bus"), 10, "--bus-url"),
        (DataError("places.csv", "row 3", "unknown area"), 10, "places.csv"),
    ],
)
def test_what_keeps_a_node_from_starting_is_told(run: Run, error: Exception, code: int, said: str) -> None:
    def serve(_settings: Any) -> int:
        raise error

    where = ("--bus-url", "pigeon://u:secret@h/d")
    ended = run("serve", "--region", "32", *where, serve=serve, columns=200)
    assert (ended.exit_code, said in ended.stderr) == (code, True), ended.stderr
    assert "secret" not in ended.stderr


def test_serve_and_demo_are_handed_what_was_said(run: Run) -> None:
    told: list[Any] = []

    def serve(settings: Any) -> int:
        told.append(dict(settings))
        return 0

    def demo(settings: Any, options: Any) -> int:
        told.append((dict(settings), dict(options)))
        return 9

    assert (
        run("serve", "--region", "32", "--peer", "31=h:1", "--listen", "127.0.0.1:0", serve=serve).exit_code
        == 0
    )
    assert run("demo", "--bus", "sqlite:///b.db", "--day-s", "0.5", "--lang", "zh", demo=demo).exit_code == 9
    assert told == [
        {"region": "32", "listen": "127.0.0.1:0", "peers": {"31": "h:1"}},
        ({"bus_url": "sqlite:///b.db"}, {"lang": "zh", "as_json": False, "day_s": 0.5}),
    ]
