"""A server's process: started apart from its starter, found again by any process, stopped, killed, paused.

A server lives in a folder of its own. Its pid stands in the file `pid` there, so that test workers share a
server by sharing the folder. Knows processes, ports and files; knows neither Kafka nor PostgreSQL.
"""

import fcntl
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

LOOPBACK = "127.0.0.1"

_PORTS = range(20_000, 30_000)
"""Below the ephemeral range: there, a client that keeps calling a dead server's port ends up connected to
itself, and then the port is taken when the server comes back."""

_POLL_S = 0.02

_SAME_START_S = 10.0
"""A start time is told from the machine's boot time, which moves when its clock is set."""


class ServerError(Exception):
    """A server did not start or stop. The message holds the reason and the end of its log."""


def free_port() -> int:
    """A port of the loopback interface on which nothing listens now."""
    for port in random.sample(_PORTS, len(_PORTS)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                probe.bind((LOOPBACK, port))
                return port
    raise ServerError("no free port on the loopback interface")


def kept_port(file: Path) -> int:
    """The port written in `file`; a free one is chosen and written there the first time."""
    if not file.exists():
        file.write_text(str(free_port()))
    return int(file.read_text())


def wait_until(holds: Callable[[], bool], *, within_s: float, otherwise: Callable[[], str]) -> None:
    """Returns as soon as `holds()`; raises ServerError with `otherwise()` when the time is up."""
    deadline = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > deadline:
            raise ServerError(otherwise())
        time.sleep(_POLL_S)


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Holds the lock file against every other process; it is let go when its holder dies."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def tail(log: Path, lines: int = 25) -> str:
    """The last lines of a log; empty if there is none."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.exists() else ""


def spawn(command: Sequence[str], log: Path, environment: Mapping[str, str]) -> psutil.Process:
    """Starts a process in a session of its own, its output added to `log`. It is nobody's child: it outlives
    the starter, and leaves no zombie to it."""
    started = subprocess.run(
        ["sh", "-c", 'setsid "$@" >>"$LOG" 2>&1 </dev/null & echo $!', "sh", *command],
        env={**environment, "LOG": str(log)},
        capture_output=True,
        text=True,
        check=True,
    )
    return psutil.Process(int(started.stdout))


def alive(process: psutil.Process | None) -> bool:
    """It runs, or is paused; a dead process that nobody has reaped is not alive."""
    if process is None:
        return False
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def family(process: psutil.Process) -> list[psutil.Process]:
    """The process and all its descendants, those that died meanwhile left out."""
    with suppress(psutil.NoSuchProcess):
        return [process, *process.children(recursive=True)]
    return []


def signal_all(processes: Sequence[psutil.Process], number: int) -> None:
    """Sends a signal to each that is still there. Of SIGSTOP, returns when all threads stand still: one that
    is on another processor goes on for a moment, long enough to answer.
    """
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)
    if number == signal.SIGSTOP:
        wait_until(
            lambda: all(_stands_still(process.pid) for process in processes),
            within_s=10.0,
            otherwise=lambda: "a process was stopped and goes on",
        )


def _stands_still(pid: int) -> bool:
    for stat in Path(f"/proc/{pid}/task").glob("*/stat"):
        with suppress(OSError):
            state = stat.read_text().rpartition(")")[2].split()[0]
            if state not in "TtZX":
                return False
    return True


def wait_gone(processes: Sequence[psutil.Process], *, within_s: float) -> None:
    """Returns when all have ended; raises ServerError naming those that have not."""
    wait_until(
        lambda: not any(alive(process) for process in processes),
        within_s=within_s,
        otherwise=lambda: f"still running: {[process for process in processes if alive(process)]}",
    )


class PidFile:
    """The process whose pid and start time stand in a file; None once it has ended."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def write(self, process: psutil.Process) -> None:
        self._file.write_text(f"{process.pid} {process.create_time()}")

    def read(self) -> psutil.Process | None:
        with suppress(FileNotFoundError, psutil.NoSuchProcess, ValueError):
            pid, created = self._file.read_text().split()
            process = psutil.Process(int(pid))
            if abs(process.create_time() - float(created)) < _SAME_START_S and alive(process):
                return process
        return None
