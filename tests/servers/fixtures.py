"""The pytest plugin that gives tests real servers: `kafka`, `kafka_cluster`, `postgres`.

A test that asks for one of them, or is marked `kafka` or `postgres` because it asks at run time, is also
marked `servers` and runs in the one worker that has the servers to itself: it may stop, kill and pause them;
afterwards they are healed for the next test. A server that cannot be had fails the test with the reason.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from _pytest.nodeid import NodeId

from tests.servers.kafka import Kafka, KafkaCluster
from tests.servers.postgres import Postgres
from tests.servers.process import ServerError
from tests.servers.shared import ROOT, Run, sweep

MARKS = {"kafka": "kafka", "kafka_cluster": "kafka", "postgres": "postgres"}
RUN = pytest.StashKey[Run]()
FAILED = pytest.StashKey[bool]()
SERVING = pytest.StashKey[list[Kafka | KafkaCluster | Postgres]]()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    worker = getattr(config, "workerinput", None)
    for item in items:
        asked = {mark for fixture, mark in MARKS.items() if fixture in getattr(item, "fixturenames", ())}
        asked |= {mark for mark in MARKS.values() if item.get_closest_marker(mark)}
        for mark in sorted(asked):
            item.add_marker(mark)
        if asked:
            item.add_marker("servers")
            if worker is not None:
                # xdist 3.8 groups by a suffix of the id, and writes it where pytest 9.2 no longer looks
                # (pytest-xdist issue 1386); the scheduler still reads it. test_sharing.py tries it.
                item._id = NodeId.parse(f"{item.nodeid}@servers")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[SERVING] = []
    given: dict[str, str] | None = getattr(config, "workerinput", None)
    if given is not None:
        config.stash[RUN] = Run(Path(given["servers_folder"]))
        return
    config.stash[RUN] = Run(ROOT / f"run-{os.getpid()}")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tells an xdist worker which run it belongs to."""
    node.workerinput["servers_folder"] = str(node.config.stash[RUN].folder)


def pytest_sessionstart(session: pytest.Session) -> None:
    if not hasattr(session.config, "workerinput"):
        sweep()
        session.config.stash[RUN].own()


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    session.config.stash[FAILED] = exitstatus not in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}


def pytest_unconfigure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        return
    if kept := config.stash[RUN].end(keep_logs=config.stash.get(FAILED, True)):
        sys.stdout.write(f"the servers' logs: {kept}\n")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    try:
        return (yield)
    finally:
        if item.get_closest_marker("servers"):
            for server in item.config.stash[SERVING]:
                server.heal()


def _serve(config: pytest.Config, make: Any) -> Any:
    try:
        server = make()
    except ServerError as error:
        pytest.fail(str(error), pytrace=False)
    config.stash[SERVING].append(server)
    return server


@pytest.fixture(scope="session")
def kafka(pytestconfig: pytest.Config) -> Kafka:
    """One broker: `.bootstrap`, `.url`, `.stop()`, `.kill()`, `.start()`, `.pause()`, `.resume()`."""
    server: Kafka = _serve(pytestconfig, pytestconfig.stash[RUN].kafka)
    return server


@pytest.fixture(scope="session")
def kafka_cluster(pytestconfig: pytest.Config) -> KafkaCluster:
    """Three brokers: `.bootstrap`, `.url`, `.brokers`, each with the verbs of `kafka`."""
    servers: KafkaCluster = _serve(pytestconfig, pytestconfig.stash[RUN].cluster)
    return servers


@pytest.fixture(scope="session")
def postgres(pytestconfig: pytest.Config) -> Postgres:
    """A server: `.url(name)` makes a fresh database; `.stop()`, `.kill()`, `.start()`, `.pause()`..."""
    server: Postgres = _serve(pytestconfig, pytestconfig.stash[RUN].postgres)
    return server
