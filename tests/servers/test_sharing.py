"""However many workers a run has, the tests that use servers share one set of them, in one worker."""

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.servers import need
from tests.servers.process import PidFile, ServerError, free_port, kept_port, wait_until
from tests.servers.shared import Run, sweep

ROOT = Path(__file__).parents[2]


def test_marked_tests_all_go_to_one_worker(tmp_path: Path) -> None:
    (tmp_path / "test_inner.py").write_text(
        "import os, pathlib, pytest\n"
        "@pytest.mark.postgres\n"
        "@pytest.mark.parametrize('n', range(8))\n"
        "def test_marked(n):\n"
        "    file = pathlib.Path(__file__).with_name(f'marked.{n}')\n"
        "    file.write_text(os.environ['PYTEST_XDIST_WORKER'])\n"
        "@pytest.mark.parametrize('n', range(8))\n"
        "def test_free(n): pass\n"
    )
    options = [
        "-q",
        "-n",
        "2",
        "--dist",
        "loadgroup",
        "-p",
        "no:cacheprovider",
        "-p",
        "tests.servers.fixtures",
    ]
    own = ["-c", str(ROOT / "pyproject.toml"), "--rootdir", str(tmp_path), str(tmp_path)]
    command = [sys.executable, "-m", "pytest", *options, *own]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    workers = {file.read_text() for file in tmp_path.glob("marked.*")}
    assert len(workers) == 1


def test_a_run_whose_owner_is_gone_is_swept_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.servers.shared.ROOT", tmp_path)
    living, dead = Run(tmp_path / "living"), Run(tmp_path / "dead")
    living.own()
    dead.own()
    ended = subprocess.Popen(["true"])
    (dead.folder / "owner").write_text(f"{ended.pid} {psutil.Process().create_time()}")
    ended.wait()
    sweep()
    assert living.folder.exists()
    assert not dead.folder.exists()


def test_a_pid_that_another_process_has_now_is_not_taken_for_the_server(tmp_path: Path) -> None:
    file = PidFile(tmp_path / "pid")
    assert file.read() is None
    me = psutil.Process()
    file.write(me)
    assert file.read() == me
    (tmp_path / "pid").write_text(f"{me.pid} {me.create_time() - 3600}")
    assert file.read() is None


def test_a_server_keeps_its_port(tmp_path: Path) -> None:
    assert kept_port(tmp_path / "port") == kept_port(tmp_path / "port")
    assert 20_000 <= free_port() < 30_000


def test_waiting_ends_with_the_reason_when_the_time_is_up() -> None:
    with pytest.raises(ServerError, match="too late"):
        wait_until(lambda: False, within_s=0.05, otherwise=lambda: "too late")


def test_what_is_missing_is_named_in_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert need.missing() == ["a JDK 17+", "Maven"]
    said = need.refusal(need.missing())
    assert "\n" not in said
    assert "default-jdk-headless maven" in said


def test_an_old_java_counts_as_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    java = tmp_path / "java"
    java.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\" 2019-01-15' >&2\n")
    java.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    assert need.java_version() == 11
    assert "a JDK 17+" in need.missing()
