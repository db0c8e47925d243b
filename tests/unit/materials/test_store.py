"""A material is there whole and as announced, or not at all; a broken fetch goes on where it stopped."""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from nodes.materials.errors import (
    BadDigest,
    DigestDiffers,
    MaterialError,
    NotStored,
    OffsetDiffers,
    SizeDiffers,
    StoreFails,
    TooLarge,
    TypeRefused,
)
from nodes.materials.store import Announced, MaterialStore

PAPER = bytes(range(256)) * 40
NAME = hashlib.sha256(PAPER).hexdigest()


@pytest.fixture
def store(tmp_path: Path) -> MaterialStore:
    return MaterialStore(tmp_path / "materials", max_bytes=20_000, chunk_bytes=1_000)


async def pieces(content: bytes = PAPER, each: int = 999, fail_after: int = 0) -> AsyncIterator[bytes]:
    for at in range(0, len(content), each):
        if fail_after and at >= fail_after:
            raise ConnectionResetError
        yield content[at : at + each]


def announced(content: bytes = PAPER, /, **given: Any) -> Announced:
    said = {
        "sha256": hashlib.sha256(content).hexdigest(),
        "size": len(content),
        "media_type": "application/pdf",
    }
    return Announced(**{**said, **given})


def files(store: MaterialStore) -> list[str]:
    return sorted(str(p.relative_to(store._root)) for p in store._root.rglob("*") if p.is_file())


async def whole(store: MaterialStore, offset: int = 0) -> bytes:
    return b"".join([piece async for piece in store.read(NAME, offset)])


async def test_what_is_put_can_be_read_from_any_offset(store: MaterialStore) -> None:
    assert not await store.has(NAME)
    await store.put(announced(), pieces())
    await store.put(announced(), pieces())
    assert await store.has(NAME)
    assert await store.size(NAME) == len(PAPER)
    for offset in (0, 1, 999, 1_000, len(PAPER)):
        assert await whole(store, offset) == PAPER[offset:]
    assert files(store) == [f"{NAME[:2]}/{NAME}"]


@pytest.mark.parametrize(
    ("said", "content", "error"),
    [
        ({"size": len(PAPER) + 1}, PAPER, SizeDiffers),
        ({"size": len(PAPER) - 1}, PAPER, SizeDiffers),
        ({"size": 0}, b"", SizeDiffers),
        ({"size": 20_001}, PAPER, TooLarge),
        ({"size": 2**62}, PAPER, TooLarge),
        ({"sha256": "0" * 64}, PAPER, DigestDiffers),
        ({"media_type": "text/html"}, PAPER, TypeRefused),
        ({"media_type": ""}, PAPER, TypeRefused),
        ({"sha256": "../" * 21 + "x"}, PAPER, BadDigest),
        ({"sha256": NAME.upper()}, PAPER, BadDigest),
        ({"sha256": NAME + "\n"}, PAPER, BadDigest),
    ],
)
async def test_what_is_not_as_announced_leaves_nothing(
    store: MaterialStore, said: dict[str, Any], content: bytes, error: type[MaterialError]
) -> None:
    with pytest.raises(error) as raised:
        await store.put(announced(**said), pieces(content))
    assert raised.value.field in {"size", "sha256", "media_type"}
    assert not store._root.exists() or files(store) == []


async def test_no_more_is_read_than_was_announced(store: MaterialStore) -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 1
            yield bytes(1_000)

    with pytest.raises(SizeDiffers):
        await store.put(announced(size=5_000), endless())
    assert read == 6


async def test_an_upload_that_breaks_off_leaves_nothing(store: MaterialStore) -> None:
    with pytest.raises(ConnectionResetError):
        await store.put(announced(), pieces(fail_after=3_000))
    assert files(store) == []


async def test_names_that_are_no_digest_never_become_a_path(store: MaterialStore) -> None:
    for name in ("", "..", "/etc/passwd", "a" * 63, "../../" + "a" * 58, "a" * 64 + "/..", "．" * 64):
        for call in (store.has, store.size, store.begun):
            with pytest.raises(BadDigest):
                await call(name)


async def test_what_is_not_here_is_said(store: MaterialStore) -> None:
    with pytest.raises(NotStored):
        await whole(store)
    with pytest.raises(NotStored):
        await store.finish(NAME, 5)
    await store.put(announced(), pieces())
    with pytest.raises(OffsetDiffers):
        await whole(store, len(PAPER) + 1)


async def test_a_fetch_goes_on_where_it_stopped(store: MaterialStore) -> None:
    await store.append(NAME, 0, PAPER[:4_000])
    assert await store.begun(NAME) == 4_000
    with pytest.raises(OffsetDiffers):
        await store.append(NAME, 3_999, b"x")
    with pytest.raises(SizeDiffers):
        await store.finish(NAME, len(PAPER))
    assert not await store.has(NAME)
    again = MaterialStore(store._root, max_bytes=20_000)
    await again.append(NAME, await again.begun(NAME), PAPER[4_000:])
    await again.finish(NAME, len(PAPER))
    assert await whole(again) == PAPER
    assert await again.begun(NAME) == 0


async def test_a_fetch_of_other_bytes_is_thrown_away(store: MaterialStore) -> None:
    await store.append(NAME, 0, b"x" * len(PAPER))
    with pytest.raises(DigestDiffers):
        await store.finish(NAME, len(PAPER))
    assert await store.begun(NAME) == 0
    assert not await store.has(NAME)
    await store.append(NAME, 0, b"x")
    await store.give_up(NAME)
    assert await store.begun(NAME) == 0


async def test_a_fetch_cannot_fill_the_disk(store: MaterialStore) -> None:
    await store.append(NAME, 0, bytes(19_999))
    with pytest.raises(TooLarge):
        await store.append(NAME, 19_999, b"xx")


async def test_a_directory_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    store = MaterialStore(tmp_path / "file", max_bytes=20_000)
    with pytest.raises(StoreFails):
        await store.put(announced(), pieces())


async def test_a_file_is_durable_before_it_has_its_name(
    store: MaterialStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def noted_fsync(handle: int) -> None:
        order.append("fsync")
        fsync(handle)

    def noted_replace(path: Path, to: Path) -> Path:
        order.append("rename")
        return replace(path, to)

    monkeypatch.setattr("nodes.materials.store.os.fsync", noted_fsync)
    monkeypatch.setattr(Path, "replace", noted_replace)
    await store.put(announced(), pieces())
    assert order == ["fsync", "rename", "fsync"]
