"""One set of servers for a whole test run, however many workers it has, and its end.

The run's folder is var/servers/<name>. Whoever needs a server first starts it, under the folder's lock; the
others find it running. The process that owns the run stops everything; what an owner left behind when it was
killed is swept away by the next run.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

import psutil

from tests.servers.kafka import Kafka, KafkaCluster
from tests.servers.postgres import Postgres
from tests.servers.process import PidFile, locked

ROOT = Path(__file__).parents[2] / "var" / "servers"
LOGS = ROOT / "logs"
BY_HAND = ROOT / "by-hand"


class Run:
    """The servers of one run, by folder."""

    def __init__(self, folder: Path) -> None:
        """Starts nothing."""
        self.folder = folder

    def own(self) -> None:
        """The calling process is the one that will end this run."""
        self.folder.mkdir(parents=True, exist_ok=True)
        PidFile(self.folder / "owner").write(psutil.Process())

    def kafka(self, routes: Sequence[str] = ()) -> Kafka:
        """The one broker, serving; `routes` as it was first asked for."""
        with locked(self.folder / "kafka.lock"):
            server = Kafka(self.folder / "kafka", routes=routes)
            server.start()
        return server

    def cluster(self) -> KafkaCluster:
        """The three brokers, all serving."""
        with locked(self.folder / "cluster.lock"):
            servers = KafkaCluster(self.folder / "cluster")
            servers.start()
        return servers

    def postgres(self) -> Postgres:
        """The PostgreSQL server, serving."""
        with locked(self.folder / "postgres.lock"):
            server = Postgres(self.folder / "postgres")
            server.start()
        return server

    def stop(self, *, gently: bool = False) -> None:
        """Ends every server that was started here: killed, or stopped in good order."""
        for server in self._started():
            if gently:
                server.stop()
            else:
                server.kill()

    def _started(self) -> list[Kafka | Postgres]:
        servers: list[Kafka | Postgres] = []
        if (self.folder / "kafka").exists():
            servers.append(Kafka(self.folder / "kafka"))
        if (self.folder / "cluster").exists():
            servers += KafkaCluster(self.folder / "cluster").brokers
        if (self.folder / "postgres").exists():
            servers.append(Postgres(self.folder / "postgres"))
        return servers

    def end(self, *, keep_logs: bool) -> Path | None:
        """Stops everything and removes the folder; returns where the logs are kept, if asked for and any."""
        self.stop()
        kept = None
        logs = sorted(self.folder.rglob("server.log"))
        if keep_logs and logs:
            kept = LOGS / self.folder.name
            for log in logs:
                target = kept / log.relative_to(self.folder)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(log, target)
        shutil.rmtree(self.folder, ignore_errors=True)
        return kept


def sweep() -> None:
    """Ends the runs whose owner is gone."""
    for owner in ROOT.glob("*/owner"):
        if PidFile(owner).read() is None:
            Run(owner.parent).end(keep_logs=False)
