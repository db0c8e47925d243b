"""The papers of a rehearsal: contents made up on the spot, uploaded once, and read by who decides.

Knows what a made-up paper looks like. Must not know which papers a matter needs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from tongban.v1 import case_pb2

if TYPE_CHECKING:
    from nodes.demo.people import Place

MEDIA_TYPE: Final = "text/plain"
LINES: Final = 40


class Unreadable(Exception):
    """What came from the store is not what was handed in."""


def content(line: str, code: str) -> bytes:
    """A paper of that filing; the same again for the same filing and code."""
    text = f"演示材料 / demo paper\n{code}\n{line}\n" + "此件为虚构内容 / nothing here is real\n" * LINES
    return text.encode()


class Papers:
    """What was handed in at one platform."""

    def __init__(self) -> None:
        self._known: set[bytes] = set()
        self.uploaded = 0
        self.read = 0

    async def hand_in(
        self, line: str, codes: Sequence[str], place: Place, actor: case_pb2.Actor
    ) -> list[case_pb2.Material]:
        """Upload what is not yet there; the materials as a filing or a correction names them."""
        found = []
        for code in codes:
            made = content(line, code)
            digest = hashlib.sha256(made).digest()
            if digest not in self._known:
                stored = await place.calls.upload(made, MEDIA_TYPE, place.client, actor)
                if stored != digest:
                    raise Unreadable(code)
                self._known.add(digest)
                self.uploaded += 1
            found.append(
                case_pb2.Material(
                    code=code, sha256=digest, size=len(made), media_type=MEDIA_TYPE, pages=1,
                    file_name=f"{code}.txt",
                )
            )  # fmt: skip
        return found

    async def look_at(self, number: str, place: Place, actor: case_pb2.Actor) -> None:
        """Whoever decides reads the papers, wherever they lie. Raises Unreadable, Refusal."""
        case = (await place.calls.get(number, actor)).case
        for material in case.materials:
            made = await place.calls.download(material.sha256, number, actor)
            if hashlib.sha256(made).digest() != material.sha256:
                raise Unreadable(material.code)
            self.read += 1
