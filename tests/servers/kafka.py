"""A real Apache Kafka for the tests: one broker, or three, in KRaft mode on the loopback interface.

The jars come by Maven (pom.xml beside this file) into var/kafka/, once a machine. A broker's folder holds its
properties, its data, its log (`server.log`) and its pid: see process.py.
"""

import base64
import hashlib
import os
import shutil
import signal
import subprocess
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import psutil

from tests.servers import need
from tests.servers.process import (
    LOOPBACK,
    PidFile,
    ServerError,
    kept_port,
    locked,
    signal_all,
    spawn,
    tail,
    wait_gone,
    wait_until,
)

HERE = Path(__file__).parent
CACHE = HERE.parents[1] / "var" / "kafka"

START_WITHIN_S = 90.0
STOP_WITHIN_S = 30.0
_STARTED = "Kafka Server started"


def jars() -> Path:
    """The folder of Kafka's jars, fetched by Maven once. Raises ServerError naming what is missing."""
    if lacks := need.missing():
        raise ServerError(need.refusal(lacks))
    pom = HERE / "pom.xml"
    folder = CACHE / hashlib.sha256(pom.read_bytes()).hexdigest()[:12]
    with locked(CACHE / "lock"):
        if not folder.exists():
            fetched = folder.with_name(f"{folder.name}.part")
            shutil.rmtree(fetched, ignore_errors=True)
            goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={fetched}"]
            command = ["mvn", "--quiet", "--batch-mode", "--file", str(pom), *goal]
            done = subprocess.run(
                command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
            )
            if done.returncode != 0:
                raise ServerError(f"Maven could not fetch Kafka:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
            fetched.rename(folder)
    return folder


def _java(main: str, *arguments: str) -> list[str]:
    options = [
        "-Xms128m",
        "-Xmx640m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",  # it lives for minutes: compiling it well takes more than it gives back
        f"-Dlog4j2.configurationFile={HERE / 'log4j2.xml'}",
    ]
    return ["java", *options, "-cp", f"{jars()}/*", main, *arguments]


class Route(NamedTuple):
    """A way into a broker for clients behind something: it listens on `port`, and tells those who come there
    to come again through `via`, on which nothing of the broker listens."""

    port: int
    via: int


class Kafka:
    """One broker. Any process that makes a Kafka of the same folder speaks of the same broker."""

    def __init__(
        self, folder: Path, *, node_id: int = 1, voters: str = "", copies: int = 1, routes: Sequence[str] = ()
    ) -> None:
        """Starts nothing yet. `voters` is the quorum of a cluster (empty: this broker alone), `copies` the
        replication factor of Kafka's own topics; `routes`: names of further ways in, see `route`."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.node_id = node_id
        self.port = kept_port(folder / "port")
        self._controller_port = kept_port(folder / "controller-port")
        self._voters = voters or f"{node_id}@{LOOPBACK}:{self._controller_port}"
        self._copies = copies
        self._pid = PidFile(folder / "pid")
        self.log = folder / "server.log"
        self.routes = {
            name: Route(kept_port(folder / f"route-{name}-port"), kept_port(folder / f"route-{name}-via"))
            for name in routes
        }

    @property
    def bootstrap(self) -> str:
        """host:port, as clients ask for it."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def url(self) -> str:
        """kafka://host:port"""
        return f"kafka://{self.bootstrap}"

    @property
    def process(self) -> psutil.Process | None:
        """Its process, paused or not; None if there is none."""
        return self._pid.read()

    @property
    def running(self) -> bool:
        """Its process is there, paused or not."""
        return self.process is not None

    def format(self, cluster_id: str) -> None:
        """Writes the properties and makes the data folder, once; later calls do nothing."""
        if (self.folder / "data" / "meta.properties").exists():
            return
        self._properties().write_text(self._settings())
        command = _java("kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", str(self._properties()))
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise ServerError(
                f"Kafka's storage could not be formatted:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
            )

    def start(self) -> None:
        """Returns when the broker serves. Nothing happens if it runs. Raises ServerError with its log."""
        self.launch()
        self.await_started()

    def launch(self) -> None:
        """Starts the process and does not wait for it; await_started does."""
        if self.running:
            return
        self.format(cluster_id())
        self.log.touch()
        (self.folder / "started-at").write_text(str(self.log.stat().st_size))
        command = _java("kafka.Kafka", str(self._properties()))
        self._pid.write(spawn(command, self.log, os.environ))

    def await_started(self) -> None:
        """Returns when the broker launched last serves. Raises ServerError with the end of its log."""
        begin = int((self.folder / "started-at").read_text())

        def ready_or_dead() -> bool:
            return _STARTED in self.log.read_bytes()[begin:].decode(errors="replace") or not self.running

        wait_until(
            ready_or_dead, within_s=START_WITHIN_S, otherwise=lambda: f"Kafka is late:\n{tail(self.log)}"
        )
        if not self.running:
            raise ServerError(f"Kafka ended while starting:\n{tail(self.log)}")

    def stop(self) -> None:
        """An orderly stop, as on SIGTERM; a broker that takes too long is killed."""
        if (process := self._pid.read()) is None:
            return
        signal_all([process], signal.SIGCONT)
        signal_all([process], signal.SIGTERM)
        try:
            wait_gone([process], within_s=STOP_WITHIN_S)
        except ServerError:
            self.kill()

    def kill(self) -> None:
        """kill -9. What the broker acknowledged is in its files."""
        if (process := self._pid.read()) is not None:
            signal_all([process], signal.SIGKILL)
            wait_gone([process], within_s=STOP_WITHIN_S)

    def pause(self) -> None:
        """The process stands still: connections stay open and nothing is answered."""
        if (process := self._pid.read()) is not None:
            signal_all([process], signal.SIGSTOP)

    def resume(self) -> None:
        """After pause, the process goes on."""
        if (process := self._pid.read()) is not None:
            signal_all([process], signal.SIGCONT)

    def heal(self) -> None:
        """Whatever was done to it, it serves again."""
        self.resume()
        self.start()

    def _properties(self) -> Path:
        return self.folder / "server.properties"

    def _settings(self) -> str:
        own = f"PLAINTEXT://{self.bootstrap}"
        listening = [f"{name}://{LOOPBACK}:{route.port}" for name, route in self.routes.items()]
        told = [f"{name}://{LOOPBACK}:{route.via}" for name, route in self.routes.items()]
        settings: dict[str, object] = {
            "process.roles": "broker,controller",
            "node.id": self.node_id,
            "controller.quorum.voters": self._voters,
            "controller.listener.names": "CONTROLLER",
            "listeners": ",".join([own, *listening, f"CONTROLLER://{LOOPBACK}:{self._controller_port}"]),
            "advertised.listeners": ",".join([own, *told]),
            "inter.broker.listener.name": "PLAINTEXT",
            "listener.security.protocol.map": ",".join(
                f"{name}:PLAINTEXT" for name in ("PLAINTEXT", "CONTROLLER", *self.routes)
            ),
            "log.dirs": self.folder / "data",
            "auto.create.topics.enable": "false",
            "default.replication.factor": self._copies,
            "min.insync.replicas": max(1, self._copies - 1),
            "offsets.topic.replication.factor": self._copies,
            "offsets.topic.num.partitions": 4,
            "transaction.state.log.replication.factor": self._copies,
            "transaction.state.log.min.isr": max(1, self._copies - 1),
            "transaction.state.log.num.partitions": 4,
            "share.coordinator.state.topic.replication.factor": self._copies,
            "share.coordinator.state.topic.min.isr": 1,
            "group.initial.rebalance.delay.ms": 0,
            "log.retention.check.interval.ms": 10_000,
            # A broker that was killed is taken back when its old session has ended.
            "broker.session.timeout.ms": 3000,
            "broker.heartbeat.interval.ms": 500,
            "num.network.threads": 2,
            **{f"listener.name.{name.lower()}.num.network.threads": 1 for name in self.routes},
            "num.io.threads": 4,
        }
        return "".join(f"{key}={value}\n" for key, value in settings.items())


class KafkaCluster:
    """Three brokers, each also a controller; replication 3, min.insync.replicas 2."""

    def __init__(self, folder: Path, size: int = 3) -> None:
        """Starts nothing yet."""
        folders = [folder / f"broker-{node}" for node in range(1, size + 1)]
        for each in folders:
            each.mkdir(parents=True, exist_ok=True)
        ports = [kept_port(each / "controller-port") for each in folders]
        voters = ",".join(f"{node}@{LOOPBACK}:{port}" for node, port in enumerate(ports, 1))
        self.brokers = [
            Kafka(each, node_id=node, voters=voters, copies=size) for node, each in enumerate(folders, 1)
        ]

    @property
    def bootstrap(self) -> str:
        """Every broker's host:port, with commas between."""
        return ",".join(broker.bootstrap for broker in self.brokers)

    @property
    def url(self) -> str:
        """kafka://host:port,host:port,host:port"""
        return f"kafka://{self.bootstrap}"

    @property
    def running(self) -> bool:
        """All of them run."""
        return all(broker.running for broker in self.brokers)

    def start(self) -> None:
        """Returns when all serve."""
        with ThreadPoolExecutor(len(self.brokers)) as pool:
            list(pool.map(Kafka.launch, self.brokers))
            list(pool.map(Kafka.await_started, self.brokers))

    def heal(self) -> None:
        """Whatever was done to any of them, all serve again."""
        for broker in self.brokers:
            broker.resume()
        self.start()


def cluster_id() -> str:
    """The one id of every cluster made for tests, as Kafka writes ids."""
    return (
        base64.urlsafe_b64encode(uuid.uuid5(uuid.NAMESPACE_DNS, "tests.tongban").bytes).decode().rstrip("=")
    )
