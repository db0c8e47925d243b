"""What the gRPC face needs of the rooms below it: the application as the servicers see it.

Protocols only, in terms of domain types and rows. `nodes.desk` offers Desk, Reader and Changes in just this
shape; Operations and Peers are handed in by assembly. Nothing here knows gRPC or protobuf, and no servicer
knows more than this.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from nodes.cases.case import Case
from nodes.codec.requests import ActRequest, FileRequest
from nodes.desk.reader import CaseView
from nodes.desk.work import Answer
from nodes.operations.views import HealthView, LaneView, LetterPage, PartView, TraceView
from nodes.store.rows import CaseCursor, CaseFilter, CaseRow, EventRow, ParkedRow
from nodes.telemetry.spans import SpanRow

__all__ = [
    "Business", "FetchesMaterials", "FilesAndActs", "Follows", "HealthView", "LaneView", "LetterPage",
    "Looks", "NotesMaterials", "Operates", "PartView", "TraceView",
]  # fmt: skip


class FilesAndActs(Protocol):
    """The verbs. Both answer with stored bytes: the same request id again gives the same Answer."""

    async def file(self, request: FileRequest, fingerprint: bytes) -> Answer:
        """Bytes of FileResponse, or of ErrorDetail when `refused`.

        Raises RequestIdReused, Overloaded, Unavailable (nodes.desk.work); these are not stored.
        """
        ...

    async def act(self, request: ActRequest, fingerprint: bytes) -> Answer:
        """Bytes of ActResponse, or of ErrorDetail when `refused`. Raises what `file` raises, and
        VersionMoved.
        """
        ...


class Looks(Protocol):
    """What is looked up. What of it a caller may see is the servicers' to say."""

    async def get(self, number: str) -> CaseView | None:
        """The case with this region's asks about it; None when this node does not have it."""
        ...

    async def cases(self, numbers: list[str]) -> Mapping[str, CaseView]:
        """Those of the cases that this node has, without their asks."""
        ...

    async def page(self, wanted: CaseFilter, after: CaseCursor | None, limit: int) -> list[CaseRow]:
        """Up to `limit` rows behind the cursor, newest receipt first."""
        ...

    async def history(self, number: str) -> list[EventRow]:
        """Every event of the case that this node has, in order."""
        ...


class Follows(Protocol):
    """The events of this node in one gap-free order."""

    async def last(self) -> int:
        """The place of the newest event, 0 when there is none."""
        ...

    def follow(self, after: int) -> AsyncIterator[EventRow]:
        """Events behind that place, for ever; `log_seq` of each is its place."""
        ...


class Operates(Protocol):
    """What an operator does. Changing calls have a request id, scoped by the operator's account."""

    async def letters(self, *, limit: int, cursor: str, settled: bool) -> LetterPage:
        """Parked messages; with `settled` also those replayed or dropped. ValueError for a cursor it did
        not give.
        """
        ...

    async def letter(self, letter_id: str) -> ParkedRow | None:
        """One parked message."""
        ...

    async def replay(self, letter_id: str, *, operator: str, request_id: str, fingerprint: bytes) -> Answer:
        """Try it again. Bytes of ReplayDeadResponse, or of ErrorDetail; stored as those of the verbs are."""
        ...

    async def drop(
        self, letter_id: str, *, reason: str, operator: str, request_id: str, fingerprint: bytes
    ) -> Answer:
        """Give it up. Bytes of DropDeadResponse, or of ErrorDetail; stored as those of the verbs are."""
        ...

    async def lanes(self) -> Sequence[LaneView]:
        """The lanes of the relay."""
        ...

    async def health(self) -> HealthView:
        """How the node is now. Never raises for a part that is down: it says so."""
        ...

    async def trace(self, case_number: str) -> TraceView:
        """The trace of a case over all its regions."""
        ...

    async def slice(self, case_number: str, shown: Callable[[Case], bool]) -> Sequence[SpanRow]:
        """The spans of a case that this region keeps itself."""
        ...


class NotesMaterials(Protocol):
    """Whether the bytes of a material are here (nodes.materials.book)."""

    async def note_stored(self, sha256: str, size: int, media_type: str) -> None:
        """Its bytes are in this node's store from now on."""
        ...


class FetchesMaterials(Protocol):
    """Brings a material from the region that holds it into this node's store (nodes.rpc.peer)."""

    async def fetch(self, region: str, case_number: str, sha256: str) -> None:
        """Resumes what an earlier attempt left. Raises Fault (PEER_UNREACHABLE, PEER_REFUSED),
        MaterialError.
        """
        ...


class Business(Protocol):
    """The business clock."""

    def __call__(self) -> datetime:
        """Now, aware."""
        ...
