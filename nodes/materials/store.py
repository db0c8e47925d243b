"""The directory behind one small interface: put, read, resume.

A file appears under its digest whole or not at all: it is written beside, its digest checked, made durable,
renamed. What a broken download left lies in `partial/` and is continued. Must not know who uploads or why;
an object store may take this place later.

root/ab/abcd…64 hex   whole files          root/partial/abcd…   begun fetches          root/new/…   being
put
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import secrets
from collections.abc import AsyncIterable, AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, ParamSpec, TypeVar

from nodes.materials.errors import (
    BadDigest,
    DigestDiffers,
    NotStored,
    OffsetDiffers,
    SizeDiffers,
    StoreFails,
    TooLarge,
    TypeRefused,
)

P = ParamSpec("P")
T = TypeVar("T")

CHUNK_BYTES: Final = 256 * 1024
MEDIA_TYPES: Final = frozenset(
    {
        "application/pdf",
        "application/ofd",
        "application/xml",
        "application/json",
        "application/zip",
        "image/jpeg",
        "image/png",
        "image/tiff",
        "text/plain",
        "application/msword",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    }
)
"""Types that are taken; nothing here is ever run or rendered by a node."""
_DIGEST: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Announced:
    """What is about to be put: its SHA-256 in hex, its size in bytes, its media type."""

    sha256: str
    size: int
    media_type: str


class MaterialStore:
    """One node's materials. Safe for several tasks and processes on one directory."""

    def __init__(
        self,
        root: Path,
        *,
        max_bytes: int,
        media_types: frozenset[str] = MEDIA_TYPES,
        chunk_bytes: int = CHUNK_BYTES,
    ) -> None:
        self._root = root
        self.max_bytes = max_bytes
        self._media_types = media_types
        self._chunk_bytes = chunk_bytes

    def check(self, announced: Announced) -> None:
        """Raises BadDigest, TooLarge, TypeRefused, SizeDiffers (of nothing)."""
        self._path(announced.sha256)
        if announced.media_type not in self._media_types:
            raise TypeRefused
        if announced.size > self.max_bytes:
            raise TooLarge(self.max_bytes)
        if announced.size < 1:
            raise SizeDiffers(announced.size, 0)

    async def put(self, announced: Announced, chunks: AsyncIterable[bytes]) -> None:
        """Store what `chunks` gives, whole or not at all; does nothing more when it is there already.

        Raises what `check` raises, SizeDiffers, DigestDiffers, StoreFails. Reads no more than was announced.
        """
        self.check(announced)
        path, file = await _off(self._new)
        kept = False
        try:
            with file:
                digest, got = hashlib.sha256(), 0
                async for chunk in chunks:
                    got += len(chunk)
                    if got > announced.size:
                        raise SizeDiffers(announced.size, got)
                    await _off(_write, file, digest.update, chunk)
                if got != announced.size:
                    raise SizeDiffers(announced.size, got)
                if digest.hexdigest() != announced.sha256:
                    raise DigestDiffers
                await _off(self._keep_new, file, path, announced.sha256)
                kept = True
        finally:
            if not kept:
                with suppress(StoreFails):
                    await asyncio.shield(_off(path.unlink, missing_ok=True))

    async def has(self, sha256: str) -> bool:
        """Whether the whole file is here. Raises BadDigest."""
        return await _off(self._path(sha256).is_file)

    async def size(self, sha256: str) -> int:
        """In bytes. Raises BadDigest, NotStored."""
        try:
            return (await _off(self._path(sha256).stat)).st_size
        except FileNotFoundError:
            raise NotStored from None

    async def read(self, sha256: str, offset: int = 0) -> AsyncIterator[bytes]:
        """The content from `offset` on, in pieces. Raises BadDigest, NotStored, OffsetDiffers, StoreFails."""
        file, size, piece = await _off(self._begin_reading, sha256, offset)
        with file:
            while piece:
                offset += len(piece)
                yield piece
                piece = await _off(file.read, self._chunk_bytes) if offset < size else b""

    async def begun(self, sha256: str) -> int:
        """How many bytes of a fetch are here. Raises BadDigest."""
        try:
            return (await _off(self._partial(sha256).stat)).st_size
        except FileNotFoundError:
            return 0

    async def append(self, sha256: str, offset: int, piece: bytes) -> None:
        """Continue a fetch. Raises BadDigest, OffsetDiffers when it does not follow, TooLarge, StoreFails."""
        await _off(self._append, sha256, offset, piece)

    async def finish(self, sha256: str, size: int) -> None:
        """The fetch has all its `size` bytes: check and keep it. Raises SizeDiffers, DigestDiffers,
        StoreFails.

        What does not have the digest is thrown away, so that the next attempt begins anew.
        """
        await _off(self._finish, sha256, size)

    async def give_up(self, sha256: str) -> None:
        """Forget what a fetch has brought so far."""
        await _off(self._partial(sha256).unlink, missing_ok=True)

    def _path(self, sha256: str) -> Path:
        if _DIGEST.fullmatch(sha256) is None:
            raise BadDigest
        return self._root / sha256[:2] / sha256

    def _partial(self, sha256: str) -> Path:
        self._path(sha256)
        return self._root / "partial" / sha256

    def _begin_reading(self, sha256: str, offset: int) -> tuple[BinaryIO, int, bytes]:
        """The file behind its first piece, its size, that piece; all in one hop to a thread."""
        try:
            file = self._path(sha256).open("rb")
        except FileNotFoundError:
            raise NotStored from None
        try:
            size = os.fstat(file.fileno()).st_size
            if not 0 <= offset <= size:
                raise OffsetDiffers(size)
            file.seek(offset)
            return file, size, file.read(self._chunk_bytes)
        except BaseException:
            file.close()
            raise

    def _new(self) -> tuple[Path, BinaryIO]:
        folder = self._root / "new"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / secrets.token_hex(16)
        return path, path.open("wb")

    def _keep_new(self, file: BinaryIO, path: Path, sha256: str) -> None:
        file.flush()
        os.fsync(file.fileno())
        self._keep(path, sha256)

    def _keep(self, path: Path, sha256: str) -> None:
        """Rename, and make the name durable too."""
        target = self._path(sha256)
        target.parent.mkdir(parents=True, exist_ok=True)
        path.replace(target)
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _append(self, sha256: str, offset: int, piece: bytes) -> None:
        path = self._partial(sha256)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            if file.tell() != offset:
                raise OffsetDiffers(file.tell())
            if offset + len(piece) > self.max_bytes:
                raise TooLarge(self.max_bytes)
            file.write(piece)

    def _finish(self, sha256: str, size: int) -> None:
        path = self._partial(sha256)
        try:
            with path.open("rb+") as file:
                got = os.fstat(file.fileno()).st_size
                if got < size:
                    raise SizeDiffers(size, got)
                if got > size or hashlib.file_digest(file, "sha256").hexdigest() != sha256:
                    path.unlink()
                    raise DigestDiffers
                os.fsync(file.fileno())
        except FileNotFoundError:
            raise NotStored from None
        self._keep(path, sha256)


def _write(file: BinaryIO, update: Callable[[bytes], None], chunk: bytes) -> None:
    update(chunk)
    file.write(chunk)


async def _off(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run what touches the disk off the event loop. Raises StoreFails for what the disk refuses."""
    try:
        return await asyncio.to_thread(work, *args, **kwargs)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise StoreFails(error.strerror or type(error).__name__) from error
