"""The committed Python of proto/ is exactly what the pinned generators make of the .proto files."""

import filecmp
import os
import subprocess
import sys
from pathlib import Path

from tests.house.project import ROOT

PROTO = ROOT / "proto"


def protoc(*arguments: str) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [sys.executable, "-m", "grpc_tools.protoc", "-I.", *arguments],
        cwd=PROTO,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_regenerating_gives_no_difference(tmp_path: Path) -> None:
    sources = sorted(str(path.relative_to(PROTO)) for path in (PROTO / "tongban/v1").glob("*.proto"))
    services = [name for name in sources if name.endswith("_service.proto")]
    protoc(f"--python_out={tmp_path}", f"--mypy_out=quiet:{tmp_path}", *sources)
    protoc(f"--grpc_python_out={tmp_path}", f"--mypy_grpc_out=quiet:{tmp_path}", *services)

    made = {path.name for path in (tmp_path / "tongban/v1").iterdir()}
    kept = {path.name for path in (PROTO / "tongban/v1").glob("*_pb2*.py*")}
    assert made == kept, "make proto"
    _, different, unreadable = filecmp.cmpfiles(
        tmp_path / "tongban/v1", PROTO / "tongban/v1", sorted(made), shallow=False
    )
    assert not different, f"make proto: {different}"
    assert not unreadable
