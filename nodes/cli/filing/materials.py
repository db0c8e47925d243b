"""Materials on disk: read, hashed and uploaded; or named by a digest that a node already has.

Knows files and the Upload stream. Must not know which materials a matter needs.
"""

import hashlib
import mimetypes
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from nodes.cli.call import request_id
from nodes.cli.exits import Exit
from nodes.cli.failures import Failure, Problem, failure
from nodes.cli.reach import Node
from nodes.cli.words import both
from tongban.v1.case_pb2 import Actor, Material
from tongban.v1.case_service_pb2 import UploadHeader, UploadRequest

CHUNK_BYTES: Final = 256 * 1024
_DIGEST: Final = re.compile(r"sha256:([0-9a-fA-F]{64}):([0-9]{1,12})(?::([\w.+-]+/[\w.+-]+))?")


@dataclass(frozen=True, slots=True)
class Paper:
    """A material to hand in. path None: its content is at the node already. sha256: 32 bytes; size: bytes."""

    code: str
    path: Path | None
    sha256: bytes
    size: int
    media_type: str

    def message(self, region: str) -> Material:
        """As it stands in a filing; `region` is the one whose store has the bytes."""
        return Material(
            code=self.code,
            sha256=self.sha256,
            size=self.size,
            media_type=self.media_type,
            held_by=region,
            file_name=self.path.name if self.path else "",
        )


def paper(text: str, base: Path, field: str) -> Paper:
    """Read "CODE=PATH" or "CODE=sha256:HEX:BYTES[:TYPE]". A path is taken from `base`. Raises Failure."""
    code, equals, where = (part.strip() for part in text.partition("="))
    if not equals or not code or not where:
        raise _bad(field, "material_form")
    known = _DIGEST.fullmatch(where)
    if known:
        media = known[3] or "application/octet-stream"
        return Paper(code, None, bytes.fromhex(known[1]), int(known[2]), media)
    path = base / where
    try:
        if not path.is_file():  # a device or a pipe may never end
            raise _bad(field, "material_file", path=path)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").digest()
        size = path.stat().st_size
    except (OSError, ValueError):
        raise _bad(field, "material_file", path=path) from None
    if not size:
        raise _bad(field, "material_empty", path=path)
    media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return Paper(code, path, digest, size, media_type)


def upload(node: Node, found: Paper, client: str, actor: Actor) -> None:
    """Bring the content to the node. The same content again is no second copy. Raises Failure."""
    if found.path is None:
        return
    header = UploadHeader(
        client=client,
        request_id=request_id(),
        sha256=found.sha256,
        size=found.size,
        media_type=found.media_type,
        actor=actor,
    )
    with node.translated():
        stored = node.cases.Upload(_pieces(header, found.path), timeout=_limit_s(node, found.size))
    if stored.sha256 != found.sha256:
        raise failure(Exit.REFUSED, "upload_differs", path=found.path)


def _pieces(header: UploadHeader, path: Path) -> Iterator[UploadRequest]:
    yield UploadRequest(header=header)
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield UploadRequest(chunk=chunk)


def _limit_s(node: Node, size: int) -> float:
    return node.timeout_s + size / 1_000_000


def _bad(field: str, reason: str, **values: object) -> Failure:
    said = both(f"wrong.{reason}", **values)
    return failure(Exit.REFUSED, "bad_filing", problems=[Problem(field, reason.upper(), said)])
