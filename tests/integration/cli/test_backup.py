"""`tongban backup` and `tongban restore`, on files and on a real PostgreSQL, between the two."""

import asyncio
import hashlib
import json
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from nodes.cases.case import State
from nodes.store import SchemaMismatch, Store, current, migrate
from nodes.store.migrate import head
from nodes.store.restored import restored_at
from tests.integration.cli.conftest import Run
from tests.integration.desk.federation import federation, filing
from tests.servers.postgres import Postgres

PAPER = b"%PDF-1.7 a paper"
DIGEST = hashlib.sha256(PAPER).hexdigest()


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What two nodes leave behind: a case that was settled, and a material."""
    folder = tmp_path_factory.mktemp("lived")

    async def live() -> None:
        async with federation(folder, "31", "32") as (competent, origin):
            number = await origin.filed(filing())
            await competent.until(number, lambda c: not c.awaiting_receipt)
            await competent.settle(number)
            await origin.until(number, lambda c: c.state is State.CLOSED)

    asyncio.run(live())
    paper = folder / "31" / DIGEST[:2] / DIGEST
    paper.parent.mkdir(parents=True)
    paper.write_bytes(PAPER)
    return folder


def of(folder: Path, region: str = "31") -> tuple[str, ...]:
    """The flags that name what a region has in that folder."""
    url = f"sqlite:///{folder}/{region}.db"
    return ("--region", region, "--database-url", url, "--materials-dir", str(folder / region))


def contents(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of a database, but for what a restoration changes."""
    with closing(sqlite3.connect(path)) as link:
        names = [n for (n,) in link.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            name: sorted(link.execute(f'SELECT * FROM "{name}"'), key=repr)  # a name of ours
            for name in names
            if not name.startswith("sqlite_") and name not in ("node_meta", "serial", "lease")
        }


def failed(result: Any) -> str:
    code: str = json.loads(result.stderr)["error"]["code"]
    return code


@pytest.mark.parametrize("place", ["folder", "one.tar"])
def test_what_was_backed_up_is_put_back_row_by_row(run: Run, lived: Path, tmp_path: Path, place: str) -> None:
    made = run("backup", "--to", str(tmp_path / place), *of(lived), "--json")
    assert made.exit_code == 0, made.output
    said = json.loads(made.stdout)
    assert (said["region"], said["materials"], said["dump"]["revision"]) == ("31", 1, head())
    back = run("restore", "--from", str(tmp_path / place), *of(tmp_path / "new"), "--json")
    assert back.exit_code == 0, back.output
    told = json.loads(back.stdout)
    assert (told["incarnation"], told["materials_missing"]) == (2, 1)
    assert contents(tmp_path / "new" / "31.db") == contents(lived / "31.db")
    assert (tmp_path / "new" / "31" / DIGEST[:2] / DIGEST).read_bytes() == PAPER
    assert asyncio.run(noted(f"sqlite:///{tmp_path}/new/31.db")) is not None


async def noted(url: str) -> float | None:
    store = await Store.open(url)
    try:
        async with store.read() as unit:
            return await restored_at(unit)
    finally:
        await store.close()


def test_a_folder_takes_several_and_copies_a_material_once(run: Run, lived: Path, tmp_path: Path) -> None:
    for _ in range(2):
        assert run("backup", "--to", str(tmp_path / "all"), *of(lived)).exit_code == 0
    kept = tmp_path / "all" / "materials" / DIGEST[:2] / DIGEST
    assert kept.read_bytes() == PAPER
    backups = sorted(path.parent for path in (tmp_path / "all").glob("*/manifest.json"))
    assert len(backups) == 2
    newest = run("restore", "--from", str(tmp_path / "all"), *of(tmp_path), "--json")
    assert json.loads(newest.stdout)["source"] == str(backups[1])
    shown = run("restore", "--from", str(backups[0]), *of(tmp_path), "--replace", columns=200)
    assert "next incarnation: 3" in shown.stdout  # never one that the database has had


def test_between_the_two_databases(run: Run, lived: Path, postgres: Postgres, tmp_path: Path) -> None:
    there = ("--region", "31", "--database-url", postgres.url("backup"), "--materials-dir", str(tmp_path))
    assert run("backup", "--to", str(tmp_path / "a"), *of(lived)).exit_code == 0
    moved = run("restore", "--from", str(tmp_path / "a"), *there)
    assert moved.exit_code == 0, moved.output
    again = run("backup", "--to", str(tmp_path / "b.tar"), *there)
    assert again.exit_code == 0, again.output
    back = run("restore", "--from", str(tmp_path / "b.tar"), *of(tmp_path / "c"), "--json")
    assert json.loads(back.stdout)["incarnation"] == 3
    assert contents(tmp_path / "c" / "31.db") == contents(lived / "31.db")


def test_what_will_not_do_is_refused_before_anything_is_written(
    run: Run, lived: Path, tmp_path: Path
) -> None:
    place = tmp_path / "kept"
    assert run("backup", "--to", str(place), *of(lived)).exit_code == 0
    source, target = ("restore", "--from", str(place)), tmp_path / "target"
    assert run("restore", *of(target)).exit_code == 2
    assert run(*source, "--noted", *of(target)).exit_code == 2
    nothing = run("restore", "--from", str(tmp_path / "none"), *of(target), "--json")
    assert (nothing.exit_code, failed(nothing)) == (4, "NO_BACKUP")
    other = run(*source, *of(target, "32"), "--json")
    assert (other.exit_code, failed(other)) == (3, "OTHER_REGION")
    wrong = run("backup", "--to", str(tmp_path / "wrong"), *of(lived, "31")[2:], "--region", "32", "--json")
    assert (wrong.exit_code, failed(wrong)) == (3, "OTHER_REGION")
    (manifest,) = place.glob("*/manifest.json")
    whole = manifest.read_text()
    manifest.write_text(whole.replace(head(), "9999_later"))
    newer = run(*source, *of(target), "--json")
    assert (newer.exit_code, failed(newer)) == (3, "SCHEMA")
    manifest.write_text(whole.replace('"format": 1', '"format": 2'))
    assert failed(run(*source, *of(target), "--json")) == "NEWER_FORMAT"
    manifest.write_text(whole[:-5])
    assert failed(run(*source, *of(target), "--json")) == "BAD_BACKUP"
    manifest.write_text(whole)
    table = manifest.parent / "tables" / "case_event.jsonl.gz"
    for broken in (table, place / "materials" / DIGEST[:2] / DIGEST):
        kept = broken.read_bytes()
        broken.write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
        bad = run(*source, *of(target), "--json")
        assert (bad.exit_code, failed(bad)) == (9, "BAD_BACKUP")
        broken.unlink()
        assert failed(run(*source, *of(target), "--json")) == "BAD_BACKUP"
        broken.write_bytes(kept)
    assert not target.exists()
    assert run(*source, *of(target)).exit_code == 0
    full = run(*source, *of(target), "--json")
    assert (full.exit_code, failed(full)) == (3, "NOT_EMPTY")
    noise = tmp_path / "noise.tar"
    noise.write_bytes(b"no tar")
    assert failed(run("restore", "--from", str(noise), *of(target), "--json")) == "BAD_BACKUP"
    with tarfile.open(tmp_path / "hollow.tar", "w"):
        pass
    assert (
        failed(run("restore", "--from", str(tmp_path / "hollow.tar"), *of(target), "--json")) == "BAD_BACKUP"
    )


def test_a_restoration_that_was_broken_off_is_noticed(
    run: Run, lived: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("backup", "--to", str(tmp_path / "kept"), *of(lived)).exit_code == 0
    with monkeypatch.context() as patch:
        patch.setattr("nodes.store.archive._note", lambda *_: 1 / 0)
        assert run("restore", "--from", str(tmp_path / "kept"), *of(tmp_path)).exit_code == 1

    async def start() -> None:
        async with federation(tmp_path, "31"):
            pass

    with pytest.raises(SchemaMismatch, match="not wholly restored"):
        asyncio.run(start())
    assert run("restore", "--from", str(tmp_path / "kept"), *of(tmp_path)).exit_code == 0


def test_a_node_of_another_region_does_not_start_on_it(lived: Path, tmp_path: Path) -> None:
    (tmp_path / "33.db").write_bytes((lived / "31.db").read_bytes())

    async def start() -> None:
        async with federation(tmp_path, "33"):
            pass

    with pytest.raises(SchemaMismatch, match="region 31"):
        asyncio.run(start())


def test_put_back_by_other_means_is_noted(run: Run, tmp_path: Path) -> None:
    asyncio.run(migrate(f"sqlite:///{tmp_path}/31.db"))
    done = run("restore", "--noted", *of(tmp_path), "--json")
    assert (done.exit_code, json.loads(done.stdout)) == (0, {"incarnation": 2})
    away = run("restore", "--noted", "--region", "31", "--database-url", "postgresql://127.0.0.1:1/x",
               "--materials-dir", str(tmp_path))  # fmt: skip
    assert away.exit_code == 6
    assert asyncio.run(current(f"sqlite:///{tmp_path}/31.db")) == head()
