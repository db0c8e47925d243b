"""Small disks in memory that a fault can fill. Needs the right to mount; knows nothing of what lies there."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

NAME: Final = "tongban-fault-"
SPARE: Final = 1 << 20
TRIES: Final = 5


@contextmanager
def disk(folder: Path, megabytes: int) -> Iterator[None]:
    """A disk of its own at that folder, for as long as it is needed. Raises PermissionError."""
    sweep()
    folder.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", f"{NAME}{os.getpid()}", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PermissionError(f"a full disk needs the right to mount a small one: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


@contextmanager
def full(folder: Path) -> Iterator[None]:
    """The small disk of that folder has no room: it is made as small as what lies there, and the rest is
    filled. Raises RuntimeError when it is no small disk.
    """
    size, filler = _size(folder), folder / "filler"
    _shrink(folder)
    try:
        with suppress(OSError), filler.open("wb") as file:  # without room already, there is not even a filler
            while True:
                file.write(b"\0" * SPARE)
                file.flush()
        yield
    finally:
        filler.unlink(missing_ok=True)
        _resize(folder, size)


def _size(folder: Path) -> int:
    """Bytes of the small disk that is mounted there."""
    for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines():
        source, place, *_ = line.split()
        if source.startswith(NAME) and place == str(folder.resolve()):
            space = os.statvfs(folder)
            return space.f_blocks * space.f_frsize
    raise RuntimeError(f"{folder} is not on a small disk of its own")


def _shrink(folder: Path) -> None:
    """To little more than what lies there, which may grow meanwhile."""
    for _ in range(TRIES):
        space = os.statvfs(folder)
        used = (space.f_blocks - space.f_bfree) * space.f_frsize
        if _resize(folder, used + SPARE):
            return
    raise RuntimeError(f"{folder} cannot be made smaller")


def _resize(folder: Path, size: int) -> bool:
    remount = ["mount", "-o", f"remount,size={size}", str(folder)]
    return subprocess.run(remount, capture_output=True, check=False).returncode == 0


def may_mount() -> bool:
    """Whether this process may make small disks."""
    return os.geteuid() == 0 and subprocess.run(["unshare", "-m", "true"], check=False).returncode == 0


def sweep() -> None:
    """Takes away the disks of runs that were killed."""
    for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines():
        source, place, *_ = line.split()
        if source.startswith(NAME) and not Path(f"/proc/{source.removeprefix(NAME)}").exists():
            subprocess.run(["umount", "-l", place], check=False)
