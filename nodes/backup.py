"""A node's backup: its database and its materials, in a folder or in one tar file, and both put back.

Knows the manifest, what lies where, and that nothing is written before every digest was found right. Must not
know SQL (`store.archive`), nor what a material is. In a folder each backup has a folder of its own, and all
share the materials: they are named by their digest, and one that is there is not copied again.

    FOLDER/20261123T113000Z/manifest.json tables/NAME.jsonl.gz materials.txt       FOLDER/materials/ab/abcd…
    FILE.tar: the same without the outermost folder; the manifest comes last
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from nodes.store.archive import Dump, TableFile, dump, expect_room, load

FORMAT: Final = 1
MANIFEST, LISTED, MATERIALS = "manifest.json", "materials.txt", "materials"


class BackupError(Exception):
    """A backup that will not do. `code`: NO_BACKUP, BAD_BACKUP, OTHER_REGION or NEWER_FORMAT."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds. `listed_sha256`: of the list of materials, one digest a line."""

    region: str
    program: str
    dump: Dump
    materials: int
    listed_sha256: str

    @property
    def rows(self) -> int:
        """Of all tables."""
        return sum(table.rows for table in self.dump.tables)

    def data(self) -> dict[str, Any]:
        """As JSON."""
        return {"format": FORMAT, **asdict(self)}

    @classmethod
    def read(cls, text: bytes) -> Manifest:
        """The inverse. Raises BackupError."""
        try:
            said = json.loads(text)
            if said.pop("format") != FORMAT:
                raise BackupError("NEWER_FORMAT", "manifest.json: a format of another release")
            inner = said.pop("dump")
            tables = tuple(
                TableFile(**{**table, "columns": tuple(table["columns"])}) for table in inner.pop("tables")
            )
            if not all(table.name.isidentifier() for table in tables):
                raise BackupError("BAD_BACKUP", "manifest.json: a table's name is none")
            return cls(dump=Dump(tables=tables, **inner), **said)
        except (ValueError, TypeError, KeyError, AttributeError):
            raise BackupError("BAD_BACKUP", "manifest.json: cannot be read") from None


@dataclass(frozen=True, slots=True)
class Source:
    """A backup that can be read. `opened`: gives a file by its name; `name`: what it is called."""

    name: str
    opened: Callable[[str], BinaryIO]
    manifest: Manifest


async def back_up(url: str, materials: Path, to: Path, *, region: str, program: str) -> tuple[Path, Manifest]:
    """Writes a backup and gives where it lies, and what it holds. The node may run meanwhile.

    `to`: a folder, or a file whose name ends in .tar. `region`: of a database whose node has never started.
    Raises StoreError, BackupError for a database of another region, OSError.
    """
    beside = to.parent if to.suffix == ".tar" else to
    beside.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=beside) as name:
        work = Path(name)
        (work / "tables").mkdir()
        found = await dump(url, work / "tables")
        if region and found.region and found.region != region:
            raise BackupError("OTHER_REGION", f"the database is that of region {found.region}")
        kept = sorted(_kept(materials))  # after the rows: whatever they name is there by now
        listed = "".join(f"{path.name}\n" for path in kept).encode()
        (work / LISTED).write_bytes(listed)
        digest = hashlib.sha256(listed).hexdigest()
        manifest = Manifest(found.region or region, program, found, len(kept), digest)
        said = json.dumps(manifest.data(), ensure_ascii=False, indent=1).encode()
        if to.suffix == ".tar":
            return _as_tar(work, kept, said, to), manifest
        return _as_folder(work, kept, said, to), manifest


def _as_tar(work: Path, kept: Sequence[Path], said: bytes, to: Path) -> Path:
    fresh = work / "fresh.tar"
    with tarfile.open(fresh, "w") as tar:
        for path in sorted((work / "tables").iterdir()):
            tar.add(path, f"tables/{path.name}")
            path.unlink()
        tar.add(work / LISTED, LISTED)
        for path in kept:
            tar.add(path, f"{MATERIALS}/{path.name[:2]}/{path.name}")
        (work / MANIFEST).write_bytes(said)
        tar.add(work / MANIFEST, MANIFEST)
    _durable(fresh)
    fresh.replace(to)
    _durable(to.parent)
    return to


def _as_folder(work: Path, kept: Sequence[Path], said: bytes, to: Path) -> Path:
    for path in kept:
        target = to / MATERIALS / path.name[:2] / path.name
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            fresh = work / path.name
            shutil.copyfile(path, fresh)
            _durable(fresh)
            fresh.replace(target)
    stamp = datetime.fromtimestamp(time.time(), UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    target = to / stamp
    target.mkdir()
    (work / "tables").rename(target / "tables")
    (work / LISTED).rename(target / LISTED)
    (work / MANIFEST).write_bytes(said)
    for path in (*(target / "tables").iterdir(), target / LISTED, work / MANIFEST):
        _durable(path)
    (work / MANIFEST).rename(target / MANIFEST)  # last: without it there is no backup
    _durable(target)
    _durable(to)
    return target


@contextmanager
def opened(place: Path) -> Iterator[Source]:
    """A backup: a tar file, the folder of one backup, or the newest of a folder of several.

    Raises BackupError when there is none, or its manifest cannot be read.
    """
    with ExitStack() as stack:
        if place.is_file():
            try:
                tar = stack.enter_context(tarfile.open(place, "r:"))
            except tarfile.TarError:
                raise BackupError("BAD_BACKUP", f"{place.name} is no tar file") from None

            def member(name: str) -> BinaryIO:
                try:
                    found = tar.extractfile(name)
                except (KeyError, tarfile.TarError):
                    found = None
                if found is None:
                    raise BackupError("BAD_BACKUP", f"{name} is missing")
                return cast("BinaryIO", found)

            yield Source(str(place), member, _manifest(member))
            return
        folder = place
        if not (place / MANIFEST).is_file():
            stamped = sorted(path.parent for path in place.glob(f"[0-9]*/{MANIFEST}"))
            if not stamped:
                raise BackupError("NO_BACKUP", f"no backup lies at {place}")
            folder = stamped[-1]

        def lying(name: str) -> BinaryIO:
            at = folder.parent / name if name.startswith(f"{MATERIALS}/") else folder / name
            try:
                return at.open("rb")
            except OSError:
                raise BackupError("BAD_BACKUP", f"{name} is missing") from None

        yield Source(str(folder), lying, _manifest(lying))


async def put_back(
    source: Source, url: str, materials: Path, *, region: str, replace: bool
) -> tuple[int, int]:
    """Puts a backup back: the incarnation under which the node goes on, and how many materials were missing.

    Nothing is written before all of it was read and found whole. `region`: whose backup it must be;
    `replace`: what is in the database may go. No node may run on it meanwhile. Raises BackupError, and what
    `expect_room` and `load` of the archive raise; OSError.
    """
    manifest = source.manifest
    if manifest.region != region:
        raise BackupError("OTHER_REGION", f"the backup is that of region {manifest.region}")
    await expect_room(url, manifest.dump, replace=replace)
    for table in manifest.dump.tables:
        name = f"tables/{table.name}.jsonl.gz"
        _check(source, name, table.sha256)
    _check(source, LISTED, manifest.listed_sha256)
    with source.opened(LISTED) as file:
        digests = file.read().decode().split()
    for digest in digests:
        _check(source, f"{MATERIALS}/{digest[:2]}/{digest}", digest)
    missing = 0
    for digest in digests:
        target = materials / digest[:2] / digest
        if not target.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            fresh = materials / f".restored-{digest}"
            with source.opened(f"{MATERIALS}/{digest[:2]}/{digest}") as there, fresh.open("wb") as here:
                shutil.copyfileobj(there, here)
            _durable(fresh)
            fresh.replace(target)
            missing += 1

    def table_of(table: TableFile) -> BinaryIO:
        return source.opened(f"tables/{table.name}.jsonl.gz")

    return await load(url, manifest.dump, table_of), missing


def _kept(materials: Path) -> Iterator[Path]:
    """Whole files by their digest; what is only begun is fetched again."""
    for folder in materials.glob("[0-9a-f][0-9a-f]"):
        yield from (path for path in folder.iterdir() if len(path.name) == 64)


def _check(source: Source, name: str, sha256: str) -> None:
    with source.opened(name) as file:
        found = hashlib.sha256()
        while piece := file.read(1 << 20):
            found.update(piece)
    if found.hexdigest() != sha256:
        raise BackupError("BAD_BACKUP", f"{name} is not what the manifest says")


def _manifest(read: Callable[[str], BinaryIO]) -> Manifest:
    with read(MANIFEST) as file:
        return Manifest.read(file.read(64 << 20))


def _durable(path: Path) -> None:
    """The disk has it."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
