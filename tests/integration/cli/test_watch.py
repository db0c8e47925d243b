"""Following a case: each change once and in order, over breaks of the stream."""

import json
import threading

import pytest
from typer.testing import Result

from nodes.cli.commands import track
from tests.integration.cli import canned
from tests.integration.cli.conftest import Run
from tests.integration.cli.double import NodeDouble
from tongban.v1 import case_pb2 as pb

DECIDED = canned.event(7, "Decided", pb.CASE_STATE_DECIDED)
DELIVERED = canned.event(8, "Delivered", pb.CASE_STATE_DELIVERED)
CLOSED = canned.event(9, "Closed", pb.CASE_STATE_CLOSED, by="node")


class Watcher:
    """A command that runs beside the test."""

    def __init__(self, run: Run, *arguments: str) -> None:
        self.result: Result | None = None

        def work() -> None:
            self.result = run(*arguments, columns=120)

        self._thread = threading.Thread(target=work)
        self._thread.start()

    def ended(self) -> Result:
        self._thread.join(30)
        assert self.result is not None
        return self.result


def versions(result: Result) -> list[int]:
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    return [int(line["event"]["core"]["version"]) for line in lines if "event" in line]


def test_changes_are_shown_until_the_case_ends(run: Run, node: NodeDouble) -> None:
    watcher = Watcher(run, "track", canned.NUMBER, "--watch", "--node", node.address)
    assert node.watching.wait(20)
    for event in (DECIDED, DELIVERED, CLOSED):
        node.tell(event)
    result = watcher.ended()
    assert result.exit_code == 0
    told = [line for line in result.stdout.splitlines() if line.startswith("2026-10-08")]
    assert told == [
        "2026-10-08 15:30  v7   decided: granted  → decided, Shanghai 31  (by an officer)",
        "2026-10-08 15:30  v8   delivered  → delivered, Shanghai 31  (by an officer)",
        "2026-10-08 15:30  v9   closed  → closed, Shanghai 31  (by the node)",
    ]
    assert "The case has ended" in result.stderr


def test_a_broken_stream_is_taken_up_where_it_ended(run: Run, node: NodeDouble) -> None:
    watcher = Watcher(run, "track", canned.NUMBER, "--watch", "--json", "--node", node.address)
    assert node.watching.wait(20)
    node.tell(DECIDED)
    node.watching.clear()
    node.cut()
    assert node.watching.wait(20)
    node.tell(DELIVERED)
    node.tell(CLOSED)
    assert versions(watcher.ended()) == [7, 8, 9]


def test_what_the_stream_missed_is_found_by_looking(
    run: Run, node: NodeDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(track, "LOOK_EVERY_S", 0.05)
    node.mute = True
    watcher = Watcher(run, "track", canned.NUMBER, "--watch", "--json", "--node", node.address)
    assert node.watching.wait(20)
    for event in (DECIDED, DELIVERED, CLOSED):
        node.tell(event)
    assert versions(watcher.ended()) == [7, 8, 9]


def test_an_ended_case_is_not_waited_for(run: Run, node: NodeDouble) -> None:
    node.case.case.state = pb.CASE_STATE_CLOSED
    result = run("track", canned.NUMBER, "--watch", "--node", node.address)
    assert result.exit_code == 0
    assert not node.watching.is_set()
