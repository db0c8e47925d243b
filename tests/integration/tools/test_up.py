"""`make up` and `make down`, with small nodes in the place of real ones."""

import json
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.servers.process import wait_gone
from tools.up import Federation, Node

SMALL = (sys.executable, str(Path(__file__).with_name("small_node.py")))
Make = Callable[..., Federation]


@pytest.fixture
def federation(tmp_path: Path) -> Iterator[Make]:
    """Makes the federation of some regions; whatever still runs afterwards is killed."""

    def make(*regions: str, **limits: float) -> Federation:
        return Federation(home=tmp_path, program=SMALL, regions=regions, **limits)  # type: ignore[arg-type]

    yield make
    for region in ("31", "32", "33", "34"):
        if process := Node(region, tmp_path).process:
            process.kill()


def pids(found: Federation) -> dict[str, int]:
    return {node.region: node.process.pid for node in found.nodes if node.process}


def test_up_waits_for_every_node_and_notes_where_they_are(
    federation: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = federation("31", "32")
    assert found.up() == 0
    said = capsys.readouterr().out
    noted = json.loads((tmp_path / "nodes.json").read_text())
    assert sorted(noted) == ["31", "32"]
    assert all(address in said for address in noted.values())
    assert "tongban doctor" in said
    assert "make down" in said
    assert f'{{"32": "{noted["32"]}"}}' in found.nodes[0].log.read_text()


def test_a_second_up_starts_nothing_and_says_so(federation: Make, capsys: pytest.CaptureFixture[str]) -> None:
    found = federation("31", "32")
    found.up()
    before = pids(found)
    capsys.readouterr()
    assert found.up() == 0
    assert "running already" in capsys.readouterr().out
    assert pids(found) == before


def test_down_asks_waits_and_forgets_but_keeps_the_data(
    federation: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = federation("31", "32")
    found.up()
    (tmp_path / "31.db").touch()
    assert found.down() == 0
    assert not pids(found)
    assert all("has drained" in node.log.read_text() for node in found.nodes)
    assert not (tmp_path / "nodes.json").exists()
    assert (tmp_path / "31.db").exists()
    capsys.readouterr()
    assert found.down() == 0
    assert "No nodes are running." in capsys.readouterr().out


def test_a_node_that_dies_at_the_start_is_named_with_the_end_of_its_log(
    federation: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert federation("31", "33").up() == 1
    said = capsys.readouterr().err
    assert "Node 33 is no longer running" in said
    assert "the database of 33 is of a newer version" in said
    assert not (tmp_path / "nodes.json").exists()


def test_a_node_that_died_later_is_told_and_started_again_where_it_was(
    federation: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    found = federation("31", "32")
    found.up()
    before, noted = pids(found), found.noted.read_text()
    gone = psutil.Process(before["32"])
    gone.send_signal(signal.SIGKILL)
    wait_gone([gone], within_s=10)
    capsys.readouterr()
    assert found.up() == 0
    assert "Node 32 is no longer running" in capsys.readouterr().out
    assert found.noted.read_text() == noted
    after = pids(found)
    assert after["31"] == before["31"]
    assert after["32"] != before["32"]


def test_a_node_that_does_not_stop_is_killed_and_told(
    federation: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    found = federation("31", "34", stop_within_s=0.5)
    found.up()
    stubborn = pids(found)["34"]
    assert found.down() == 1
    assert f"Process {stubborn} did not stop within 0.5 s" in capsys.readouterr().out
    wait_gone([psutil.Process(stubborn)] if psutil.pid_exists(stubborn) else [], within_s=10)
