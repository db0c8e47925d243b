"""Small disks in memory that a fault can fill. Needs the right to mount; knows nothing of what lies there."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

NAME: Final = "tongban-fault-"
SPARE: Final = 1 << 20
LARGEST: Final = 1 << 30
"""What is larger than this is nobody's small disk, and is not filled."""


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
    """The small disk of that folder has no room. Raises RuntimeError when it is no small disk."""
    space, filler = os.statvfs(folder), folder / "filler"
    if space.f_blocks * space.f_frsize > LARGEST:
        raise RuntimeError(f"{folder} is not on a small disk of its own")
    try:
        with filler.open("wb") as file:
            try:
                while True:
                    file.write(b"\0" * SPARE)
                    file.flush()
            except OSError:
                pass
        yield
    finally:
        filler.unlink()


def may_mount() -> bool:
    """Whether this process may make small disks."""
    return os.geteuid() == 0 and subprocess.run(["unshare", "-m", "true"], check=False).returncode == 0


def sweep() -> None:
    """Takes away the disks of runs that were killed."""
    for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines():
        source, place, *_ = line.split()
        if source.startswith(NAME) and not Path(f"/proc/{source.removeprefix(NAME)}").exists():
            subprocess.run(["umount", "-l", place], check=False)
